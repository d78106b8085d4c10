"""Types of values that are chosen: by truth, by equality, among branches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from bff.types.model import (
    BOOLEAN,
    INTEGER,
    NEVER,
    NULL,
    NUMBER,
    STRING,
    Array,
    Literal,
    Member,
    Record,
    Scalar,
    Type,
    Union,
    Unknown,
    Unverified,
    scalar_of,
    union_of,
)

EMPTY = Record()
"""The type of `{}`."""

Keep = Callable[[Type], Type]
"""What of one option of a type remains; NEVER where nothing does."""


def either(*types: Type) -> Type:
    """What is of one of these types; an empty list or mapping is one of the others' elements."""
    return _absorbed(union_of(*types))


def _absorbed(one: Type) -> Type:
    if isinstance(one, Unverified):
        return Unverified(_absorbed(one.expected))
    if not isinstance(one, Union) or EMPTY not in one.options:
        return one
    others = [option for option in one.options if option != EMPTY]
    if not any(isinstance(option, Record) for option in others):
        return one
    return union_of(*(_may_be_empty(option) for option in others))


def _may_be_empty(one: Type) -> Type:
    if not isinstance(one, Record):
        return one
    members = tuple((name, Member(member.type, required=False)) for name, member in one.members)
    return Record(members, one.other, one.source)


def kept(types: Iterable[Type], keep: Keep) -> Type:
    """What remains of the options of a type; what remains whole keeps its name."""
    return union_of(*map(keep, types))


def truthy(one: Type) -> Type:
    """What of an option is true."""
    match one:
        case Scalar():
            if one == NULL:
                return NEVER
            return Literal(True) if one == BOOLEAN else one
        case Literal(value=value):
            return one if value else NEVER
        case Array(element=element):
            return NEVER if element == NEVER else one
        case Record():
            return NEVER if one == EMPTY else one
    return one


_FALSE: Mapping[Type, Type] = {
    NULL: NULL,
    BOOLEAN: Literal(False),
    INTEGER: Literal(0),
    NUMBER: Literal(0),
    STRING: Literal(""),
}


def falsy(one: Type) -> Type:
    """What of an option is false."""
    match one:
        case Scalar():
            return _FALSE[one]
        case Literal(value=value):
            return NEVER if value else one
        case Array():
            return Array(NEVER)
        case Record(members=members):
            return NEVER if any(member.required for _, member in members) else EMPTY
    return one


def equal_to(value: str | bool | float | None) -> Keep:
    """What of an option equals a constant."""
    wanted: Type = NULL if value is None else Literal(value)

    def keep(one: Type) -> Type:
        return wanted if _can_be(one, value) else NEVER

    return keep


def _can_be(one: Type, value: str | bool | float | None) -> bool:
    match one:
        case Unknown():
            return True
        case Scalar():
            kind = scalar_of(value)
            numbers = {INTEGER, NUMBER}
            return one == kind or (one in numbers and kind in numbers)
        case Literal(value=known):
            return isinstance(value, bool) is isinstance(known, bool) and known == value
    return False


def not_equal_to(value: str | bool | float | None) -> Keep:
    """What of an option does not equal a constant."""

    def keep(one: Type) -> Type:
        if one == BOOLEAN and isinstance(value, bool):
            return Literal(not value)
        only = one == NULL if value is None else isinstance(one, Literal) and _can_be(one, value)
        return NEVER if only else one

    return keep


def of_kind(*kinds: Scalar) -> Keep:
    """What of an option is of one of some kinds."""

    def keep(one: Type) -> Type:
        match one:
            case Unknown():
                return union_of(*kinds)
            case Scalar():
                return one if one in kinds else NEVER
            case Literal(value=value):
                return one if scalar_of(value) in kinds else NEVER
        return NEVER

    return keep


def not_null(one: Type) -> Type:
    """What of an option is not null."""
    return NEVER if one == NULL else one


def elements(types: Iterable[Type]) -> Type:
    """What is in the lists among some options; anything else counts as an empty list."""
    found: list[Type] = []
    for one in types:
        if isinstance(one, Array):
            found.append(one.element)
        elif isinstance(one, Unknown):
            found.append(one)
    return either(*found)
