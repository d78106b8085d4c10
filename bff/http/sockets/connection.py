"""One connection to a backend, which never blocks."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from bff import clock
from bff.http.sockets.dial import Address

if TYPE_CHECKING:
    import ssl

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
