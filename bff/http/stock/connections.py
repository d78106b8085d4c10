"""The connections of requests and urllib3, each under the deadline of the exchange that it is used for."""

from __future__ import annotations

import http.client
import io
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import requests  # noqa: F401  whole before any part, as everywhere: threads that load both ways would meet halves
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from bff import clock
from bff.errors import Reason
from bff.http.faults import BadReplyError
from bff.http.sockets.blocking import Found, connect, wait_for
from bff.http.sockets.resolve import Resolver

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class Progress(Protocol):
    """How far an exchange came, as another thread may ask; `found` is where it went, where there were several ways."""

    sent: bool
    abandoned: bool
    found: Found | None

    def uses(self, sock: socket.socket) -> None:
        """Is told the connection; raises TimeoutError where the exchange was given up."""

    def lets_go(self, sock: socket.socket | None) -> bool:
        """Is told that a connection is not used any more; says whether another exchange may use it."""


class _Current(threading.local):
    """The exchange that this thread is at; the connections below urllib3 ask for it.

    `stage` is what a time-out would be now.
    """

    until: float = 0.0
    progress: Progress | None = None
    resolver: Resolver | None = None
    stage: Reason = "connect-timeout"

    def left(self) -> float:
        """Seconds left; raises TimeoutError when there are none."""
        left = self.until - clock.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left


current = _Current()


@contextmanager
def at(until: float, progress: Progress, resolver: Resolver | None = None) -> Iterator[None]:
    """Within, what this thread reads and writes belongs to one exchange, and ends by then (monotonic)."""
    current.until = until
    current.progress = progress
    current.resolver = resolver
    current.stage = "reply-timeout" if progress.sent else "connect-timeout"
    try:
        yield
    finally:
        progress.lets_go(None)
        current.progress = current.resolver = None


def renew(until: float) -> None:
    """Gives the exchange that this thread is at another end."""
    current.until = until


class _TimedReader(io.RawIOBase):
    """Reads from a socket until the deadline of the exchange; a socket's own time-out bounds one wait only."""

    def __init__(self, raw: Any, sock: socket.socket) -> None:
        self.ended = False
        self._raw = raw
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(current.left())
        count: int | None = self._raw.readinto(buffer)
        self.ended = self.ended or count == 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    """A reply that is read in time, and refused where http.client takes for a head what is none."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self._reader = _TimedReader(self.fp.detach(), sock)
        self.fp = io.BufferedReader(self._reader)

    def begin(self) -> None:
        super().begin()
        if self._reader.ended:
            raise BadReplyError("the connection ended within the head", "cut-short")
        if _CONTROL.search(self.reason) or any(map(_CONTROL.search, self.headers.values())):
            raise BadReplyError("a control character in its head")


class _Timed:
    """What both kinds of connections add: the deadline, the order of addresses, and a note that something was sent."""

    response_class: Any = _TimedResponse
    sock: Any
    found: Found | None = None

    def _new_conn(self) -> socket.socket:
        resolver = current.resolver
        assert resolver is not None, "every exchange has one"
        host, port = self._dns_host.strip("[]"), self.port  # type: ignore[attr-defined]
        connection: Any = self
        try:
            current.stage = "look-up-timeout"
            looked_up = wait_for(resolver.look_up(host, port), current.until)
            current.stage = "connect-timeout"
            sock, self.found = connect(looked_up, current.until)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, connection, error) from error  # type: ignore[attr-defined]
        except TimeoutError as error:
            raise ConnectTimeoutError(connection, "the deadline has passed") from error
        except OSError as error:
            raise NewConnectionError(connection, type(error).__name__) from error
        sock.settimeout(current.left())
        current.stage = "tls-timeout"
        if current.progress is not None:
            current.progress.found = self.found
        return sock

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()  # type: ignore[attr-defined]
        self.sock.settimeout(current.left())
        if current.progress is not None:
            if isinstance(self.sock, socket.socket):
                current.progress.uses(self.sock)
            current.progress.sent = True
            current.progress.found = self.found
        current.stage = "reply-timeout"
        super().send(data)  # type: ignore[misc]

    def close(self) -> None:
        if current.progress is not None and self.sock is not None:
            current.progress.lets_go(self.sock)  # maybe another's: what is collected closes in any thread
        super().close()  # type: ignore[misc]


class _PlainConnection(_Timed, HTTPConnection):
    pass


class _SecureConnection(_Timed, HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        # An end without a word would look like the end of a body that has no length: it is an error here.
        self.sock.suppress_ragged_eofs = False


class _Returning:
    """What both kinds of pools add: no connection is used again whose exchange was given up, or whose address lost."""

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)  # type: ignore[misc]
        if connection.found is not None and connection.found.has_lost:
            connection.close()
        return connection

    def _put_conn(self, conn: Any) -> None:
        if conn is None:  # an empty place on top would hide the connections that are idle
            return
        if current.progress is not None and not current.progress.lets_go(conn.sock):
            conn.close()
            return
        super()._put_conn(conn)  # type: ignore[misc]


class _PlainPool(_Returning, HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(_Returning, HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _PlainPool, "https": _SecurePool}


class Adapter(HTTPAdapter):
    """Keeps one client's connections, and what it knows of addresses.

    `send` stays the base class's, so that mocks of it are met.
    """

    def __init__(self, connections: int) -> None:
        super().__init__(pool_connections=2, pool_maxsize=connections)
        self.poolmanager.pool_classes_by_scheme = _POOLS
        self.resolver = Resolver()

    def close(self) -> None:
        super().close()
        self.resolver.close()

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        if type(manager) is urllib3.ProxyManager:
            manager.pool_classes_by_scheme = _POOLS
        return manager
