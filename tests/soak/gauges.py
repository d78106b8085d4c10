"""Memory and file descriptors of a process and its children while a run lasts, and whether they grow."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

MIB = 1024 * 1024
GROWTH_PER_MINUTE = {"memory": 1.5 * MIB, "descriptors": 6.0}
"""How much of each may be gained in a minute, by the line that fits the samples best."""
WARM_UP = 60.0
"""Seconds at first that do not count, and never less than half of the run: code is used for the first time, and pools
and threads grow with the first faults of each kind. What leaks goes on growing."""
LEAST = 60.0
"""Seconds after the warm-up that are needed to tell growth from noise."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Seconds (monotonic), bytes of memory and file descriptors, children among them."""

    at: float
    memory: float
    descriptors: float


@dataclass
class Gauges:
    """Samples a process once a second in a thread of its own."""

    pid: int
    samples: list[Sample] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(1.0):
            self.samples.append(sample(self.pid))


def sample(pid: int) -> Sample:
    """A process and its children now."""
    pids = [pid, *_children(pid)]
    page = os.sysconf("SC_PAGE_SIZE")
    memory = sum(int(Path(f"/proc/{one}/statm").read_text().split()[1]) * page for one in pids)
    return Sample(time.monotonic(), memory, sum(len(os.listdir(f"/proc/{one}/fd")) for one in pids))


def _children(pid: int) -> list[int]:
    direct = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return direct + [below for one in direct for below in _children(one)]


def growth_per_minute(samples: Sequence[Sample], gauge: str) -> float | None:
    """The slope of the line of least squares through the samples after the warm-up; None for too short a run."""
    warm_up = max(WARM_UP, (samples[-1].at - samples[0].at) / 2) if samples else WARM_UP
    counted = [one for one in samples if one.at >= samples[0].at + warm_up]
    if not counted or counted[-1].at - counted[0].at < LEAST:
        return None
    times = [one.at / 60 for one in counted]
    values: list[float] = [getattr(one, gauge) for one in counted]
    middle, mean = sum(times) / len(times), sum(values) / len(values)
    spread = sum((at - middle) ** 2 for at in times)
    return sum((at - middle) * (value - mean) for at, value in zip(times, values, strict=True)) / spread


def growing(samples: Sequence[Sample]) -> list[str]:
    """What grows by more than it may, in words."""
    found = []
    for gauge, bound in GROWTH_PER_MINUTE.items():
        slope = growth_per_minute(samples, gauge)
        if slope is not None and slope > bound:
            unit = MIB if gauge == "memory" else 1
            found.append(f"{gauge} grows by {slope / unit:.2f} a minute, at most {bound / unit:g} may be")
    return found
