"""A WSGI app on threads behind an ASGI server: bodies come in beside the threads, and headers as they were sent."""

from bff.server.bridge import Bridge

__all__ = ["Bridge"]
