"""What a child of this process must not share with it: sockets, and what threads of the parent hold and owe.

A server that loads the app before it forks (`gunicorn --preload`) has served nobody then; one whose parent is warm has
idle threads, connections, and pages under way, none of which are in the child.

A lock of this module guards a few steps, so a fork takes it first, and what it guards is whole on both sides. Threads,
places, pages and requests under way, and connections are the parent's: whoever holds them begins anew in the child.
"""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from typing import Final, Protocol
from weakref import WeakSet, ref

_PATIENCE: Final = 1.0
"""Seconds that a fork waits for a lock: it is held for microseconds, but the thread that forks may hold it itself."""


class Renewable(Protocol):
    """Something that begins anew in a child."""

    def begin_anew(self) -> None: ...


_sockets: set[ref[socket.socket]] = set()
_others: WeakSet[Renewable] = WeakSet()
_locks: WeakSet[threading.Lock] = WeakSet()
_known = threading.Lock()
_held: list[threading.Lock] = []


def close_in_child(sock: socket.socket) -> None:
    """Has a socket closed in every child: the parent's goes on, and ends when the parent closes it."""
    _sockets.add(ref(sock, _sockets.discard))


def renew_in_child(one: Renewable) -> None:
    """Has something told to begin anew in every child."""
    _others.add(one)


def lock() -> threading.Lock:
    """A lock that a fork waits for, so that what it guards is whole in every child, and nobody holds it there.

    Only for a few steps that wait for nothing, and take no other such lock.
    """
    made = threading.Lock()
    with _known:
        _locks.add(made)
    return made


def _before() -> None:
    _known.acquire()
    _held.extend(one for one in _locks if one.acquire(timeout=_PATIENCE))


def _after() -> None:
    while _held:
        _held.pop().release()
    _known.release()


def _in_child() -> None:
    _after()
    for one in _sockets.copy():
        if (sock := one()) is not None:
            with suppress(OSError):
                sock.close()
    _sockets.clear()
    for other in list(_others):
        other.begin_anew()


os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_in_child)
