"""Tells the load balancer that this process is about to stop, from the moment that its server is told."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType


def on_stop(tell: Callable[[], None]) -> None:
    """Call `tell` when SIGTERM comes, before the server's own handler of it.

    Only where a server set its handler before it loaded the app, and only from the main thread, as Python wants it:
    elsewhere the server stops taking connections by itself, and nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    before = signal.getsignal(signal.SIGTERM)
    if not callable(before):
        return

    def tell_first(number: int, frame: FrameType | None) -> None:
        tell()
        before(number, frame)

    signal.signal(signal.SIGTERM, tell_first)
