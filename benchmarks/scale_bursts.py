"""The loads of the simulation: rates over time, and visitors that come at random at these rates."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

HOUR = 3600.0


@dataclass(frozen=True)
class Burst:
    """Pieces of seconds and pages per second; it comes once in `billed_s`, for which what always runs is paid."""

    name: str
    title: str
    pieces: tuple[tuple[float, float], ...]
    billed_s: float = HOUR

    @property
    def seconds(self) -> float:
        return sum(seconds for seconds, _ in self.pieces)

    @property
    def peak(self) -> float:
        return max(rate for _, rate in self.pieces)

    def arrivals(self, seed: int = 1) -> list[float]:
        """When visitors come, in seconds from the start and in order: a Poisson process."""
        return list(_arrivals(self.pieces, random.Random(seed)))


def _arrivals(pieces: tuple[tuple[float, float], ...], chance: random.Random) -> Iterator[float]:
    begin = 0.0
    for seconds, rate in pieces:
        end = begin + seconds
        # Gaps have no memory, so each piece may begin its own.
        now = begin - math.log(1 - chance.random()) / rate if rate else end
        while now < end:
            yield now
            now -= math.log(1 - chance.random()) / rate
        begin = end


def step(rate: int, seconds: float = 30.0) -> Burst:
    """From nothing to the rate at once."""
    return Burst(f"step-{rate}", f"0 → {rate:,} pages/s, {seconds:g} s", ((seconds, float(rate)),))


def _ramp(rate: int, seconds: int) -> Burst:
    pieces = tuple((1.0, rate * (second + 0.5) / seconds) for second in range(seconds))
    return Burst(f"ramp-{rate}", f"0 → {rate:,} pages/s, rising for {seconds} s", pieces)


def _spiky_day() -> Burst:
    """A quiet night, a page a second by day, and in each of its 16 hours half a minute of 200 pages a second."""
    night, spike = (8 * HOUR, 0.02), (30.0, 200.0)
    day = ((HOUR / 2, 1.0), spike, (HOUR / 2 - 30, 1.0)) * 16
    return Burst("spiky-day", "a spiky day: 16 × 200 pages/s", (night, *day), billed_s=24 * HOUR)


BURSTS = (step(100), step(1000), step(10_000), _ramp(10_000, 60), _spiky_day())
