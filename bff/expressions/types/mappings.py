"""Types of mappings that functions make of others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bff.expressions.types.choices import EMPTY, either
from bff.expressions.types.members import is_open, member, values_of
from bff.types.model import (
    NOT_LISTED,
    NULL,
    STRING,
    Member,
    Record,
    Type,
    Unknown,
    join_records,
    nullable,
    union_of,
)


def values(types: Iterable[Type]) -> Type:
    """What any member of a mapping is; of anything else nothing."""
    found = [
        values_of(one) if isinstance(one, Record) else one
        for one in types
        if isinstance(one, Record | Unknown)
    ]
    return either(*found)


def entry(types: Iterable[Type]) -> Type:
    """A `{key, value}` of a mapping."""
    return Record((("key", Member(STRING)), ("value", Member(values(types)))))


def merged(options: Sequence[Sequence[Type]]) -> Type:
    """One mapping of several, of which these are the options; null where one is neither mapping nor null."""
    found = EMPTY
    is_sure = True
    for given in options:
        records = [_as_record(one) for one in given if one == NULL or isinstance(one, Record | Unknown)]
        is_sure = is_sure and all(one == NULL or isinstance(one, Record) for one in given)
        if not records:
            return NULL
        found = _over(found, records[0] if len(records) == 1 else join_records(records))
    return found if is_sure else nullable(found)


def _as_record(one: Type) -> Record:
    if isinstance(one, Record):
        return one
    return EMPTY if one == NULL else Record((), one)


def _over(below: Record, above: Record) -> Record:
    """What two mappings give in one, where the second wins."""
    found: dict[str, Member] = {}
    for name in dict.fromkeys(name for record in (below, above) for name, _ in record.members):
        under, upper = below.member(name), above.member(name)
        if upper is not None and upper.required:
            found[name] = upper
            continue
        parts = [part.type for part in (under, upper) if part is not None]
        if (under is None and is_open(below)) or (upper is None and is_open(above)):
            parts.append(NOT_LISTED)
        found[name] = Member(union_of(*parts), under is not None and under.required)
    others = [record.other for record in (below, above) if record.other is not None]
    source = below.source or above.source
    return Record(tuple(found.items()), union_of(*others) if others else None, source)


def picked(types: Iterable[Type], names: Sequence[str] | None) -> Type:
    """A mapping with some of its members, of those that it has; of anything else null."""
    return union_of(*(_picked(one, names) for one in types))


def _picked(one: Type, names: Sequence[str] | None) -> Type:
    if not isinstance(one, Record | Unknown):
        return NULL
    if names is None:
        known = Record((), one if isinstance(one, Unknown) else values_of(one))
    else:
        pairs = ((name, _member(one, name)) for name in dict.fromkeys(names))
        known = Record(tuple((name, found) for name, found in pairs if found is not None))
    return nullable(known) if isinstance(one, Unknown) else known


def _member(one: Record | Unknown, name: str) -> Member | None:
    if isinstance(one, Unknown):
        return Member(one, required=False)
    found = one.member(name)
    if found is None and is_open(one):
        return Member(member([one], name), required=False)
    return found


def omitted(types: Iterable[Type], names: Sequence[str] | None) -> Type:
    """A mapping without some of its members; of anything else null."""
    return union_of(*(_omitted(one, names) for one in types))


def _omitted(one: Type, names: Sequence[str] | None) -> Type:
    if isinstance(one, Unknown):
        return nullable(Record((), one))
    if not isinstance(one, Record):
        return NULL
    if names is None:
        members = tuple((name, Member(known.type, required=False)) for name, known in one.members)
    else:
        members = tuple((name, known) for name, known in one.members if name not in names)
    return Record(members, one.other, one.source)
