"""Replies to a bulk write that say that some of its items were not done: found by trying, as other replies are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bff.plan.model import PlannedRequest
from bff.testing.guess import Guess
from bff.testing.replied import PARTLY, Failed, chunks_in, items_failed
from bff.testing.scenario import Scenario
from bff.testing.upstream import Fault, Upstream, good_script

ITEMS = "items"
"""The name of this fault."""
_STATUSES = (409, 500)


def fault_of_items(guess: Guess, step: PlannedRequest, scenario: Scenario) -> Fault | None:
    """The fault in which `failed` of a step names items of its chunk, best not all; None where no reply was found."""
    scope = scenario.good.scope
    chunk = next(iter(chunks_in(step, scope)), [])
    best: tuple[Any, Failed] | None = None
    for body in _bodies(guess, step, scenario, chunk) if chunk else ():
        found = items_failed(step, scope, body, chunk)
        if found and (best is None or len(found) < len(best[1])):
            best = body, found
            if len(found) < len(chunk):
                break
    if best is None:
        return None
    body, found = best
    leaves, told = (
        "refused" if len(found) == len(chunk) else "done",
        next(filter(None, found.values()), None),
    )

    def of(good: Upstream) -> Upstream:
        return replace(good, status=PARTLY, body=body)

    return Fault(ITEMS, of, good_script, leaves=leaves, told=told)  # type: ignore[arg-type]


def _bodies(guess: Guess, step: PlannedRequest, scenario: Scenario, chunk: list[Any]) -> Iterator[Any]:
    """Bodies of replies with other values where `failed` looks, in all of a list or in its first element alone."""
    if (said := guess.said(step, ITEMS)) is not None:
        yield said.body
        return
    good = scenario.replies[step.name].body
    first = chunk[0].values() if isinstance(chunk[0], dict) else chunk
    items = [item for item in first if type(item) in (str, int)]
    named = {str(items[0]): _STATUSES[0]} if items else {}
    lists = ([item] for item in (items if isinstance(chunk[0], dict) else items[:1]))
    for body in guess.bodies(step, "failed", good, [*items, *lists, named, *_STATUSES]):
        yield _first_alone(body, good)
        yield body


def _first_alone(body: Any, good: Any) -> Any:
    """The body with the good one's elements behind the first of each list."""
    if isinstance(body, list) and isinstance(good, list):
        return [*body[:1], *good[1:]]
    if isinstance(body, dict) and isinstance(good, dict):
        return {key: _first_alone(value, good.get(key)) for key, value in body.items()}
    return body
