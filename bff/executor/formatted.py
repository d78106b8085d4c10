"""What a step reads of a body that is no JSON: its value, or the failure that it has none."""

from __future__ import annotations

from typing import Any

from bff.errors import Failure
from bff.expressions import Evaluation
from bff.http import Reply
from bff.jsontext import NotJSON, TooDeep
from bff.plan.formats import Unreadable
from bff.plan.model import PlannedRequest

_IN_JSON = ("application/json", "application/problem+json")


def body_of(planned: PlannedRequest, reply: Reply, evaluation: Evaluation, item: int | None) -> Any:
    """The value of a body that the page reads, or its Failure; raises UnmetNeed."""
    assert planned.format is not None, "it is read as something else than JSON"
    try:
        return planned.format.read(reply, evaluation)
    except Unreadable as wrong:
        detail = f"'{planned.name}' answered {wrong.what}."
        return Failure(planned.name, wrong.kind, 502, detail, item=item, reason=wrong.reason)


def seen_body(planned: PlannedRequest, reply: Reply, evaluation: Evaluation) -> Any:
    """What `ok`, `on_status`, a fallback and an undo see of a body; null where it cannot be read.

    One that is no success is JSON where it says so, or cannot be of its format: backends tell of errors so, whatever
    else they answer with.
    """
    assert planned.format is not None, "it is read as something else than JSON"
    declared = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not reply.ok and declared in _IN_JSON:
        return _json(reply)
    try:
        return planned.format.freely(reply, evaluation)
    except Unreadable:
        return None if reply.ok else _json(reply)


def _json(reply: Reply) -> Any:
    try:
        return reply.json() if reply.raw.strip() else None
    except (NotJSON, TooDeep):
        return None
