"""Replies that are kept: in the process, behind pages, and together with other instances in a Redis."""
