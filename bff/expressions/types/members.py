"""What a look-up finds in a value: members of records, items of lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from bff.expressions.types.choices import Keep, either
from bff.expressions.values import key_text
from bff.types.model import (
    INTEGER,
    NEVER,
    NOT_LISTED,
    NULL,
    NUMBER,
    STRING,
    Array,
    Literal,
    Member,
    Record,
    Scalar,
    Type,
    Unknown,
    Unverified,
    nullable,
    options,
    scalar_of,
    union_of,
)


def is_open(record: Record) -> bool:
    """Whether a record may hold more than it lists: one of a backend may, one that a recipe makes may not."""
    return bool(record.source) and record.other is None


def member(types: Iterable[Type], name: str) -> Type:
    """What `x.name` gives, of the options of x."""
    return union_of(*(_member(one, name) for one in types))


def along(
    options_of: Callable[[Type], Sequence[Type]], types: Sequence[Type], path: Iterable[str]
) -> list[tuple[str, Sequence[Type]]]:
    """The keys of a path, each with the options of what it is looked up in."""
    found = []
    for key in path:
        found.append((key, types))
        types = options_of(member(types, key))
    return found


def _member(one: Type, name: str) -> Type:
    if isinstance(one, Unknown):
        return one
    if not isinstance(one, Record):
        return NULL
    found = one.member(name)
    if found is None:
        return NOT_LISTED if is_open(one) else NULL
    return found.type if found.required else nullable(found.type)


def item(types: Iterable[Type], keys: Sequence[Type]) -> Type:
    """What `x[key]` gives, of the options of x and of the key."""
    return union_of(*(_item(one, keys) for one in types))


def _item(one: Type, keys: Sequence[Type]) -> Type:
    if isinstance(one, Unknown):
        return one
    if isinstance(one, Array):
        return nullable(one.element) if any(map(_is_number, keys)) else NULL
    if not isinstance(one, Record):
        return NULL
    return union_of(*(_under(one, key) for key in keys))


def _is_number(key: Type) -> bool:
    return (
        isinstance(key, Unknown)
        or key in (INTEGER, NUMBER)
        or (isinstance(key, Literal) and scalar_of(key.value) == INTEGER)
    )


def _under(record: Record, key: Type) -> Type:
    if isinstance(key, Literal):
        text = key_text(key.value)
        return NULL if text is None else _member(record, text)
    if key == NULL or not isinstance(key, Scalar | Unknown):
        return NULL
    return nullable(values_of(record))


def values_of(record: Record) -> Type:
    """What any member of a record can hold."""
    found = [known.type for _, known in record.members]
    if record.other is not None:
        found.append(record.other)
    elif is_open(record):
        found.append(NOT_LISTED)
    return either(*found)


def cut(types: Iterable[Type], bounds: Sequence[Type]) -> Type:
    """What `x[start:stop:step]` gives."""
    sure = all(
        one == NULL or (isinstance(one, Literal) and scalar_of(one.value) == INTEGER) for one in bounds
    )
    sure = sure and bounds[2] != Literal(0)
    return union_of(*(_cut(one, sure=sure) for one in types))


def _cut(one: Type, *, sure: bool) -> Type:
    if isinstance(one, Unknown):
        return one
    if isinstance(one, Literal) and isinstance(one.value, str):
        one = STRING
    if one != STRING and not isinstance(one, Array):
        return NULL
    return one if sure else nullable(one)


def refined(types: Iterable[Type], keys: tuple[str, ...], keep: Keep, *, trusting: bool) -> Type:
    """The options of a value of which something is known that is under some keys; those are gone that lack it."""
    return union_of(*(_refined(one, keys, keep, trusting=trusting) for one in types))


def _refined(one: Type, keys: tuple[str, ...], keep: Keep, *, trusting: bool) -> Type:
    if not keys:
        return keep(one)
    if isinstance(one, Unknown):
        return one
    if not isinstance(one, Record):
        return one if refined([NULL], keys[1:], keep, trusting=trusting) != NEVER else NEVER
    key, *rest = keys
    before = _member(one, key)
    after = refined(seen(before, trusting=trusting), tuple(rest), keep, trusting=trusting)
    if after == NEVER:
        return NEVER
    found = one.member(key)
    if found is None:
        return one
    return _with_member(one, key, found, after)


def _with_member(record: Record, key: str, found: Member, after: Type) -> Record:
    """The record with more known of one member: what may be absent and is not null is there."""
    names = dict(record.members)
    absent = not found.required and _holds_null(after)
    if absent and not _holds_null(found.type):
        return record  # null stands for its absence, too: nothing is known that can be said
    names[key] = Member(after, required=not absent)
    return Record(tuple(names.items()), record.other, record.source)


def _holds_null(one: Type) -> bool:
    return any(option == NULL or isinstance(option, Unknown) for option in seen(one, trusting=True))


def seen(one: Type, *, trusting: bool) -> tuple[Type, ...]:
    """The options of a type, names opened: what is not verified as expected where it is trusted, else unknown."""
    found: list[Type] = []
    for option in options(one):
        if isinstance(option, Unverified):
            found += seen(option.expected, trusting=trusting) if trusting else [ANYTHING]
        else:
            found.append(option)
    return tuple(dict.fromkeys(found))


ANYTHING = Unknown("nothing enforces it")
