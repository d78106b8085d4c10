"""Connections of one client that wait for their next request."""

from __future__ import annotations

import weakref
from collections import deque
from typing import Final

from bff import clock
from bff.http.sockets.connection import Connection, Ticket
from bff.http.sockets.resolve import Lookup

LONGEST: Final = 30.0
"""Seconds for which a connection is kept idle."""
LONGEST_FOR_WRITES: Final = 5.0
"""The same where a request must not be lost: many servers close after that, and the news may be on its way."""
_JUMP: Final = 1.0
_SWEPT: Final = 2


class Idle:
    """The idle connections to one origin, at most `most`; any thread takes from it and gives back to it.

    The newest is taken first, so that those that a quiet time does not need grow old and are closed. `ticket` is the
    latest that the origin gave, `lookup` the latest of its addresses.
    """

    def __init__(self, most: int) -> None:
        self.ticket: Ticket | None = None
        self.lookup: Lookup | None = None
        self._most = most
        self._kept: deque[Connection] = deque()
        self._closed = False
        _to_close[weakref.ref(self, _is_gone)] = self._kept

    def take(
        self, *, for_write: bool, now: float | None = None, offset: float | None = None
    ) -> Connection | None:
        """A connection that is good for a request, None where there is none.

        `now` (monotonic) and `offset`, by which the clock of the day is ahead of that, may have been read before.
        """
        if now is None:
            now = clock.monotonic()
        if offset is None:
            offset = clock.wall() - now
        kept = self._kept
        while kept:
            try:
                connection = kept.pop()  # deques are thread-safe, and this needs no more than one step
            except IndexError:
                return None
            if (
                now <= connection.idle_until
                and (not for_write or now - connection.idle_since <= LONGEST_FOR_WRITES)
                # Where the clocks disagree this process was stopped or moved, and the network may have forgotten it.
                and -_JUMP <= offset - connection.offset <= _JUMP
                and (connection.is_quiet() if connection.is_secure else not connection.poll(0))
            ):
                return connection
            connection.close()
        return None

    def give(
        self,
        connection: Connection,
        idle_for: float | None,
        now: float | None = None,
        offset: float | None = None,
    ) -> None:
        """Keeps a connection on which all that was asked has been answered; `idle_for` as its server says."""
        if connection.is_secure and not connection.idle_since:  # a new one: its ticket is the latest
            self.ticket = connection.ticket
        if connection.has_ended:
            connection.close()
            return
        if now is None:
            now = clock.monotonic()
        connection.offset = clock.wall() - now if offset is None else offset
        connection.idle_since = now
        connection.idle_until = now + (LONGEST if idle_for is None else min(LONGEST, idle_for - 1.0))
        kept = self._kept
        kept.append(connection)
        try:
            if kept[0].idle_until < now or len(kept) > self._most:
                self._sweep(now)
        except IndexError:  # another thread was quicker, and there is nothing to sweep
            pass
        if self._closed:
            self.close()

    def lost(self, connection: Connection) -> None:
        """Has the address of a connection on which no answer came tried after the others, and not used again."""
        address = connection.address
        if address is None or self.lookup is None:
            return
        self.lookup.standing.lost([address])
        for _ in range(len(self._kept)):
            try:
                kept = self._kept.popleft()
            except IndexError:
                return
            if kept.address == address:
                kept.close()
            else:
                self._kept.append(kept)

    def begin_anew(self) -> None:
        """Has none in a child of this process: their sockets are closed there already."""
        self._kept.clear()
        self.lookup = None

    def close(self) -> None:
        """Closes all, and all that are given back later."""
        self._closed = True
        self.forget()

    def forget(self) -> None:
        """Closes all that wait now."""
        _close_all(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def _sweep(self, now: float) -> None:
        """Closes the oldest, a few at a time: those over the bound, and those that are too old for anything."""
        for _ in range(_SWEPT):
            try:
                oldest = self._kept.popleft()
            except IndexError:
                return
            if len(self._kept) < self._most and oldest.idle_until >= now:
                self._kept.appendleft(oldest)
                return
            oldest.close()


_to_close: Final[dict[weakref.ref[Idle], deque[Connection]]] = {}
"""What is closed when its client is gone. The collector tells of that before it ends any socket, and calls `__del__` at
any time, maybe after."""


def _is_gone(idle: weakref.ref[Idle]) -> None:
    _close_all(_to_close.pop(idle))


def _close_all(kept: deque[Connection]) -> None:
    while kept:
        try:
            kept.pop().close()
        except IndexError:
            return
