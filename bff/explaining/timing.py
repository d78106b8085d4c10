"""How long each step may take, which steps make the page late, and where its time can run out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from msgspec import Struct

from bff.executor import UNDO_DEADLINE
from bff.explaining.amounts import requests_of
from bff.explaining.rounds import how_timed, time_of_item
from bff.explaining.subject import Subject, way_of
from bff.explaining.words import duration
from bff.plan.model import PlannedRequest


class Timed(Struct, frozen=True):
    """When a step begins and ends at the latest, in seconds; `after` is the step that it waits longest for."""

    name: str
    takes: float
    begins: float
    after: str | None

    @property
    def ends(self) -> float:
        return round(self.begins + self.takes, 3)  # 100ms and 200ms are 300ms


def timed(subject: Subject) -> Mapping[str, Timed]:
    """The time of each step if all take as long as they may; only requests take time."""
    found: dict[str, Timed] = {}
    waiting = [step.name for step in subject.plan.steps]
    while waiting:
        for name in waiting:
            awaited = [found[other] for other in subject.plan.waits_for[name] if other in found]
            if len(awaited) == len(subject.plan.waits_for[name]):
                last = max(awaited, key=lambda one: (one.ends, subject.plan.places[one.name]), default=None)
                begins, after = (0.0, None) if last is None else (last.ends, last.name)
                found[name] = Timed(name, _takes(subject, name), begins, after)
        waiting = [name for name in waiting if name not in found]
    return {step.name: found[step.name] for step in subject.plan.steps}


def _takes(subject: Subject, name: str) -> float:
    """Seconds that a step may take: its time-out, which all tries share, for each round of an `each`.

    What is asked again has the time of all its requests in place of that.
    """
    step = subject.step(name)
    if not isinstance(step, PlannedRequest):
        return 0.0
    in_turn = step.batch_size is not None and step.writes
    rounds = math.ceil(requests_of(subject, step).most / step.concurrency) if step.each else 1
    if in_turn:
        rounds = requests_of(subject, step).most
    if subject.recipe.passes:
        return subject.recipe.deadline  # its time-out is for the head of the reply
    return time_of_item(subject, step) * rounds


def critical_path(subject: Subject) -> tuple[Timed, ...]:
    """The steps that make the page take longest, in the order in which they run."""
    times = timed(subject)
    places = subject.plan.places
    last = max(
        (one for one in times.values() if one.takes),
        key=lambda one: (one.ends, -places[one.name]),
        default=None,
    )
    return () if last is None else (*_before(times, last), last)


def _before(times: Mapping[str, Timed], one: Timed) -> tuple[Timed, ...]:
    """The steps that one waits for longest, in the order in which they run."""
    path: list[Timed] = []
    while one.after is not None:
        one = times[one.after]
        path.insert(0, one)
    return tuple(path)


def late_steps(subject: Subject) -> tuple[Timed, ...]:
    """The steps that the page's deadline may cut off."""
    return tuple(one for one in timed(subject).values() if one.takes and one.ends > subject.recipe.deadline)


def worst(subject: Subject) -> str:
    """The critical path in one line."""
    path = [one for one in critical_path(subject) if one.takes]
    steps = " → ".join(f"{one.name} {duration(one.takes)}" for one in path)
    return steps if len(path) == 1 else f"{steps} = {duration(path[-1].ends)}"


def timing_rows(subject: Subject) -> Iterator[tuple[str, ...]]:
    """Of each request how long it may take, and when it begins and ends at the latest."""
    yield "step", "takes at most", "begins by", "ends by"
    for one in timed(subject).values():
        step = subject.step(one.name)
        if isinstance(step, PlannedRequest):
            took = duration(one.takes)
            yield one.name, f"{took}{_how(subject, step)}", duration(one.begins), duration(one.ends)


def _how(subject: Subject, step: PlannedRequest) -> str:
    """What the time of a step is made of."""
    way = way_of(step)
    if subject.recipe.passes:
        return f", the head of the reply {duration(way.timeout)}"
    found = []
    if step.each and (most := requests_of(subject, step).most) > step.concurrency:
        found.append(f"{int(most)} items, {step.concurrency} at a time")
    if asked := how_timed(step):
        found.append(asked)
    if way.may_retry:
        found.append(f"{way.retries + 1} tries")
    return f" ({'; '.join(found)})" if found else ""


def time_rows(subject: Subject) -> Iterator[tuple[str, str]]:
    """The longest way against the deadline, and where time can run out."""
    deadline = subject.recipe.deadline
    yield "critical path", worst(subject)
    late = late_steps(subject)
    if any(step.undo is not None for step in subject.plan.requests):
        yield "undo", f"has {duration(UNDO_DEADLINE)} of its own, where the page fails after its writes"
    if not late:
        yield "deadline", f"{duration(deadline)}: enough for all of it"
        return
    yield "deadline", f"{duration(deadline)}: too short where all take as long as they may"
    for one in late:
        yield "runs out in", f"{one.name}, {_left(subject, one)}; {_then(subject, one.name)}"


def _left(subject: Subject, one: Timed) -> str:
    before = [other.name for other in _before(timed(subject), one) if other.takes]
    if not before:
        return f"which may take {duration(one.takes)}"
    left = subject.recipe.deadline - one.begins
    some = f"only {duration(left)}" if left > 0 else "nothing"
    return f"which may have {some} of its {duration(one.takes)} left after {before[-1]}"


def _then(subject: Subject, name: str) -> str:
    step = subject.step(name)
    if isinstance(step, PlannedRequest) and step.fallback is not None:
        return "then it falls back"
    return "then the page is 504 backend-timeout"
