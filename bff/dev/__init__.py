"""What `bff dev` adds to an app while it is written; nothing of it runs in production."""
