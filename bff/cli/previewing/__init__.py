"""What `preview` is made of: a process for each function under its host's runtime, and a door in front of them."""
