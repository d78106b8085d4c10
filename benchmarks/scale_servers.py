"""Servers that hold many pages at once: a fixed number of them, or as many as an autoscaler wants.

Each is one core that pages use one after the other, and threads that hold a page until it is there. A perfect balancer
keeps pages that find no free thread, in order, and gives them to whoever has the fewest.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.scale_autoscaler import TICK_S, ZERO_GRACE_S, Autoscaler
from benchmarks.scale_functions import Outcome
from benchmarks.scale_prices import rounded_up

_DONE, _READY, _TICK, _LOOK = range(4)
_ABSENT = 1 << 30
_BILLED_STEP_S = 0.1


@dataclass(frozen=True)
class Server:
    """What one instance is: seconds of its core for a page, seconds beside that, threads, seconds to start."""

    core_s: float
    delay_s: float
    threads: int
    start_s: float = 0.0


class Fleet:
    """One simulation; `fixed` servers run from the beginning, or an autoscaler begins with none."""

    def __init__(
        self, server: Server, patience_s: float, *, fixed: int = 0, scaler: Autoscaler | None = None
    ) -> None:
        places = scaler.most if scaler else fixed
        self.server, self.patience_s, self.scaler = server, patience_s, scaler
        self.outcome = Outcome()
        self.under_way = [0 if place < fixed else _ABSENT for place in range(places)]
        self.core_free = [0.0] * places
        self.busy_since = [0.0] * places
        self.billed_until = [0.0] * places
        self.queue: deque[float] = deque()
        self.events: list[tuple[float, int, int]] = []
        self.starting: set[int] = set()
        self.inside = 0
        self.area = self.last = self.used = 0.0

    def run(self, arrivals: Sequence[float], every: float) -> Outcome:
        """Serve visitors who come at these times; who waits too long for a thread is told 503 then."""
        self._at(every, _LOOK)
        if self.scaler:
            self._at(TICK_S, _TICK)
        for now in arrivals:
            while self.events[0][0] <= now:
                self._event(every)
            self._pass(now)
            if not self.inside:
                self._wake(now)
            self.inside += 1
            self.queue.append(now)
            self._dispatch(now)
            if self.queue and self.starting:
                self.outcome.met += 1
        while self.inside:
            self._event(every)
        self._look()
        return self.outcome

    def _at(self, time: float, kind: int, place: int = 0) -> None:
        heapq.heappush(self.events, (time, kind, place))

    def _pass(self, now: float) -> None:
        self.area += (now - self.last) * self.inside
        self.last = now

    def _event(self, every: float) -> None:
        now, kind, place = heapq.heappop(self.events)
        self._pass(now)
        if kind == _DONE:
            self.inside -= 1
            self.used = now
            self.under_way[place] -= 1
            if not self.under_way[place]:
                self._bill(place, now)
        elif kind == _READY:
            self.starting.discard(place)
            self.under_way[place] = 0
            self.core_free[place] = now
        elif kind == _TICK:
            self._tick(now)
            self._at(now + TICK_S, _TICK)
        else:
            self._look()
            self._at(now + every, _LOOK)
        if self.queue:
            self._dispatch(now)

    def _dispatch(self, now: float) -> None:
        queue, under_way, server = self.queue, self.under_way, self.server
        while queue and now - queue[0] > self.patience_s:
            queue.popleft()
            self.inside -= 1
            self.outcome.failed += 1
        while queue:
            least = min(under_way)
            if least >= server.threads:
                return
            place = under_way.index(least)
            if not least:
                self.busy_since[place] = max(now, self.billed_until[place])
            under_way[place] = least + 1
            begin = max(now, self.core_free[place])
            self.core_free[place] = begin + server.core_s
            end = self.core_free[place] + server.delay_s
            self.outcome.visits.append((place, queue.popleft(), now, end))
            heapq.heappush(self.events, (end, _DONE, place))

    def _bill(self, place: int, now: float) -> None:
        """An instance is paid for while it has a request, in whole steps."""
        spent = rounded_up(max(0.0, now - self.busy_since[place]), _BILLED_STEP_S)
        self.outcome.billed_s += spent
        self.billed_until[place] = self.busy_since[place] + spent

    def _ready(self) -> int:
        return sum(load != _ABSENT for load in self.under_way)

    def _look(self) -> None:
        self.outcome.instances.append(self._ready() + len(self.starting))
        self.outcome.most = max(self.outcome.most, self.outcome.instances[-1])

    def _wake(self, now: float) -> None:
        if self.scaler and not self._ready() and not self.starting:
            self.scaler.wake(now, self.area)
            self._scale(now, 1)

    def _tick(self, now: float) -> None:
        assert self.scaler is not None
        ready = self._ready()
        if ready or self.starting:
            self._scale(now, self.scaler.desired(now, self.area, ready))

    def _scale(self, now: float, wanted: int) -> None:
        """Start what is missing, take away idle instances that are too many; the last one stays for a grace."""
        there = self._ready() + len(self.starting)
        absent = (place for place, load in enumerate(self.under_way) if load == _ABSENT)
        for place in [place for place in absent if place not in self.starting][: max(0, wanted - there)]:
            self.starting.add(place)
            self.outcome.starts += 1
            self.outcome.billed_s += rounded_up(self.server.start_s, _BILLED_STEP_S)
            self._at(now + self.server.start_s, _READY, place)
        self.outcome.most = max(self.outcome.most, there, min(wanted, len(self.under_way)))
        least = 0 if now - self.used >= ZERO_GRACE_S else 1
        idle = [place for place, load in enumerate(self.under_way) if load == 0]
        for place in idle[: max(0, there - max(wanted, least))]:
            self.under_way[place] = _ABSENT


def servers_for(rate: float, pages_per_s: float, busy: float) -> int:
    """Servers that carry this rate at such a share of what they could, two at least."""
    return max(2, math.ceil(rate / pages_per_s / busy))
