"""What a run of a page gives: the values of its steps, and what failed on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

from msgspec import Struct, field

from bff.errors import Failure
from bff.executor.idempotency import KeySource
from bff.executor.writes import Writes
from bff.expressions import Evaluation
from bff.http import Calls
from bff.http.freshness import Allowed
from bff.identity import ANYBODY, Visitor
from bff.identity.recent_writes import NO_RECENT_WRITES, RecentWrites

Outcome = Literal[
    "ok",
    "stale",  # an old reply stands in for one that could not be had
    "skipped",
    "fallback",
    "failed",
]
ANSWERED: frozenset[Outcome] = frozenset({"ok", "stale"})


class RunContext(Struct, frozen=True):
    """What a run is given beside its plan: who asks, by when (monotonic), how JSON bodies are made, the bounds.

    `afresh` gives the budgets of expressions that run, until a time, when a page's own may be used up; `written` is
    what the visitor wrote lately, and must not see the old state of; `forwarded` are headers that say by which way
    they came.
    """

    deadline: float
    encode: Callable[[Any], bytes]
    visitor: Visitor = ANYBODY
    max_each: int = 100
    keys: KeySource = field(default_factory=KeySource)
    afresh: Callable[[float], Evaluation] = lambda until: Evaluation(deadline=until)
    written: RecentWrites = NO_RECENT_WRITES
    forwarded: tuple[tuple[str, str], ...] = ()


class StepTrace(Struct):
    """How one step went; times are `clock.monotonic()` seconds. `failure` is the first of it, if there was one."""

    name: str
    begun: float
    ended: float = 0.0
    outcome: Outcome = "ok"
    requests: int = 0
    failure: Failure | None = None

    @property
    def milliseconds(self) -> float:
        return (self.ended - self.begun) * 1000


SAY_SO = frozenset({"cache-control", "expires", "pragma"})
"""The headers by which a reply says how long it may be kept."""


class Keeping(Struct):
    """How long and for whom an answer may be kept, as far as the backends' replies in it allow.

    `max_age` is in seconds, None where no backend said anything.
    """

    max_age: float | None = None
    private: bool = False
    no_store: bool = False

    def limit(self, says: Allowed) -> None:
        """Take in what one reply allows."""
        if says.scope:
            self.private = self.private or says.scope == "private"
            self.no_store = self.no_store or says.scope == "no-store"
        if says.fresh is not None and (self.max_age is None or says.fresh < self.max_age):
            self.max_age = says.fresh


class Results(Struct, frozen=True):
    """What a run gives: `scope` holds every name that the shape may read, `failures` why a step has no new value.

    `partial` names the steps that make the page partial, `stale` those for which an old reply stands in. Where the page
    goes on, `pending` names its parts that are still to come: what waits for them is not in `scope`.
    """

    scope: Mapping[str, Any]
    failures: tuple[Failure, ...]
    partial: tuple[str, ...]
    stale: tuple[str, ...] = ()
    keeping: Keeping = field(default_factory=Keeping)
    pending: tuple[str, ...] = ()


class Run(Protocol):
    """What a step sees of the run that it is a part of."""

    scope: dict[str, Any]
    calls: Calls
    evaluation: Evaluation
    context: RunContext
    keeping: Keeping
    writes: Writes
