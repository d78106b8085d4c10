"""Connecting to one of several addresses: the next begins when one refuses, or is slow."""

from __future__ import annotations

import errno
import os
import select
import socket
from collections.abc import Sequence
from math import inf
from typing import Any, Final, TypeAlias

from bff import clock
from bff.forks import close_in_child

Address: TypeAlias = tuple[int, Any]
"""A family, and what `connect` takes there."""

STAGGER: Final = 0.25
"""Seconds that an address has for itself before the next is tried beside it (RFC 8305)."""
_UNDER_WAY = frozenset({errno.EINPROGRESS, errno.EALREADY, errno.EWOULDBLOCK})


class Dial:
    """Connects to the first of some addresses that answers; `due` (monotonic) is when the next one is tried.

    `winner` is the one that did, `losers` are those that were tried before it, or refused, `trying` those under way.
    """

    def __init__(self, addresses: Sequence[Address]) -> None:
        self.winner: Address | None = None
        self.losers: list[Address] = []
        self._left = list(addresses[::-1])
        self.trying: dict[socket.socket, Address] = {}
        self._errors = [OSError(errno.EADDRNOTAVAIL, "no address")]
        self.due = 0.0

    def go_on(self) -> socket.socket | None:
        """A connected socket, None while there is none; raises the last OSError when every address has refused."""
        while True:
            for sock in list(self.trying):
                try:
                    sock.getpeername()
                except OSError:  # not yet, or never
                    if error := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                        self._failed(sock, OSError(error, os.strerror(error)))
                else:
                    self.winner = self.trying.pop(sock)
                    if self.trying:
                        self.losers += self.trying.values()
                        self.close()
                    return sock
            now = clock.monotonic()
            if not self._left or (self.trying and now < self.due):
                break
            self._begin(self._left.pop())
            self.due = now + STAGGER
        if not self._left:
            self.due = inf
            if not self.trying:
                raise self._errors.pop()  # which nothing holds then but who catches it
        return None

    def interests(self) -> list[tuple[int, int]]:
        """The descriptors whose news `go_on` waits for."""
        return [(sock.fileno(), select.POLLOUT) for sock in self.trying]

    def close(self) -> None:
        while self.trying:
            self.trying.popitem()[0].close()

    def _begin(self, address: Address) -> None:
        family, place = address
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:
            self._errors.append(error)
            self.losers.append(address)
            return
        self.trying[sock] = address
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            code = sock.connect_ex(place)
        except OSError as error:
            self._failed(sock, error)
            return
        close_in_child(sock)
        if code and code not in _UNDER_WAY:
            self._failed(sock, OSError(code, os.strerror(code)))

    def _failed(self, sock: socket.socket, error: OSError) -> None:
        self._errors.append(error)
        self.losers.append(self.trying.pop(sock))
        sock.close()
