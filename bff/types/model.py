"""Types of JSON values, and how they are put together.

A type is a set of values. One that is `Unverified` says what a value is expected to be, while nothing holds the
backend to it: a page can meet any value there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, final

from msgspec import Struct

MOST_OPTIONS = 16
"""A union of more options is joined: its texts become `string`, its records one record."""


class Unknown(Struct, frozen=True):
    """Any JSON value. `cause` says why nobody knows more, `cure` what an author can do; both may be empty."""

    cause: str = ""
    cure: str = ""


class Scalar(Struct, frozen=True):
    """Null, or all values of one kind; an integer is a number without a fraction."""

    name: str


NULL, BOOLEAN, INTEGER, NUMBER, STRING = map(Scalar, ("null", "boolean", "integer", "number", "string"))


class Literal(Struct, frozen=True):
    """One text, number or boolean."""

    value: str | bool | int | float

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, Literal) and type(self.value) is type(other.value)
        return same and self.value == other.value  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))


class Array(Struct, frozen=True, cache_hash=True):
    """A list of such elements."""

    element: Type


class Member(Struct, frozen=True, cache_hash=True):
    """What a record has under one name; one that is not `required` may be absent."""

    type: Type
    required: bool = True


class Record(Struct, frozen=True, cache_hash=True):
    """An object with these members, in order; `other` is what all other members hold, None where there are none.

    One without members, and with `other`, is a mapping whose keys are data. `source` is the place (`file:line`) at
    which a schema lists the members, '' where none does.
    """

    members: tuple[tuple[str, Member], ...] = ()
    other: Type | None = None
    source: str = ""

    def member(self, name: str) -> Member | None:
        """What is under a name; None where nothing can be."""
        for known, member in self.members:
            if known == name:
                return member
        return None if self.other is None else Member(self.other, required=False)


class Union(Struct, frozen=True, cache_hash=True):
    """One of several types, none of which is a union or twice there; made by `union_of`."""

    options: tuple[Type, ...]


class Unverified(Struct, frozen=True, cache_hash=True):
    """What is expected where nothing enforces it; never around another of its kind. Made by `unverified`."""

    expected: Type


@final
class Named:
    """A type known by its name, which it may contain itself: `definitions` holds what the name stands for."""

    __slots__ = ("definitions", "name")

    def __init__(self, name: str, definitions: Mapping[str, Type]) -> None:
        self.name = name
        self.definitions = definitions

    @property
    def type(self) -> Type:
        """What the name stands for."""
        return self.definitions[self.name]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Named) and self.name == other.name and self.definitions is other.definitions

    def __hash__(self) -> int:
        return hash((self.name, id(self.definitions)))

    def __repr__(self) -> str:
        return f"Named({self.name!r})"


Type: TypeAlias = Unknown | Scalar | Literal | Array | Record | Union | Unverified | Named

NEVER: Type = Union(())
"""The type of no value: of the elements of an empty list."""

NOT_LISTED: Type = Unverified(NULL)
"""What is under a name that a promise does not list: nobody says that nothing is there."""


def opened(one: Type) -> Type:
    """What a name stands for; any other type as it is."""
    while isinstance(one, Named):
        one = one.type
    return one


def options(one: Type) -> tuple[Type, ...]:
    """The types of which a type is the union, names opened."""
    one = opened(one)
    if isinstance(one, Union):
        return tuple(option for part in one.options for option in options(part))
    return (one,)


def union_of(*types: Type) -> Type:
    """What is of one of these types. One that is unknown swallows all; one that is unverified makes all so."""
    flat: dict[Type, None] = {}
    loose = False
    for one in _flat(types):
        if isinstance(one, Unverified):
            loose = True
            flat.update(dict.fromkeys(_flat([one.expected])))
        else:
            flat[one] = None
    unknown = next((one for one in flat if isinstance(one, Unknown)), None)
    if unknown is not None:
        return unknown
    found = _fewest(flat)
    return Unverified(found) if loose else found


def _flat(types: Iterable[Type]) -> Iterable[Type]:
    for one in types:
        if isinstance(one, Union):
            yield from _flat(one.options)
        else:
            yield one


def _fewest(flat: Iterable[Type]) -> Type:
    """One type for several that are no unions: what others hold is left out, arrays become one, too many are joined."""
    found = list(dict.fromkeys(flat))
    found = [one for one in found if not any(_holds(other, one) for other in found)]
    arrays = [one for one in found if isinstance(one, Array)]
    if len(arrays) > 1:
        joined = Array(union_of(*(one.element for one in arrays)))
        at = found.index(arrays[0])
        found = [one for one in found if not isinstance(one, Array)]
        found.insert(at, joined)
    if len(found) > MOST_OPTIONS:
        return _joined(found)
    found.sort(key=lambda one: one == NULL)  # null is said last
    return found[0] if len(found) == 1 else Union(tuple(found))


def _holds(wide: Type, narrow: Type) -> bool:
    """Whether every value of a type is one of another, as far as scalars say."""
    if wide == NUMBER and narrow == INTEGER:
        return True
    if isinstance(narrow, Literal) and isinstance(wide, Scalar):
        return wide == scalar_of(narrow.value) or (wide == NUMBER and scalar_of(narrow.value) == INTEGER)
    return False


def scalar_of(value: Any) -> Scalar:
    """The kind of a value that is neither a list nor a mapping; 7.0 is a number, 7 an integer."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, int):
        return INTEGER
    return NUMBER if isinstance(value, float) else STRING


def _joined(found: list[Type]) -> Type:
    """A union of many options as one of few: kinds for literals, one record for all records."""
    parts: dict[Type, None] = {}
    records = [record for one in found if isinstance(record := opened(one), Record)]
    for one in found:
        if isinstance(one, Literal):
            parts[scalar_of(one.value)] = None
        elif not isinstance(opened(one), Record):
            parts[one] = None
    if records:
        parts[join_records(records)] = None
    rest = [one for one in parts if not any(_holds(other, one) for other in parts)]
    rest.sort(key=lambda one: one == NULL)
    return rest[0] if len(rest) == 1 else Union(tuple(rest))


def join_records(records: Iterable[Record]) -> Record:
    """One record for several: what is not in all of them is not required; the first place lists its members."""
    found = list(records)
    names = dict.fromkeys(name for record in found for name, _ in record.members)
    members = []
    for name in names:
        present = [member for record in found if (member := record.member(name)) is not None]
        required = len(present) == len(found) and all(member.required for member in present)
        members.append((name, Member(union_of(*(member.type for member in present)), required)))
    others = [record.other for record in found if record.other is not None]
    source = next((record.source for record in found if record.source), "")
    return Record(tuple(members), union_of(*others) if others else None, source)


def nullable(one: Type) -> Type:
    """The type with null."""
    return union_of(one, NULL)


def unverified(one: Type) -> Type:
    """The type where nothing enforces it; null may stand for every value there. What is unknown stays so."""
    if isinstance(one, Unknown | Unverified):
        return one
    return union_of(Unverified(one), NULL)


def without_null(one: Type) -> Type:
    """The type without null."""
    match one:
        case Unverified(expected=expected):
            return Unverified(without_null(expected))
        case Named() if NULL not in options(one):
            return one
        case Named() | Union():
            return union_of(*(option for option in options(one) if option != NULL))
    return NEVER if one == NULL else one


def may_be_null(one: Type) -> bool:
    """Whether null is of the type."""
    return isinstance(one, Unknown | Unverified) or any(
        option == NULL or isinstance(option, Unknown | Unverified) for option in options(one)
    )


def holds(one: Type, value: Any) -> bool:
    """Whether a JSON value is of a type; a float without a fraction is an integer, too, as in JSON Schema."""
    match one:
        case Unknown() | Unverified():
            return True
        case Named():
            return holds(one.type, value)
        case Union(options=parts):
            return any(holds(part, value) for part in parts)
        case Literal(value=wanted):
            return (
                not isinstance(value, dict | list)
                and value == wanted
                and (isinstance(value, bool) is isinstance(wanted, bool))
            )
        case Array(element=element):
            return isinstance(value, list) and all(holds(element, item) for item in value)
        case Record():
            return isinstance(value, dict) and _holds_record(one, value)
        case Scalar():
            return _is_of(one, value)


def _is_of(kind: Scalar, value: Any) -> bool:
    if isinstance(value, list | dict):
        return False
    found = scalar_of(value)
    if found == kind:
        return True
    if kind == NUMBER:
        return found == INTEGER
    return kind == INTEGER and found == NUMBER and math.isfinite(value) and value.is_integer()


def _holds_record(record: Record, value: Mapping[str, Any]) -> bool:
    names = {name for name, _ in record.members}
    for name, member in record.members:
        if name not in value:
            if member.required:
                return False
        elif not holds(member.type, value[name]):
            return False
    rest = [item for name, item in value.items() if name not in names]
    return record.other is None or all(holds(record.other, item) for item in rest)
