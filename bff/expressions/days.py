"""The last days of a time zone. A room of the library."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from bff.expressions.evaluation import Evaluation
from bff.expressions.library import Function, library
from bff.expressions.lists import MAX_RANGE
from bff.expressions.zones import zone_of

FUNCTIONS: dict[str, Function] = {}
_declare = partial(library, FUNCTIONS)


@_declare("days(n, 'Asia/Shanghai')", 1, 2, "string[] of any")
def days(evaluation: Evaluation, amount: Any, *zone: Any) -> list[str] | None:
    """The last n days up to today in a time zone (UTC if not said), oldest first, for n up to 1,000;
    null gives [], an unknown zone null."""
    where = zone_of(zone[0] if zone else "UTC")
    if where is None:
        return None
    if amount.__class__ is not int or not 0 <= amount <= MAX_RANGE:
        return []
    evaluation.charge(8 * amount)
    evaluation.take(80 * amount + 56)
    today = evaluation.now.astimezone(where).date()
    return [(today - timedelta(before)).isoformat() for before in reversed(range(amount))]
