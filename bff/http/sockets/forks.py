"""What a child of this process must not share with it: sockets, and locks that a thread of the parent holds."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import Protocol
from weakref import WeakSet


class Forgetful(Protocol):
    """Something that begins anew in a child."""

    def forget(self) -> None: ...


_sockets: WeakSet[socket.socket] = WeakSet()
_others: WeakSet[Forgetful] = WeakSet()


def close_in_child(sock: socket.socket) -> None:
    """Has a socket closed in every child: the parent's goes on, and ends when the parent closes it."""
    _sockets.add(sock)


def forget_in_child(one: Forgetful) -> None:
    """Has something told to begin anew in every child."""
    _others.add(one)


def _in_child() -> None:
    for sock in list(_sockets):
        with suppress(OSError):
            sock.close()
    _sockets.clear()
    for one in list(_others):
        one.forget()


os.register_at_fork(after_in_child=_in_child)
