"""Which transport an app has."""

from __future__ import annotations

from functools import cache

from bff.http.sockets.transport import SocketTransport
from bff.http.stock.threads import ThreadTransport
from bff.http.transport import Transport


def transport_of(kind: str, threads: int) -> Transport:
    """The transport of that kind, `sockets` or `threads`; `threads` bounds what goes the way of threads in both."""
    return ThreadTransport(threads) if kind == "threads" else SocketTransport(threads)


@cache
def default_transport() -> Transport:
    """The transport of calls that no page makes; one per process."""
    return SocketTransport()
