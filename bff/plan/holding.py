"""What a reply must have, looked for in a value that is decoded already: the first place that does not hold.

A decoder's types say most of it at no cost (`bff/plan/partial_decoding.py`). What they refuse, and what is decoded
whole, is walked through here, a list level by level.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any, Literal

from msgspec import Struct

from bff.expressions.operators import get
from bff.expressions.paths import ANY, Any_, Path

Unmet = Literal["absent", "null", "no-object", "no-list"]


class Held(Struct, frozen=True):
    """What must hold at a path: whether its last key may be absent, whether it may be null, and of which form it is.

    The form of one that is `looked_at` elsewhere is not held; but nothing is held of what is in another form.
    """

    path: Path
    required: bool = True
    nullable: bool = True
    form: Literal["any", "list", "object"] = "any"
    looked_at: bool = False


class UnmetNeed(Exception):
    """A reply does not have what the page needs: what is wrong at a path below it."""

    def __init__(self, path: Path, why: Unmet) -> None:
        super().__init__(why)
        self.path = path
        self.why: Unmet = why


def hold(value: Any, needs: Iterable[Held]) -> None:
    """Raises UnmetNeed for the first need that a value does not meet; those of what is around others come first."""
    other_forms: list[Path] = []
    for need in needs:
        if any(need.path[: len(path)] == path for path in other_forms):
            continue
        why = _unmet(value, need)
        if why == "no-list" and need.looked_at:
            other_forms.append(need.path)
        elif why is not None:
            raise UnmetNeed(need.path, why)


def _unmet(value: Any, need: Held) -> Unmet | None:
    values = [value]
    for key in need.path[:-1]:
        values = _below(values, key)
    if need.path:
        key = need.path[-1]
        if need.required and key is not ANY and any(_lacks(found, key) for found in values):
            return "absent"
        values = _below(values, key)
    return _wrong_form(values, need)


def _lacks(value: Any, key: str | Any_) -> bool:
    return value.__class__ is dict and key not in value


def _wrong_form(values: list[Any], need: Held) -> Unmet | None:
    for value in values:
        if value is None:
            if not need.nullable:
                return "null"
        elif need.form == "object" and not isinstance(value, dict | Struct):
            return "no-object"
        elif need.form == "list" and not isinstance(value, list):
            return "no-list"
    return None


def _below(values: list[Any], key: str | Any_) -> list[Any]:
    """What is at a key of several values, where they have it; what stands in many places is looked into once."""
    if key is not ANY:
        having = (
            value
            for value in values
            if isinstance(value, Struct) or (value.__class__ is dict and key in value)
        )
        return [get(value, str(key)) for value in having]
    distinct = {id(value): value for value in values if isinstance(value, list | dict)}.values()
    return list(
        chain.from_iterable(value.values() if isinstance(value, dict) else value for value in distinct)
    )
