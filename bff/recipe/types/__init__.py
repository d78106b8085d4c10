"""The types of a page: of what it takes, of each step, and of what it answers."""
