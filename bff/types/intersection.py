"""What is of two types at once: what `allOf` says, and what a narrowed value still can be."""

from __future__ import annotations

from bff.types.model import (
    INTEGER,
    NEVER,
    NUMBER,
    Array,
    Literal,
    Member,
    Named,
    Record,
    Scalar,
    Type,
    Union,
    Unknown,
    Unverified,
    holds,
    opened,
    union_of,
)

_MOST_NESTED = 60


def intersection(one: Type, other: Type, depth: int = 0) -> Type:
    """The type of what is of both types; NEVER where nothing is."""
    if isinstance(one, Unknown) or one == other or depth == _MOST_NESTED:
        return other
    if isinstance(other, Unknown):
        return one
    if isinstance(one, Named) or isinstance(other, Named):
        return _of_named(one, other, depth)
    if isinstance(one, Union) or isinstance(other, Union):
        pairs = ((left, right) for left in _options(one) for right in _options(other))
        return union_of(*(intersection(left, right, depth + 1) for left, right in pairs))
    match one, other:
        case (Unverified(), _) | (_, Unverified()):
            return one if isinstance(other, Unverified) else other
        case Record(), Record():
            return _of_records(one, other, depth + 1)
        case Array(element=left), Array(element=right):
            return Array(intersection(left, right, depth + 1))
        case (Literal() as narrow, Scalar() as wide) | (Scalar() as wide, Literal() as narrow):
            return narrow if holds(wide, narrow.value) else NEVER
    return INTEGER if {one, other} == {INTEGER, NUMBER} else NEVER


def _options(one: Type) -> tuple[Type, ...]:
    return one.options if isinstance(one, Union) else (one,)


def _of_named(one: Type, other: Type, depth: int) -> Type:
    """One of the two is a name: what it stands for counts, unless that is only being read."""
    left, right = opened(one), opened(other)
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return one if isinstance(one, Named) else other
    return intersection(left, right, depth + 1)


def _of_records(one: Record, other: Record, depth: int) -> Record:
    """Members of both; what either requires is required, and where one is open, the two are."""
    members: dict[str, Member] = dict(one.members)
    for name, member in other.members:
        known = members.get(name)
        if known is None:
            members[name] = member
        else:
            both = intersection(known.type, member.type, depth)
            members[name] = Member(both, known.required or member.required)
    others = [record.other for record in (one, other) if record.other is not None]
    found = others[0] if others else None
    if len(others) == 2:
        found = intersection(others[0], others[1], depth)
    return Record(tuple(members.items()), found, one.source or other.source)
