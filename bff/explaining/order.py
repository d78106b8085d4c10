"""What starts at once, and what each other step waits for and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from bff.explaining.subject import Subject
from bff.plan.model import PlannedRequest

Why = Literal["reads", "above", "below"]
_WORDS: dict[Why, str] = {
    "reads": "waits for {}, which it reads",
    "below": "waits for {}, the write above it",
    "above": "waits for {}: a write waits for what is required above it",
}


class Wait(Struct, frozen=True):
    """The steps that one waits for, for the same reason."""

    names: tuple[str, ...]
    why: Why

    def __str__(self) -> str:
        return _WORDS[self.why].format(", ".join(self.names))


def first_steps(subject: Subject) -> tuple[str, ...]:
    """The steps that start at once, in the order written."""
    return tuple(step.name for step in subject.plan.steps if not subject.plan.waits_for[step.name])


def waits_of(subject: Subject, name: str) -> tuple[Wait, ...]:
    """What a step waits for, each reason once."""
    found: dict[Why, list[str]] = {}
    for other in subject.plan.steps:
        if other.name in subject.plan.waits_for[name]:
            found.setdefault(_why(subject, name, other.name), []).append(other.name)
    return tuple(Wait(tuple(found[why]), why) for why in _WORDS if why in found)


def _why(subject: Subject, name: str, other: str) -> Why:
    if other in subject.graph.reads[name]:
        return "reads"
    awaited = subject.step(other)
    return "below" if isinstance(awaited, PlannedRequest) and awaited.writes else "above"


def order_rows(subject: Subject) -> Iterator[tuple[str, str]]:
    """The lines of what starts when: what starts at once, then each other step."""
    first = first_steps(subject)
    yield "at once", ", ".join(first) or "nothing: this page asks nobody"
    for step in subject.plan.steps:
        conditions = list(_conditions(subject, step.name))
        waits = "; ".join(map(str, waits_of(subject, step.name)))
        if waits:
            conditions.insert(0, waits)
        if conditions:
            yield step.name, "; ".join(conditions)


def _conditions(subject: Subject, name: str) -> Iterator[str]:
    when = subject.recipe.step(name).when
    if when is not None:
        yield f"runs only when {' '.join(when.written.split())}"
    if name in subject.plan.deferred:
        yield "a page in lines goes out before it"
