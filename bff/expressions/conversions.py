"""What functions of a project give beside JSON: made JSON where that can mean one thing only, else why not."""

from __future__ import annotations

from collections import deque
from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from io import IOBase
from itertools import islice
from types import CoroutineType
from typing import Any
from uuid import UUID

_ROWS = (Iterator, range, deque, KeysView, ValuesView, ItemsView)
"""What gives its elements in an order of its own, as a list does."""

_CURES: tuple[tuple[tuple[type, ...], str], ...] = (
    ((Decimal, complex), "return float(…) for a number or str(…) for a text"),
    ((set, frozenset), "it has no order: return sorted(…)"),
    ((bytes, bytearray, memoryview), "return a text: ….decode()"),
    ((datetime,), "it has no time zone: return ….astimezone(zone)"),
    ((time, timedelta), "return ….isoformat(), or ….total_seconds()"),
)
_ANY_CURE = "return a dict, a list, a text, a number, a boolean or None"


class NotPlain(ValueError):
    """A value that no page takes; `what` it is, and for a `cure` what to return instead."""

    def __init__(self, what: str, cure: str) -> None:
        self.what = what
        self.cure = cure
        super().__init__(f"{what} is not JSON: {cure}")


def _not_plain(value: Any) -> NotPlain:
    """Of a value of a type that JSON has not."""
    cure = next((cure for kinds, cure in _CURES if isinstance(value, kinds)), _ANY_CURE)
    return NotPlain(type(value).__name__, cure)


def nearer_to_json(value: Any, most: int) -> Any:
    """A text, list or dict that says the same, of at most so many elements and one more; raises NotPlain."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise _not_plain(value)
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if hasattr(type(value), "__dataclass_fields__"):
        from dataclasses import fields  # loaded where there is one

        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return dict(islice(value.items(), most + 1))
    if isinstance(value, _ROWS) and not isinstance(value, IOBase):
        return list(islice(value, most + 1))
    if isinstance(value, CoroutineType):
        value.close()  # else Python warns that nobody has waited for it
    raise _not_plain(value)
