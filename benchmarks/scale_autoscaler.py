"""Knative's autoscaler by its documented defaults: how many instances there should be for so many requests under way.

https://knative.dev/docs/serving/autoscaling/kpa-specific/ and config-autoscaler of knative/serving, stored copies read
on 2026-11-23.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

TICK_S = 2.0
STABLE_S, PANIC_S = 60.0, 6.0
TARGET_SHARE = 0.7
PANIC_TIMES = 2.0
MAX_UP, MAX_DOWN = 1000.0, 2.0
ZERO_GRACE_S = 30.0


@dataclass
class Autoscaler:
    """Asked every TICK_S with the integral of requests under way over time, in request-seconds from the start."""

    target: float
    """Requests at once in an instance that it aims at."""
    most: int
    panic_since: float | None = None
    panic_most: int = 0
    seen: deque[tuple[float, float]] = field(default_factory=deque)

    def desired(self, now: float, area: float, ready: int) -> int:
        """Instances that there should be; it never wants fewer while it panics."""
        self.seen.append((now, area))
        while len(self.seen) > 1 and self.seen[1][0] <= now - STABLE_S:
            self.seen.popleft()
        up = math.ceil(MAX_UP * max(1, ready))
        down = math.floor(ready / MAX_DOWN)
        stable = min(max(math.ceil(self._average(now, STABLE_S) / self.target), down), up)
        panicking = math.ceil(self._average(now, PANIC_S) / self.target)
        if panicking / max(1, ready) >= PANIC_TIMES:
            self.panic_since = now
        elif self.panic_since is not None and now - self.panic_since > STABLE_S:
            self.panic_since, self.panic_most = None, 0
        if self.panic_since is None:
            return min(stable, self.most)
        self.panic_most = max(self.panic_most, stable, min(max(panicking, down), up))
        return min(self.panic_most, self.most)

    def wake(self, now: float, area: float) -> None:
        """The first request after there was nothing: averages begin here."""
        self.seen.clear()
        self.seen.append((now, area))

    def _average(self, now: float, window: float) -> float:
        """Requests under way, over the window or since the first one."""
        at, area = next(one for one in self.seen if one[0] >= now - window - 1e-9)
        last = self.seen[-1][1]
        return (last - area) / (now - at) if now > at else 0.0
