"""The Flask layer: a page request in, JSON out."""
