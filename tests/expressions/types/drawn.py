"""Types as hypothesis makes them, and values of a type."""

from __future__ import annotations

from typing import Any

from bff.types.model import (
    BOOLEAN,
    INTEGER,
    NULL,
    NUMBER,
    STRING,
    Array,
    Literal,
    Member,
    Named,
    Record,
    Type,
    Union,
    Unknown,
    Unverified,
    union_of,
    unverified,
)
from tests.expressions.generated import FLOATS, KEYS, NUMBERS, TEXTS, values
from tests.properties import st

_WHOLE = (*NUMBERS, 7.0, 0.0)
_KINDS = {
    NULL: st.none(),
    BOOLEAN: st.booleans(),
    INTEGER: st.sampled_from(_WHOLE),
    NUMBER: st.sampled_from((*NUMBERS, *FLOATS)),
    STRING: st.sampled_from(TEXTS),
}
_literals = st.sampled_from(["a", "b", "open", 1, 2, True, False, 0, ""]).map(Literal)
_leaves = st.one_of(st.sampled_from(list(_KINDS)), _literals, st.just(Unknown("drawn")))


@st.composite
def _records(draw: Any, inner: Any) -> Type:
    members = draw(st.dictionaries(st.sampled_from(KEYS), st.tuples(inner, st.booleans()), max_size=4))
    other = draw(st.none() | inner) if not draw(st.booleans()) else None
    source = draw(st.sampled_from(["", "people.yaml:3"])) if other is None else ""
    return Record(tuple((name, Member(*pair)) for name, pair in members.items()), other, source)


types = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        inner.map(Array),
        _records(inner),
        _records(inner).map(Array),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: union_of(*parts)),
        inner.map(unverified),
    ),
    max_leaves=8,
)


def value_of(one: Type) -> Any:
    """Values of a type."""
    match one:
        case Unknown():
            return values
        case Unverified(expected=expected):
            return value_of(expected) | values
        case Literal(value=value):
            return st.just(value)
        case Array(element=Union(options=())):
            return st.just([])
        case Array(element=Named() as element):  # one that holds itself ends somewhere
            return st.lists(value_of(element), max_size=1)
        case Array(element=element):
            return st.lists(value_of(element), max_size=3)
        case Union(options=parts):
            return st.one_of(*map(value_of, parts))
        case Named():
            return value_of(one.type)
        case Record():
            return _mapping(one)
    return _KINDS[one]  # type: ignore[index]


@st.composite
def _mapping(draw: Any, record: Record) -> dict[str, Any]:
    found = {}
    for name, member in record.members:
        if member.required or draw(st.booleans()):
            found[name] = draw(value_of(member.type))
    extra = record.other if record.other is not None else Unknown() if record.source else None
    if extra is not None:
        for name in draw(st.lists(st.sampled_from(KEYS), max_size=2)):
            if name not in dict(record.members):
                found[name] = draw(value_of(extra))
    return found
