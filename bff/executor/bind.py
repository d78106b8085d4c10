"""A plan made ready to run: steps that know their place, their followers and the way to their backend."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile
from typing import Any
from urllib.parse import urlsplit

from bff.executor.cached_reads import CachedReads
from bff.expressions.paths import ANY
from bff.http import Calls, ForwardedToken, Route, Way, sendable
from bff.plan.model import Compute, Plan, PlannedGuard, PlannedRequest, PlannedStep, PlannedValue

_BOUND = "_bound"
ITSELF: tuple[tuple[str, ...], ...] = ((),)


class BoundStep:
    """What every step has: `at` is its place in the order written, `followers` the places of those that wait for it."""

    def __init__(self, plan: Plan, planned: PlannedStep, at: int) -> None:
        self.planned: Any = planned
        self.name = planned.name
        self.at = at
        self.when: Compute | None = planned.when
        self.followers = tuple(plan.places[name] for name in plan.followers[planned.name])
        self.is_awaited = planned.name not in plan.deferred


class BoundValue(BoundStep):
    """A value step."""


class BoundGuard(BoundStep):
    """A guard step."""


class BoundRequest(BoundStep):
    """A request step.

    Its requests go one `way`; one that is `lean` flies on a wire and has no headers or body of its own, and `target`
    where that is the same each time; others are sent by `ask`. A success of a step that is `plain` is its value, as
    `decode` reads it and `take` takes it.
    """

    planned: PlannedRequest

    def __init__(self, plan: Plan, planned: PlannedRequest, at: int, way: Way) -> None:
        super().__init__(plan, planned, at)
        client = planned.client
        self.way: Any = way
        self.ask: Any = Calls.fly if isinstance(way, Route) else Calls.ask
        self.lean = isinstance(way, Route) and planned.method == "GET" and _is_plain_read(planned)
        self.path = None if planned.constant_path is None else sendable(planned.constant_path)
        self.query = planned.query
        self.target = self.path if planned.query is None else None
        self.auth = client.auth if isinstance(client.auth, ForwardedToken) else None
        self.take = planned.take
        self.plain = (
            (planned.take is None or planned.takes_body)
            and not planned.on_status
            and planned.ok is None
            and planned.reads
            and planned.safe
            and not planned.falls_back_on_reply
            and planned.format is None
        )
        self.decode = planned.decode
        self.is_single = planned.items is None
        self.is_in_each = planned.each
        self.is_lone = self.is_single and planned.key is None
        self.lists = planned.lists
        self.is_list = planned.lists == ITSELF
        self.lists_of_items = (
            () if not planned.each else tuple(path[1:] for path in planned.lists if path[:1] == (ANY,))
        )
        self.is_bulk = planned.batch_size is not None and not planned.safe
        self.key_by = planned.key_by
        self.is_simple = self.is_single and not self.lists and self.key_by is None


class BoundCached(BoundRequest):
    """A step of plain reads whose replies may be kept."""

    def __init__(self, plan: Plan, planned: PlannedRequest, at: int, way: Way) -> None:
        super().__init__(plan, planned, at, way)
        self.cached = CachedReads(planned, self.target)


class BoundBulk(BoundRequest):
    """A step that writes a list in chunks."""


class BoundRepeated(BoundRequest):
    """A read that is asked several times for one value; addresses of its next pages are below the path `base`."""

    def __init__(self, plan: Plan, planned: PlannedRequest, at: int, way: Way) -> None:
        super().__init__(plan, planned, at, way)
        self.base = urlsplit(planned.client.url("")).path


class BoundPassing(BoundRequest):
    """The one request of a page that hands a body through."""


class BoundPlan:
    """The steps of a plan in the order written; `awaits` counts what each waits for, `first` wait for nothing.

    `undos` are the ways of what takes steps back, by their names.
    """

    def __init__(self, plan: Plan, calls: Calls) -> None:
        self.transport = calls.transport
        wired = set(_on_wires(plan))
        self.steps = [
            _bound(plan, step, at, calls, wired=step.name in wired) for at, step in enumerate(plan.steps)
        ]
        self.awaits = [plan.awaits[step.name] for step in plan.steps]
        self.first = [at for at, count in enumerate(self.awaits) if count == 0]
        self.awaited = len(plan.steps) - len(plan.deferred)
        self.undos = {
            step.name: _way(calls, step.undo, repeatable=step.key is not None)
            for step in plan.requests
            if step.undo is not None
        }


def bound(plan: Plan, calls: Calls) -> BoundPlan:
    """The plan, ready to run on the transport of these calls; made when it is first asked for."""
    found: BoundPlan | None = plan.__dict__.get(_BOUND)
    if found is None or found.transport is not calls.transport:
        found = plan.__dict__[_BOUND] = BoundPlan(plan, calls)
    return found


def _bound(plan: Plan, step: PlannedStep, at: int, calls: Calls, *, wired: bool) -> BoundStep:
    match step:
        case PlannedValue():
            return BoundValue(plan, step, at)
        case PlannedGuard():
            return BoundGuard(plan, step, at)
    others = (other for other in plan.requests if other is not step)
    may_join = step.each or any(_may_be_equal(step, other) for other in others)
    way = _way(calls, step, repeatable=step.key is not None, on_wires=wired, may_join=may_join)
    if step.repeats is not None:
        return BoundRepeated(plan, step, at, way)
    if step.cache is not None and _is_plain_read(step):
        return BoundCached(plan, step, at, way)
    if step.batch_size is not None and not step.safe:
        return BoundBulk(plan, step, at, way)
    return (BoundPassing if plan.recipe.passes else BoundRequest)(plan, step, at, way)


def _way(calls: Calls, step: PlannedRequest, **terms: bool) -> Way:
    return calls.way(
        step.client,
        step.method,
        safe=step.safe,
        timeout=step.timeout,
        retries=step.retries,
        hedge=step.hedge,
        cache=step.cache,
        **terms,
    )


def _is_plain_read(step: PlannedRequest) -> bool:
    """Whether target and token say all of what a step asks, and it only reads."""
    own = (step.headers, step.body, step.form, step.text, step.key)
    return step.safe and not step.client.forwarded_headers and all(part is None for part in own)


def _on_wires(plan: Plan) -> Iterable[str]:
    """The steps whose requests need nothing but a wire, neither themselves nor for an equal one.

    Those that are asked again have their own end beside that of each request, and calls keep it.
    """
    needing = [
        step
        for step in plan.requests
        if step.cache is not None or step.hedge is not None or step.repeats is not None
    ]
    if plan.recipe.passes:
        return
    for step in plan.requests:
        if step not in needing and not any(_may_be_equal(step, other) for other in needing):
            yield step.name


def _may_be_equal(one: PlannedRequest, other: PlannedRequest) -> bool:
    """Whether a request of one step may be the same as one of another."""
    if one.client is not other.client or not (one.safe and other.safe) or one.method != other.method:
        return False
    if (one.timeout, one.retries, one.hedge) != (other.timeout, other.retries, other.hedge):
        return False
    left, right = _beginning(one), _beginning(other)
    if one.holes is None and other.holes is None:
        differ = one.constant_query != other.constant_query and one.query is None and other.query is None
        return left == right and not differ
    if one.holes is None:
        return left.startswith(right)
    if other.holes is None:
        return right.startswith(left)
    return left.startswith(right) or right.startswith(left)


def _beginning(step: PlannedRequest) -> str:
    """What every path of a step begins with; all of it where there are no holes."""
    constant = takewhile(lambda part: part is not None, step.path_parts)
    return "".join(map(str, constant))
