"""What a run of a page gives: the values of its steps, and what failed on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bff.errors import Failure
from bff.executor.idempotency import KeySource
from bff.expressions import Evaluation
from bff.identity import ANYBODY, Visitor

Outcome = Literal["ok", "skipped", "fallback", "failed"]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a run is given beside its plan: who asks, by when (monotonic), how JSON bodies are made, the bounds.

    `afresh` gives the budgets of expressions that run when a page's own may be used up.
    """

    deadline: float
    encode: Callable[[Any], bytes]
    visitor: Visitor = ANYBODY
    max_each: int = 100
    keys: KeySource = field(default_factory=KeySource)
    afresh: Callable[[], Evaluation] = Evaluation


@dataclass(slots=True)
class StepTrace:
    """How one step went; times are `time.monotonic()` seconds."""

    name: str
    begun: float
    ended: float = 0.0
    outcome: Outcome = "ok"
    requests: int = 0

    @property
    def milliseconds(self) -> float:
        return (self.ended - self.begun) * 1000


@dataclass(frozen=True, slots=True)
class Results:
    """`scope` holds every name that the shape may read; `partial` names the steps that make the page partial.

    Where the page goes on, `pending` names its parts that are still to come: what waits for them is not in `scope`.
    """

    scope: Mapping[str, Any]
    failures: tuple[Failure, ...]
    partial: tuple[str, ...]
    pending: tuple[str, ...] = ()
