"""Fair turns: of all pages that could go on, one does, in the order in which they came to be able to.

Python runs one thread at a time anyway, but which one is a matter of luck: with two hundred pages under way some are
passed over again and again. A page that waits for its backends is out of the queue. In turns the slowest of a hundred
takes half as long (200 pages in one process on one core: 310 to 430 ms instead of 640), at the same rate. Who neither
ends nor waits, such as a function of the project that computes for long or asks something by itself, keeps others
back for 20 ms and no longer. Views by hand and bodies that go through are outside of it, and a Python without that
lock has no turns.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final, TypeVar

from bff import clock

Result = TypeVar("Result")

STUCK: Final = 0.02
"""Seconds after which a turn is taken from a thread that neither ends nor waits for its backends."""
_EACH: Final = 0.005
"""Seconds of a turn, at most, where nothing is wrong."""


class _Place:
    """A thread's place in the queue."""

    __slots__ = ("gate", "has_turn")

    def __init__(self) -> None:
        self.gate = threading.Lock()
        self.gate.acquire()
        self.has_turn = False


class Turns:
    """Whose turn it is; any thread may ask.

    Who has a turn leaves it while it waits for something. Who forgets that, as a function of a project may, keeps
    others back for `STUCK` seconds and no longer: then the next thread goes on beside it.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begins anew: a child of this process has none of the threads that wait here."""
        self._lock = threading.Lock()
        self._queue: deque[_Place] = deque()
        self._turn: _Place | None = None
        self._since = 0.0
        self._own = threading.local()

    def take(self) -> bool:
        """Waits for a turn; False where this thread has one already, and must not give it back then."""
        place: _Place | None = getattr(self._own, "place", None)
        if place is None:
            place = self._own.place = _Place()
        if place.has_turn:
            return False
        place.has_turn = True
        with self._lock:
            if self._turn is None:
                self._turn, self._since = place, clock.monotonic()
                return True
            self._queue.append(place)
            self._pass_on_if_stuck()
            # Whoever comes looks, so that those who wait need not wake up for it as long as others come.
            patience = STUCK + len(self._queue) * _EACH
        while not place.gate.acquire(timeout=patience):
            with self._lock:
                self._pass_on_if_stuck()
        return True

    def give(self) -> bool:
        """Ends this thread's turn; False where it has none."""
        place: _Place | None = getattr(self._own, "place", None)
        if place is None or not place.has_turn:
            return False
        place.has_turn = False
        with self._lock:
            if self._turn is place:  # else it took too long, and another has it now
                if self._queue:
                    self._pass_on()
                else:
                    self._turn = None
        return True

    def within(self, work: Callable[[], Result]) -> Result:
        """What some work gives, done in a turn."""
        taken = self.take()
        try:
            return work()
        finally:
            if taken:
                self.give()

    def outside(self, wait: Callable[..., Result], *arguments: Any) -> Result:
        """What a wait gives; meanwhile others have the turn of this thread, if it has one."""
        place: _Place | None = getattr(self._own, "place", None)
        if place is None or not place.has_turn:
            return wait(*arguments)
        with self._lock:
            if self._queue or self._turn is not place:
                self._give_later(place)
            else:
                self._turn = None
        place.has_turn = False
        try:
            return wait(*arguments)
        finally:
            with self._lock:
                is_free = self._turn is None
                if is_free:
                    self._turn, self._since, place.has_turn = place, clock.monotonic(), True
            if not is_free:
                self.take()

    def _give_later(self, place: _Place) -> None:
        """Passes a turn on, if this place has it still: one that took too long has lost it to another."""
        if self._turn is place:
            self._pass_on()

    def _pass_on(self) -> None:
        self._turn = self._queue.popleft()
        self._since = clock.monotonic()
        self._turn.gate.release()

    def _pass_on_if_stuck(self) -> None:
        if self._queue and clock.monotonic() - self._since >= STUCK:
            self._pass_on()


class NoTurns(Turns):
    """Everybody goes on at once: for a Python whose threads run side by side."""

    def take(self) -> bool:
        return False

    def give(self) -> bool:
        return False


def _turns() -> Turns:
    is_one_at_a_time = getattr(sys, "_is_gil_enabled", lambda: True)()
    return Turns() if is_one_at_a_time else NoTurns()


TURNS: Final = _turns()
"""Those of this process: what they share out is its one interpreter."""
os.register_at_fork(after_in_child=TURNS.forget)
