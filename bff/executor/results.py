"""What a run of a page gives: the values of its steps, and what failed on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bff.errors import Failure
from bff.identity import ANYBODY, Visitor

Outcome = Literal["ok", "skipped", "fallback", "failed"]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a run is given beside its plan: who asks, by when (monotonic), how JSON bodies are made, the bounds."""

    deadline: float
    encode: Callable[[Any], bytes]
    visitor: Visitor = ANYBODY
    max_each: int = 100


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


@dataclass(slots=True)
class Writes:
    """What became of the writes of a page, by step name in the order written."""

    done: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def members(self) -> dict[str, list[str]]:
        """The members of the problem that ends a page after it has written; empty when nothing was sent."""
        if not self.done and not self.unknown:
            return {}
        return {"done": self.done, "unknown": self.unknown}


@dataclass(frozen=True, slots=True)
class Results:
    """`scope` holds every name that the shape may read; `partial` names the steps that make the page partial."""

    scope: Mapping[str, Any]
    failures: tuple[Failure, ...]
    partial: tuple[str, ...]
