"""The same look-ups and dials for a thread that may wait for them."""

from __future__ import annotations

import select
import socket
from contextlib import closing, suppress
from queue import Empty, SimpleQueue

from msgspec import Struct

from bff import clock
from bff.http.sockets.dial import Address, Dial
from bff.http.sockets.resolve import Lookup
from bff.http.sockets.standing import Standing


class Found(Struct, frozen=True):
    """One of several addresses, which a connection leads to since `begun` (monotonic)."""

    standing: Standing
    address: Address
    begun: float

    def lost(self) -> None:
        """Have it tried after the others: no answer came."""
        self.standing.lost([self.address])

    @property
    def has_lost(self) -> bool:
        """Whether it gave no answer to somebody since."""
        return self.standing.has_lost(self.address, self.begun)


def wait_for(lookup: Lookup, until: float) -> Lookup:
    """The look-up to be used; raises TimeoutError where there is none by then (monotonic), OSError where it failed."""
    waiter: SimpleQueue[None] = SimpleQueue()
    lookup.wake(waiter)
    while (found := lookup.usable) is None:
        with suppress(Empty):
            waiter.get(timeout=_left(min(until, lookup.due), until))
    if not found.addresses:
        raise found.error or socket.gaierror("no address")
    return found


def connect(lookup: Lookup, until: float) -> tuple[socket.socket, Found | None]:
    """A socket connected to one of the addresses, and to which where there are several.

    Raises TimeoutError or OSError.
    """
    addresses, standing = lookup.addresses or [], lookup.standing
    several = len(addresses) > 1
    with closing(Dial(standing.in_order(addresses) if several else addresses)) as dial:
        while (sock := dial.go_on()) is None:
            poll = select.poll()
            for fd, events in dial.interests():
                poll.register(fd, events)
            poll.poll(_left(min(until, dial.due), until) * 1000 + 1)
    if not several or dial.winner is None:
        return sock, None
    standing.lost(dial.losers)
    return sock, Found(standing, dial.winner, clock.monotonic())


def _left(until: float, deadline: float) -> float:
    """Seconds until then; raises TimeoutError where the deadline has passed."""
    now = clock.monotonic()
    if now >= deadline:
        raise TimeoutError("the deadline has passed")
    return max(0.0, until - now)
