"""The transport of non-blocking sockets: the page's own thread writes all its requests, then gathers the replies."""

from bff.http.sockets.transport import SocketTransport

__all__ = ["SocketTransport"]
