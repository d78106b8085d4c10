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
from bff.types.model import (
    Array,
    Named,
    Record,
    Scalar,
    Type,
    Union,
    Unknown,
    Unverified,
    holds,
    scalar_of,
)
from bff.types.model import Literal as Literal_

Form = Literal["any", "list", "object", "string", "boolean", "integer", "number"]
Unmet = Literal[
    "absent",
    "null",
    "no-object",
    "no-list",
    "no-string",
    "no-boolean",
    "no-integer",
    "no-number",
    "other-kind",
]
_DEEPEST = 100
"""How deep in a reply a type that holds itself is still looked into: no reply is deeper unless a setting lets it be."""


class Held(Struct, frozen=True):
    """What must hold at a path: whether its last key may be absent, whether it may be null, and of which form it is.

    The form of one that is `looked_at` elsewhere is not held; but nothing is held of what is in another form.
    """

    path: Path
    required: bool = True
    nullable: bool = True
    form: Form = "any"
    looked_at: bool = False


class HeldType(Struct, frozen=True):
    """The type of what is at a path, where no need can say it; what is there is decoded whole."""

    path: Path
    type: Type


class UnmetNeed(Exception):
    """A reply does not have what the page needs: what is wrong at a path below it."""

    def __init__(self, path: Path, why: Unmet) -> None:
        super().__init__(why)
        self.path = path
        self.why: Unmet = why


def merged(needs: Iterable[Held]) -> tuple[Held, ...]:
    """One need for each path, those of what is around it before it; the form that is said first counts."""
    found: dict[Path, Held] = {}
    for one in needs:
        other = found.get(one.path, one)
        found[one.path] = Held(
            one.path,
            one.required or other.required,
            one.nullable and other.nullable,
            one.form if other.form == "any" else other.form,
            one.looked_at or other.looked_at,
        )
    return tuple(sorted(found.values(), key=lambda one: (len(one.path), str(one.path))))


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


def hold_types(value: Any, types: Iterable[HeldType]) -> None:
    """Raises UnmetNeed for the first part of a value that is not of its type."""
    for one in types:
        values = [value]
        for key in one.path:
            values = _below(values, key)
        for part in values:
            wrong = None if part is None else _off(one.type, part, one.path)
            if wrong is not None:
                raise wrong


def _off(one: Type, value: Any, path: Path) -> UnmetNeed | None:
    """What of a value is not of a type, with its path; of a literal only the kind counts."""
    match one:
        case Named():
            return _off(one.type, value, path) if len(path) < _DEEPEST else None
        case Union(options=parts):
            return _off_all(parts, value, path)
        case Record():
            return _off_record(one, value, path)
        case Array(element=element):
            if not isinstance(value, list):
                return UnmetNeed(path, "null" if value is None else "no-list")
            wrong = (_off(element, item, (*path, ANY)) for item in value)
            return next((found for found in wrong if found is not None), None)
        case Unknown() | Unverified():
            return None
    kind = scalar_of(one.value) if isinstance(one, Literal_) else one
    if holds(kind, value):
        return None
    return UnmetNeed(path, "null" if value is None else _NO_KIND.get(kind.name, "other-kind"))


_NO_KIND: dict[str, Unmet] = {
    "string": "no-string",
    "boolean": "no-boolean",
    "integer": "no-integer",
    "number": "no-number",
}


def _off_all(parts: tuple[Type, ...], value: Any, path: Path) -> UnmetNeed | None:
    """What is wrong with a value that is of none of several types: what is deepest, where one is of its kind."""
    wrong = [_off(part, value, path) for part in parts]
    if not wrong or None in wrong:
        return None
    deepest = max((one for one in wrong if one is not None), key=lambda one: len(one.path))
    if len(deepest.path) > len(path):
        return deepest
    return UnmetNeed(path, "null" if value is None else "other-kind")


def _off_record(record: Record, value: Any, path: Path) -> UnmetNeed | None:
    if not isinstance(value, dict):
        return UnmetNeed(path, "null" if value is None else "no-object")
    for name, member in record.members:
        if name in value:
            wrong = _off(member.type, value[name], (*path, name))
        else:
            wrong = UnmetNeed((*path, name), "absent") if member.required else None
        if wrong is not None:
            return wrong
    if record.other is None:
        return None
    names = {name for name, _ in record.members}
    rest = (_off(record.other, item, (*path, ANY)) for name, item in value.items() if name not in names)
    return next((found for found in rest if found is not None), None)


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
        elif not _is_of(need.form, value):
            return f"no-{need.form}"  # type: ignore[return-value]
    return None


def _is_of(form: Form, value: Any) -> bool:
    match form:
        case "object":
            return isinstance(value, dict | Struct)
        case "list":
            return isinstance(value, list)
        case "any":
            return True
    return not isinstance(value, dict | list | Struct) and holds(Scalar(form), value)


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
