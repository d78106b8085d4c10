"""What is sure of a value of which a recipe says what it needs."""

from __future__ import annotations

from collections.abc import Sequence

from bff.expressions.paths import Any_, Path
from bff.expressions.types.choices import either
from bff.expressions.types.members import is_open, seen
from bff.recipe.needs import Need
from bff.types.model import (
    NEVER,
    NOT_LISTED,
    NULL,
    Array,
    Member,
    Record,
    Type,
    Unknown,
    Unverified,
    may_be_null,
    nullable,
    options,
    union_of,
    unverified,
    without_null,
)


def with_needs(one: Type, needs: Sequence[Need]) -> Type:
    """The type of a value that has all that is needed of it; below that, what it was."""
    return _held(one, [(need.path, need) for need in needs])


Waiting = list[tuple[Path, Need]]
"""Needs, each with what of its path is still to go."""


def _held(one: Type, needs: Waiting) -> Type:
    """A type with what is needed at it and below it."""
    own = [need for path, need in needs if not path]
    below = [(path, need) for path, need in needs if path]
    is_list = any(need.form == "list" for need in own) or (
        # An element is needed of a list; that there is one says only what goes over it.
        any(isinstance(path[0], Any_) for path, _ in below)
        and all(isinstance(option, Array) for option in _told(one))
    )
    is_object = any(need.form == "object" for need in own) or any(
        isinstance(path[0], str) for path, _ in below
    )
    found = one
    if is_list is not is_object and _can_be(one, Array if is_list else Record):
        found = _list(one, below) if is_list else _object(one, below)
        if may_be_null(one):
            found = nullable(found)
    if any(not need.nullable for need in own):
        found = without_null(found)
    return one if found == union_of(*options(one)) else found  # one that says nothing new keeps its name


def _can_be(one: Type, form: type[Array] | type[Record]) -> bool:
    """Whether something of a type has this form; where nothing has, the promise is at fault, and `check` says so."""
    return any(isinstance(option, Unknown | form) for option in seen(one, trusting=True))


def _list(one: Type, below: Waiting) -> Type:
    """A list, whose elements are of what is told of those of the lists in a type."""
    elements = [_element(option) for option in _told(one)]
    return Array(
        _held(either(*(part for part in elements if part != NEVER)) if elements else ANY, _rest(below))
    )


def _element(one: Type) -> Type:
    if isinstance(one, Unknown):
        return one
    if isinstance(one, Unverified):
        found = union_of(*map(_element, options(one.expected)))
        return found if isinstance(found, Unknown) else unverified(found)
    return one.element if isinstance(one, Array) else NEVER


def _object(one: Type, below: Waiting) -> Type:
    """A mapping, of those in a type, with the members that are needed."""
    found = [_mapping(option, below) for option in _told(one)]
    return union_of(*found) if any(part != NEVER for part in found) else _record(Record((), ANY), below)


def _mapping(one: Type, below: Waiting) -> Type:
    match one:
        case Unknown():
            return _record(Record((), one), below)
        case Unverified(expected=expected):
            records = [_loose(option) for option in options(expected) if isinstance(option, Record)]
            return union_of(*(_record(part, below) for part in records))
        case Record():
            return _record(one, below)
    return NEVER


def _loose(record: Record) -> Record:
    """A record that is only expected: each of its members may be anything, or absent."""
    members = tuple((name, Member(unverified(known.type), required=False)) for name, known in record.members)
    other = NOT_LISTED if record.other is None else unverified(record.other)
    return Record(members, other, record.source)


def _record(record: Record, below: Waiting) -> Record:
    members = dict(record.members)
    for key in dict.fromkeys(path[0] for path, _ in below if isinstance(path[0], str)):
        known = record.member(key)
        rest = [(path[1:], need) for path, need in below if path[0] == key]
        if (known is None or known.type == NOT_LISTED) and not any(need.listed for _, need in rest):
            continue  # what the page reads makes nothing be there that a promise does not list
        is_there = any(not path for path, _ in rest)
        before = ANY if known is None else known.type
        if known is not None and not known.required and not is_there:
            before = nullable(before)
        if known is None and is_open(record):
            before = NOT_LISTED
        required = is_there or (known is not None and known.required)
        members[key] = Member(_held(before, rest), required)
    return Record(tuple(members.items()), record.other, record.source)


def _rest(below: Waiting) -> Waiting:
    return [(path[1:], need) for path, need in below if isinstance(path[0], Any_)]


def _told(one: Type) -> list[Type]:
    """The options of a type, but for null."""
    return [option for option in options(one) if option != NULL]


ANY = Unknown("nobody says what this is")
