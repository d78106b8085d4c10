"""The clock of the layer, as a test moves it: nothing else stands still, and libraries read the real one."""

from __future__ import annotations

from datetime import UTC, datetime
from math import ceil

import pytest

from bff import clock
from tests.fakes import Received, Script, Wire, hang


class Clock:
    """Takes the place of the clocks of `bff.clock`, each of which stands where it is put, until `close`.

    `wall` alone is moved by a clock that is put forward or back, `thread_time` alone by a thread that computes.
    """

    def __init__(self) -> None:
        # Whole seconds, so that sums are exact, and none before what was made by the real clocks.
        self.monotonic = float(ceil(clock.monotonic()))
        self.wall = float(ceil(clock.wall()))
        self.thread_time = float(ceil(clock.thread_time()))
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(clock, "monotonic", lambda: self.monotonic)
        self._patch.setattr(clock, "wall", lambda: self.wall)
        self._patch.setattr(clock, "thread_time", lambda: self.thread_time)
        self._patch.setattr(clock, "now", lambda: datetime.fromtimestamp(self.wall, UTC))

    def close(self) -> None:
        """Gives the real clocks their place again."""
        self._patch.undo()

    def go_on(self, seconds: float) -> None:
        """Lets time pass for whoever waits."""
        self.go_on_to(self.monotonic + seconds)

    def go_on_to(self, moment: float) -> None:
        """Lets time pass until a moment (monotonic), if that is to come."""
        self.wall += max(0.0, moment - self.monotonic)
        self.monotonic = max(moment, self.monotonic)


def too_late(clock: Clock, seconds: float, script: Script = hang) -> Script:
    """A script whose caller's time is up once it has asked: none of that goes by on the way there."""

    def run(received: Received, wire: Wire) -> None:
        clock.go_on(seconds)
        script(received, wire)

    return run
