"""What wakes a thread that polls sockets when another thread has something for it."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

_SIGNAL = (1).to_bytes(8, sys.byteorder)


class Wakeup:
    """A descriptor that becomes readable when any thread puts something.

    It lives as long as anybody knows it: its number cannot become another file's while a thread may still write to it.
    """

    def __init__(self) -> None:
        if hasattr(os, "eventfd"):
            self._read = self._write = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        else:
            self._read, self._write = os.pipe()
            os.set_blocking(self._read, False)
            os.set_blocking(self._write, False)

    def fileno(self) -> int:
        return self._read

    def put(self, item: None, /) -> None:
        """Wakes its thread, now or when it waits next."""
        with suppress(BlockingIOError):  # it is full of signals, which is as good
            os.write(self._write, _SIGNAL)

    def clear(self) -> None:
        """Forgets the signals that have come."""
        with suppress(BlockingIOError):
            os.read(self._read, 4096)

    def __del__(self) -> None:
        for fd in {getattr(self, "_read", -1), getattr(self, "_write", -1)} - {-1}:
            with suppress(OSError):
                os.close(fd)


_own = threading.local()


def own_wakeup() -> Wakeup:
    """This thread's; made when it is first asked for."""
    wakeup: Wakeup | None = getattr(_own, "wakeup", None)
    if wakeup is None:
        wakeup = _own.wakeup = Wakeup()
    return wakeup


def _forget() -> None:
    _own.__dict__.clear()  # the parent would read what the child is told


os.register_at_fork(after_in_child=_forget)
