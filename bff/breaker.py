"""A circuit breaker: a backend or a store that fails is spared for a while, and pages do not wait for it.

It is ours: pybreaker (1.4) holds its lock for as long as a call takes, so that the calls to one backend
would run one after another; circuitbreaker (2.1) has no lock and lets everybody through when half open. Both count
failures in a row only, and both wrap a function, where a try here begins in one turn of the loop and ends in another.
Ours is 150 lines: a permit for each try, which counts only in the state that gave it out.

It counts pages, not calls: whoever makes one page fail, with a hundred calls in it, has made one failure.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable
from operator import itemgetter
from typing import Literal

from msgspec import Struct

from bff import clock, forks
from bff.text import parse_duration

_REMEMBERED = 200
_FAILED = itemgetter(1)


class Breaker(Struct, frozen=True):
    """When a client stops asking its backend, and for how long.

    It stops after `failures` failures in a row, or when more than the share `rate` of at least `least` outcomes
    within `window` were failures; then it rests for `rest`, half of it more or less, and lets one request through
    to try.
    """

    failures: int = 10
    rate: float = 0.5
    least: int = 20
    window: str = "10s"
    rest: str = "3s"

    def __post_init__(self) -> None:
        for name in ("failures", "least"):
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= _REMEMBERED:
                raise ValueError(f"{name}={value!r} must be a whole number from 1 to {_REMEMBERED}")
        if not isinstance(self.rate, int | float) or not 0 < self.rate <= 1:
            raise ValueError(f"rate={self.rate!r} must be a number above 0, at most 1")
        for name in ("window", "rest"):
            value = getattr(self, name)
            if not isinstance(value, str) or not parse_duration(value):
                raise ValueError(f"{name}={value!r} is no duration: write it like '300ms', '2s' or '1m'")


class Circuit:
    """The breaker of one client or store in this process. Thread-safe.

    Each try asks `enter` for a permit and gives it back with what came of it. A permit counts only in the state
    that gave it out: what began before the backend was spared says nothing about it afterwards. Without rules it
    never opens.
    """

    def __init__(
        self,
        rules: Breaker | None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._rules = rules
        self._window = 0.0 if rules is None else parse_duration(rules.window) or 0.0
        self._rest = 0.0 if rules is None else parse_duration(rules.rest) or 0.0
        self._jitter = jitter
        self._lock = forks.lock()
        self._state: Literal["closed", "open", "trying"] = "closed"
        self._permit = 0
        self.closed = True
        self.standing: int | None = 0
        """The permit of every try while the circuit is closed; None while `enter` is to be asked."""
        self._until = 0.0
        self._in_a_row = 0
        self._outcomes: deque[tuple[float, bool]] = deque(maxlen=_REMEMBERED)
        self._blamed: object = None

    @property
    def may_open(self) -> bool:
        """Whether there are rules by which the backend is spared at all."""
        return self._rules is not None

    @property
    def retry_after(self) -> int:
        """Whole seconds after which asking may help, at least 1."""
        return max(1, math.ceil(self._until - clock.monotonic()))

    def enter(self, until: float) -> int | None:
        """A permit for a try that ends by `until` (monotonic), None when the backend is not to be asked."""
        with self._lock:
            if self._state == "closed":
                return self._permit
            if clock.monotonic() < self._until:
                return None
            # Nobody is trying, or who did has never told: this one tries, and no other before its end.
            self._change("trying", until)
            return self._permit

    def succeeded(self, permit: int) -> bool:
        """The backend answered, whatever it thought of the request; says whether that closed the circuit."""
        with self._lock:
            if permit != self._permit:
                return False
            closes = self._state == "trying"
            if closes:
                self._change("closed", 0.0)
            self._in_a_row = 0
            self._outcomes.append((clock.monotonic(), False))
            return closes

    def failed(self, permit: int, blamed: object = None) -> float | None:
        """The backend failed; gives the seconds for which it will not be asked, if that opened the circuit.

        `blamed` is the visitor whose request may be what made it fail: theirs count once in a row.
        """
        with self._lock:
            if permit != self._permit or self._rules is None:
                return None
            if self._state == "closed":
                if blamed is not None and blamed == self._blamed:
                    return None
                self._blamed = blamed
                self._in_a_row += 1
                self._outcomes.append((clock.monotonic(), True))
                if self._in_a_row < self._rules.failures and (
                    len(self._outcomes) < self._rules.least or not self._too_many_failed(self._rules)
                ):
                    return None
            rest = self._rest * (0.5 + self._jitter())
            self._change("open", clock.monotonic() + rest)
            return rest

    def left(self, permit: int) -> None:
        """The try was given up and says nothing; where it was the one to try, the next may."""
        with self._lock:
            if permit == self._permit and self._state == "trying":
                self._change("open", clock.monotonic())

    def _too_many_failed(self, rules: Breaker) -> bool:
        since = clock.monotonic() - self._window
        while self._outcomes and self._outcomes[0][0] < since:
            self._outcomes.popleft()
        failed = sum(map(_FAILED, self._outcomes))
        return len(self._outcomes) >= rules.least and failed > rules.rate * len(self._outcomes)

    def _change(self, state: Literal["closed", "open", "trying"], until: float) -> None:
        self._state, self._until, self.closed = state, until, state == "closed"
        self._permit += 1
        self.standing = self._permit if state == "closed" else None
        self._in_a_row = 0
        self._blamed = None
        self._outcomes.clear()
