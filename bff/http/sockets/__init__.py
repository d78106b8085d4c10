"""Requests on non-blocking sockets: the page's own thread writes them all, then gathers the replies."""
