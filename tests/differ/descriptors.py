"""The descriptors that this process has open, as the system tells of them."""

from __future__ import annotations

import fcntl
import os
import socket
import stat
import struct
import termios
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Any

PATIENCE = 20.0
"""Seconds after which a wait that should end is given up: a failed test."""


def connections_to(ports: Collection[int]) -> set[int]:
    """Those that are connections to these ports, by the number that no other socket has."""
    found = set()
    for fd in _sockets():
        if _port(fd, socket.socket.getpeername) in ports:
            with suppress(OSError):
                found.add(os.fstat(fd).st_ino)
    return found


def unread(port: int) -> int:
    """The bytes that have come for the socket at a port and that nobody has read; 0 where there is none."""
    for fd in _sockets():
        if _port(fd, socket.socket.getsockname) == port:
            with suppress(OSError):
                return int(struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, b"\0" * 4))[0])
    return 0


def identities() -> Counter[str]:
    """What the descriptors are: sockets and pipes by the number that no other has, the rest by kind, counted."""
    found: Counter[str] = Counter()
    for name in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # that of this list
            found[os.readlink(f"/proc/self/fd/{name}")] += 1
    return found


def new_since(before: Counter[str]) -> list[str]:
    """Those that were not there before and stay: what is on its way out is waited for.

    Of the old ones some may be gone, since the collector ends what others have left.
    """
    until = time.monotonic() + PATIENCE
    while (found := identities() - before) and time.monotonic() < until:
        time.sleep(0.002)
    return sorted(found)


def _sockets() -> Iterator[int]:
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                yield int(name)


def _port(fd: int, asked: Callable[[socket.socket], Any]) -> int | None:
    """The port at one end of a connection; None for what is no connection, or is closed meanwhile."""
    with suppress(OSError), _borrowed(fd) as same:
        if same.family == socket.AF_INET:
            return int(asked(same)[1])
    return None


@contextmanager
def _borrowed(fd: int) -> Iterator[socket.socket]:
    """A socket that somebody else has: without a double, which would keep its connection open for a moment."""
    same = socket.socket(fileno=fd)
    try:
        yield same
    finally:
        same.detach()
