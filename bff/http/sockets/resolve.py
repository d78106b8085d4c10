"""Names to addresses, on threads of their own: a look-up cannot be cancelled, only left alone."""

from __future__ import annotations

import socket
import threading
import time
from typing import Final

from bff.http.pool import Pool
from bff.http.sockets.dial import Address
from bff.http.transport import Waiter

AGE: Final = 30.0
"""Seconds for which an answer is used."""
THREADS: Final = 8
_ENTRIES = 256


class Lookup:
    """The addresses of one name and port; `addresses` and `error` are None until it has ended."""

    def __init__(self, host: str, port: int, lane: Resolver | None) -> None:
        self.addresses: list[Address] | None = None
        self.error: OSError | None = None
        self.until = 0.0
        self.held = lane is not None
        self._lane = lane
        self._host = host
        self._port = port
        self._lock = threading.Lock()
        self._waiters: list[Waiter] = []

    @property
    def lane(self) -> Resolver:
        assert self._lane is not None
        return self._lane

    def run(self, flags: int = 0) -> None:
        """Looks it up; never raises."""
        self.held = False
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM, flags=flags)
        except OSError as error:
            self.error = error
        except ValueError as error:  # a name that cannot be encoded
            self.error = OSError(type(error).__name__)
        else:
            self.addresses = in_turns([(family, address) for family, _, _, _, address in found])
        self.until = time.monotonic() + (AGE if self.addresses else 0.0)
        with self._lock:
            waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.put(None)

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
        if known is not None and (not known.ended or time.monotonic() < known.until):
            return known
        with self._lock:
            again = self._known.get((host, port))
            if again is not None and again is not known:
                return again  # another thread was quicker
            made = Lookup(host, port, self)
            if not _is_written(host):
                if len(self._known) >= _ENTRIES:
                    self._known.clear()
                self._known[host, port] = made
        if _is_written(host):
            made.run(socket.AI_NUMERICHOST)
        else:
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
