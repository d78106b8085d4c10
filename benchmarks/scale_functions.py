"""A host with one request at a time in each instance, which starts another for a request that finds none idle."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.scale_prices import rounded_up


@dataclass
class Outcome:
    """What became of the visitors of one burst."""

    visits: list[tuple[int, float, float, float]] = field(default_factory=list)
    """Of each page: its instance, when it was asked for, when its instance began with it, when it was there."""
    failed: int = 0
    starts: int = 0
    met: int = 0
    """Visitors who waited for a start."""
    billed_s: float = 0.0
    instances: list[int] = field(default_factory=list)
    """How many there were, starting ones too, at the end of each `every`."""
    most: int = 0


@dataclass(frozen=True)
class Limits:
    """Requests at once; new instances at once, which come back at `refill_per_s`; how long idle ones are kept."""

    concurrency: int
    scaling: float
    refill_per_s: float
    keep_s: float


def simulate(
    arrivals: Sequence[float], page_s: float, first_s: float, boot_s: float, limits: Limits, every: float
) -> Outcome:
    """Serve visitors who come at these times; what may neither be served nor started is told 429 at once.

    A first page takes `boot_s`, which is not billed, and `first_s`; any other `page_s`.
    """
    outcome = Outcome()
    busy: list[tuple[float, int]] = []
    idle: deque[tuple[float, int]] = deque()
    allowed, filled, look = limits.scaling, 0.0, every

    def until(now: float) -> None:
        while busy and busy[0][0] <= now:
            idle.append(heapq.heappop(busy))
        while idle and idle[0][0] < now - limits.keep_s:
            idle.popleft()

    warm_billed, first_billed = rounded_up(page_s, 0.001), rounded_up(first_s, 0.001)
    for now in arrivals:
        while look <= now:
            until(look)
            outcome.instances.append(len(busy) + len(idle))
            look += every
        until(now)
        if idle:
            # The one that was idle for the shortest time, so that the others may go.
            _, instance = idle.pop()
            begin, end = now, now + page_s
            outcome.billed_s += warm_billed
        else:
            allowed = min(limits.scaling, allowed + (now - filled) * limits.refill_per_s)
            filled = now
            if allowed < 1 or len(busy) >= limits.concurrency:
                outcome.failed += 1
                continue
            allowed -= 1
            instance = outcome.starts
            outcome.starts += 1
            outcome.met += 1
            begin, end = now + boot_s, now + boot_s + first_s
            outcome.billed_s += first_billed
        heapq.heappush(busy, (end, instance))
        outcome.visits.append((instance, now, begin, end))
        outcome.most = max(outcome.most, len(busy) + len(idle))
    until(look)
    outcome.instances.append(len(busy) + len(idle))
    return outcome
