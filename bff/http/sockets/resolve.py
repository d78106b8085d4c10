"""Names to addresses, on threads of their own: a look-up cannot be cancelled, only left alone."""

from __future__ import annotations

import socket
import threading
from math import inf
from typing import Final

from bff import clock
from bff.http.pool import Pool
from bff.http.sockets.dial import Address
from bff.http.sockets.standing import Standing
from bff.http.transport import Waiter

AGE: Final = 30.0
"""Seconds for which an answer is used."""
LONGEST: Final = 600.0
"""The same where no other can be had."""
PATIENCE: Final = 0.1
"""Seconds that a look-up has before the answer of before stands in."""
_AGAIN: Final = 5.0
THREADS: Final = 8
_ENTRIES = 256


class Lookup:
    """The addresses of one name and port; `addresses` and `error` are None until it has ended.

    `known_at` is when they were looked up, `standing` tells in which order they are tried. What was found `before`
    stands in where the look-up fails or takes long: `due` (monotonic) is when it does.
    """

    def __init__(self, host: str, port: int, lane: Resolver | None, before: Lookup | None = None) -> None:
        self.addresses: list[Address] | None = None
        self.error: OSError | None = None
        self.until = 0.0
        self.known_at = 0.0
        self.held = lane is not None
        self.standing: Standing = Standing() if before is None else before.standing
        self._before = before if before is not None and before.may_stand_in else None
        self.due = inf if self._before is None else clock.monotonic() + PATIENCE
        self._lane = lane
        # As bytes: for a text Python loads what encodes names of other letters, which takes longer than most look-ups.
        self._host: str | bytes = host.encode() if host.isascii() else host
        self._port = port
        self._lock = threading.Lock()
        self._waiters: list[Waiter] = []

    @property
    def lane(self) -> Resolver:
        assert self._lane is not None
        return self._lane

    @property
    def may_stand_in(self) -> bool:
        return self.addresses is not None and clock.monotonic() < self.known_at + LONGEST

    @property
    def usable(self) -> Lookup | None:
        """The look-up whose addresses, or error, are to be used now; None where it is to be waited for."""
        if self.ended:
            return self
        return self._before if clock.monotonic() >= self.due else None

    def run(self, flags: int = 0) -> None:
        """Looks it up; never raises."""
        self.held = False
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM, flags=flags)
        except OSError as error:
            self._fails(error)
        except ValueError as error:  # a name that cannot be encoded
            self._fails(socket.gaierror(type(error).__name__))
        else:
            self.known_at = clock.monotonic()
            self.until = self.known_at + (AGE if found else 0.0)
            self.addresses = in_turns([(family, address) for family, _, _, _, address in found])
        self._before = None
        with self._lock:
            waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.put(None)

    def _fails(self, error: OSError) -> None:
        before = self._before
        if before is None or not before.may_stand_in:
            self.error = error
            return
        self.known_at = before.known_at
        self.until = clock.monotonic() + _AGAIN
        self.addresses = before.addresses

    def wake(self, waiter: Waiter) -> None:
        """Has its end told to a waiter, at once where it has come already."""
        with self._lock:
            if not self.ended:
                if (
                    waiter not in self._waiters
                ):  # who waits for several things asks again each time one has news
                    self._waiters.append(waiter)
                return
        waiter.put(None)

    @property
    def ended(self) -> bool:
        return self.addresses is not None or self.error is not None


class Resolver:
    """Looks names up, each once at a time, on at most eight threads, and remembers them for a while."""

    concurrency = THREADS

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool = Pool(THREADS)
        self._known: dict[tuple[str, int], Lookup] = {}

    def look_up(self, host: str, port: int) -> Lookup:
        """The look-up of a name, which may have ended; one of a written address always has."""
        known = self._known.get((host, port))
        if known is not None and (not known.ended or clock.monotonic() < known.until):
            return known
        with self._lock:
            again = self._known.get((host, port))
            if again is not None and again is not known:
                return again  # another thread was quicker
            made = Lookup(host, port, self, known)
            if _is_written(host):
                made.run(socket.AI_NUMERICHOST)
                made.until = inf
            if len(self._known) >= _ENTRIES:
                self._known.clear()
            self._known[host, port] = made
        if not made.ended:
            self._pool.submit(made)
        return made

    def close(self) -> None:
        """Ends the threads that look nothing up."""
        self._pool.close()


def in_turns(addresses: list[Address]) -> list[Address]:
    """The addresses with their families taking turns, the first one's first (RFC 8305)."""
    if not addresses:
        return addresses
    first = [address for address in addresses if address[0] == addresses[0][0]]
    others = [address for address in addresses if address[0] != addresses[0][0]]
    turns: list[Address] = []
    while first or others:
        turns += first[:1] + others[:1]
        first, others = first[1:], others[1:]
    return turns


def _is_written(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host.partition("%")[0])
        except (OSError, ValueError):
            continue
        return True
    return False
