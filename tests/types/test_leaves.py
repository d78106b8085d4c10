"""The fields of a type, as they are counted."""

from __future__ import annotations

import pytest

from bff.types.leaves import leaves_of
from bff.types.model import (
    INTEGER,
    NULL,
    STRING,
    Array,
    Member,
    Named,
    Record,
    Type,
    Unknown,
    Unverified,
    union_of,
)

NODES: dict[str, Type] = {}
NODE = Named("Node", NODES)
NODES["Node"] = Record((("name", Member(STRING)), ("children", Member(Array(NODE)))))
ROW = Record((("id", Member(STRING)), ("a b", Member(union_of(INTEGER, NULL)))))


@pytest.mark.parametrize(
    ("one", "paths"),
    [
        (STRING, [""]),
        (ROW, ["id", "['a b']"]),
        (Array(ROW), ["[*].id", "[*]['a b']"]),
        (union_of(ROW, NULL), ["id", "['a b']"]),
        (union_of(ROW, STRING), ["id", "['a b']", ""]),
        (Record((), ROW), ["[key].id", "[key]['a b']"]),
        (Record(), [""]),
        (Record((("tree", Member(NODE)),)), ["tree.name"]),
    ],
)
def test_a_field_is_where_a_value_ends(one: Type, paths: list[str]) -> None:
    assert [leaf.path for leaf in leaves_of(one)] == paths


def test_what_is_unknown_or_unverified_says_so() -> None:
    unknown = Unknown("why", "how")
    found = leaves_of(
        Record((("a", Member(unknown)), ("b", Member(Unverified(STRING))), ("c", Member(STRING))))
    )
    assert [(leaf.typed, leaf.unknown, leaf.unverified) for leaf in found] == [
        (False, unknown, False),
        (True, None, True),
        (True, None, False),
    ]
