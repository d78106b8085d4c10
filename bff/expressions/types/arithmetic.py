"""Types of what operators give. A computed number over 64 bits is null, as is what makes no sense."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from bff.types.model import (
    BOOLEAN,
    INTEGER,
    NULL,
    NUMBER,
    STRING,
    Array,
    Literal,
    Scalar,
    Type,
    Unknown,
    scalar_of,
    union_of,
)

_NUMBERS = frozenset({INTEGER, NUMBER})


def kind_of(one: Type) -> Type:
    """An option without what only tells values of one kind apart."""
    return scalar_of(one.value) if isinstance(one, Literal) else one


def calculated(operator: ast.operator, left: Iterable[Type], right: Iterable[Type]) -> Type:
    """What an operator makes of two values, of which these are the options."""
    lefts, rights = list(map(kind_of, left)), list(map(kind_of, right))
    pair = _added if isinstance(operator, ast.Add) else _whole
    found = union_of(*(pair(one, other) for one in lefts for other in rights))
    if isinstance(operator, ast.Div) and found != NULL:
        return union_of(NUMBER, NULL)
    return found


def _added(one: Type, other: Type) -> Type:
    if isinstance(one, Unknown) and isinstance(other, Unknown):
        return one
    if isinstance(one, Array) and isinstance(other, Array):
        return Array(union_of(one.element, other.element))
    for known, unknown in ((one, other), (other, one)):
        if isinstance(unknown, Unknown) and isinstance(known, Array):
            return union_of(Array(unknown), NULL)
        if isinstance(unknown, Unknown) and known == STRING:
            return union_of(STRING, NULL)
    return STRING if one == other == STRING else _whole(one, other)


def _whole(one: Type, other: Type) -> Type:
    """Of two numbers; whole ones stay whole."""
    if one == other == INTEGER:
        return union_of(INTEGER, NULL)
    if all(isinstance(part, Unknown) or part in _NUMBERS for part in (one, other)):
        return union_of(NUMBER, NULL)
    return NULL


def negated(types: Iterable[Type]) -> Type:
    """What `-` makes of a value."""
    return union_of(*(_whole(kind, kind) for kind in map(kind_of, types)))


def ordered(left: Iterable[Type], right: Iterable[Type]) -> Type:
    """What `<` gives: null unless both are numbers or both texts."""
    lefts, rights = list(map(kind_of, left)), list(map(kind_of, right))
    return union_of(*(_order(one, other) for one in lefts for other in rights))


def _order(one: Type, other: Type) -> Type:
    if _is_ordered(one) and _is_ordered(other):
        if isinstance(one, Unknown) or isinstance(other, Unknown):
            return union_of(BOOLEAN, NULL)
        return BOOLEAN if (one in _NUMBERS) is (other in _NUMBERS) else NULL
    return NULL


def _is_ordered(one: Type) -> bool:
    return isinstance(one, Unknown) or (isinstance(one, Scalar) and one in {*_NUMBERS, STRING})
