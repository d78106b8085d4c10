"""Replies to a bulk write that say that some of its items were not done: found by trying, as other replies are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bff.errors import PageError
from bff.executor.bulk import NotOfChunk, chunks_of, failed_of
from bff.expressions import Evaluation
from bff.plan.model import PlannedRequest
from bff.testing.guess import Guess
from bff.testing.scenario import Scenario
from bff.testing.upstream import Fault, Upstream, good_script

_STATUSES = (409, 500)
_PARTLY = 207

Failed = dict[int, int | None]


def fault_of_items(guess: Guess, step: PlannedRequest, scenario: Scenario) -> Fault | None:
    """The fault in which `failed` of a step names items of its chunk, best not all; None where no reply was found."""
    assert step.items is not None and step.batch_size is not None
    scope = scenario.good.scope
    chunks, _ = chunks_of(step.items(scope, Evaluation()), step.batch_size)
    best: tuple[Any, Failed] | None = None
    for body in _bodies(guess, step, scenario, chunks[0]) if len(chunks) == 1 else ():
        found = _failed(step, scope, body, chunks[0])
        if found and (best is None or len(found) < len(best[1])):
            best = body, found
            if len(found) < len(chunks[0]):
                break
    if best is None:
        return None
    body, found = best
    leaves, told = (
        "refused" if len(found) == len(chunks[0]) else "done",
        next(filter(None, found.values()), None),
    )

    def of(good: Upstream) -> Upstream:
        return replace(good, status=_PARTLY, body=body)

    return Fault("items", of, good_script, leaves=leaves, told=told)  # type: ignore[arg-type]


def _bodies(guess: Guess, step: PlannedRequest, scenario: Scenario, chunk: list[Any]) -> Iterator[Any]:
    """Bodies of replies with other values where `failed` looks, in all of a list or in its first element alone."""
    items = [item for item in chunk if isinstance(item, str | int)]
    for body in guess.bodies(step, "failed", [*items, items[:1], *_STATUSES]):
        yield _first_alone(body, scenario.replies[step.name].body)
        yield body


def _first_alone(body: Any, good: Any) -> Any:
    """The body with the good one's elements behind the first of each list."""
    if isinstance(body, list) and isinstance(good, list):
        return [*body[:1], *good[1:]]
    if isinstance(body, dict) and isinstance(good, dict):
        return {key: _first_alone(value, good.get(key)) for key, value in body.items()}
    return body


def _failed(step: PlannedRequest, scope: Any, body: Any, chunk: list[Any]) -> Failed:
    assert step.failed is not None and step.variable is not None
    reply = {"status": _PARTLY, "headers": {}, "body": body}
    try:
        given = step.failed({**scope, step.variable: chunk, "reply": reply}, Evaluation())
        return failed_of(given, chunk, Evaluation())
    except (PageError, NotOfChunk, KeyError):  # it is no reply of this backend; or made of a key
        return {}
