"""One connection to a backend, plain or behind TLS, which never blocks."""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from bff import clock
from bff.forks import close_in_child
from bff.http.sockets.dial import Address

READ: Final = 64 * 1024
"""Bytes that are read at most at once."""


LONGEST_TICKET: Final = 600.0
"""Seconds after which a certificate is looked at again."""


class Ticket(Struct, frozen=True):
    """What lets a server know us again; `verified_at` (monotonic) is when its certificate was looked at."""

    session: ssl.SSLSession
    context: ssl.SSLContext
    verified_at: float

    def is_for(self, context: ssl.SSLContext) -> bool:
        """Whether it may be used for a connection under these rules."""
        return self.context is context and clock.monotonic() < self.verified_at + LONGEST_TICKET


class Connection:
    """A connected socket that does what it can at once and tells what it waits for.

    `poll` waits for something to read on it alone, for so many milliseconds.
    `wants` is what the operation that could not go on waits for: POLLIN or POLLOUT. `address` is where it leads, where
    its name has others; `ticket` may spare the next connection to its server a whole handshake. `wire` reads replies on
    it as long as all of them are plain.
    """

    __slots__ = (
        "address",
        "fd",
        "idle_since",
        "idle_until",
        "offset",
        "poll",
        "receive",
        "sock",
        "wants",
        "wire",
    )

    is_secure = False
    has_ended = False
    """Whether its end has been read, maybe behind a good reply: nothing more can be asked on it."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.fd = sock.fileno()
        self.wants = select.POLLOUT
        self.address: Address | None = None
        self.idle_since = self.idle_until = self.offset = 0.0
        self.receive: Callable[[int], bytes] = sock.recv
        self.wire: Any = None
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        self.poll = poll.poll

    @property
    def ticket(self) -> Ticket | None:
        return None

    def handshake(self) -> bool:
        """Goes on with what comes before the first request; says whether it is done."""
        return True

    def write(self, data: bytes | memoryview) -> int:
        """Sends what goes out at once; gives the number of bytes that did."""
        try:
            return self.sock.send(data)
        except BlockingIOError:
            return 0

    def read(self) -> bytes | None:
        """What has come, b"" when the other side has closed, None when nothing has come."""
        try:
            return self.sock.recv(READ)
        except BlockingIOError:
            return None

    @property
    def may_hold_more(self) -> bool:
        """Whether there may be something to read that no poll would tell of."""
        return False

    def is_quiet(self) -> bool:
        """Whether it is open and nothing has come: all that a server does to an idle connection is to end it."""
        return not self.poll(0)

    def close(self) -> None:
        """Ends it, for all who hold a copy of its descriptor in this process, and leaves nothing to the collector."""
        wire, self.wire = self.wire, None
        if wire is not None:
            wire.feed = None
        self.receive = self.sock.recv
        try:  # noqa: SIM105  a context manager costs three calls more
            self.sock.close()
        except OSError:
            pass


class SecureConnection(Connection):
    """The same behind TLS, where reading may have to write and writing to read."""

    __slots__ = ("_context", "_error", "_tls", "_verified_at", "has_ended")
    is_secure = True

    def __init__(
        self, sock: socket.socket, context: ssl.SSLContext, name: str, ticket: Ticket | None = None
    ) -> None:
        if ticket is not None and not ticket.is_for(context):
            ticket = None
        self._context = context
        self._error: OSError | None = None
        self.has_ended = False
        self._verified_at = 0.0 if ticket is None else ticket.verified_at
        # An end without a word would look like the end of a body that has no length: it is an error here.
        try:
            self._tls = context.wrap_socket(
                sock,
                server_hostname=name,
                do_handshake_on_connect=False,
                suppress_ragged_eofs=False,
                session=None if ticket is None else ticket.session,
            )
        except BaseException:
            sock.close()
            raise
        close_in_child(self._tls)
        super().__init__(self._tls)
        self.receive = self._receive

    def handshake(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self.wants = select.POLLIN
            return False
        except ssl.SSLWantWriteError:
            self.wants = select.POLLOUT
            return False
        if not self._tls.session_reused:
            self._verified_at = clock.monotonic()
        return True

    @property
    def ticket(self) -> Ticket | None:
        session = self._tls.session
        return None if session is None else Ticket(session, self._context, self._verified_at)

    def write(self, data: bytes | memoryview) -> int:
        try:
            return self._tls.send(data)
        except ssl.SSLWantReadError:
            self.wants = select.POLLIN
        except ssl.SSLWantWriteError:
            self.wants = select.POLLOUT
        return 0

    def read(self) -> bytes | None:
        if self._error is not None:
            raise self._error
        try:
            data = self._tls.recv(READ)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLWantWriteError:
            self.wants = select.POLLOUT
            return None
        except OSError:
            self.has_ended = True
            raise
        if not data:
            self.has_ended = True
        return data

    def _receive(self, most: int) -> bytes:
        """All that has come, of several records; raises BlockingIOError where nothing has."""
        parts: list[bytes] = []
        size = 0
        while size < most:
            try:
                part = self.read()
            except OSError as error:
                if not parts:
                    raise
                self._error = error  # TLS may tell of it only once, and then of an end like any other
                break
            if part is None:
                if parts:
                    break
                raise BlockingIOError
            parts.append(part)
            size += len(part)
            if not part:
                break
        return b"".join(parts)

    @property
    def may_hold_more(self) -> bool:
        return True

    def is_quiet(self) -> bool:
        if not self.poll(0) and not self._tls.pending():
            return True
        try:  # session tickets come after the handshake, whenever the server likes
            return self.read() is None
        except OSError:
            return False
