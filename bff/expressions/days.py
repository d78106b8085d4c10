"""Days of a time zone: the last ones, and that of an instant. A room of the library."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, tzinfo
from functools import partial
from typing import Any

from bff.expressions.evaluation import Evaluation
from bff.expressions.library import Function, library
from bff.expressions.lists import MAX_RANGE
from bff.expressions.zones import zone_of

FUNCTIONS: dict[str, Function] = {}
_declare = partial(library, FUNCTIONS)

_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]([0-9]{2}:[0-9]{2})(:[0-9]{2})?(?:\.([0-9]{1,9}))?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)


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


@_declare("date(t, 'Asia/Shanghai')", 1, 2, "string | null of any, any")
def day(evaluation: Evaluation, instant: Any, *zone: Any) -> str | None:
    """The day of an ISO instant in a time zone (UTC if not said), '2026-11-15'; a day alone stays;
    null and what is no instant give null."""
    evaluation.charge(10)
    where = zone_of(zone[0] if zone else "UTC")
    found = _INSTANT.fullmatch(instant) if instant.__class__ is str and len(instant) < 99 else None
    if where is None or found is None:
        return None
    try:
        return _day(found, where)
    except (ValueError, OverflowError):
        return None


def _day(found: re.Match[str], where: tzinfo) -> str:
    written, time, seconds, fraction, offset = found.groups()
    if time is None:
        return date.fromisoformat(written).isoformat()
    # An instant without a zone is UTC, as PocketBase and most others mean it.
    behind = "+00:00" if offset in {None, "Z"} else offset
    point = (fraction or "0").ljust(6, "0")[:6]
    moment = datetime.fromisoformat(f"{written}T{time}{seconds or ':00'}.{point}{behind}")
    return moment.astimezone(where).date().isoformat()
