"""Pruning: what no schema lists is dropped, what one of several lists is kept, each part is looked at once."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from bff.validation import prune
from tests.calls import python_calls
from tests.validation.test_mistakes import nested, twice

NODE = {
    "oneOf": [
        {
            "type": "object",
            "properties": {
                "op": {"const": op},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            },
        }
        for op in ("and", "or")
    ]
    + [{"type": "object", "properties": {"leaf": {"type": "string"}}}],
}
TREE = {"$defs": {"node": NODE}, "$ref": "#/$defs/node"}


def tree(levels: int, **more: Any) -> Any:
    value: Any = {"leaf": "x", **more}
    for level in range(levels):
        value = {"op": ("and", "or")[level % 2], "children": [value], **more}
    return value


@pytest.mark.parametrize(
    ("schema", "value_of"),
    [
        (TREE, tree),
        (twice("oneOf"), lambda levels: nested(levels, 1)),
        (twice("anyOf"), lambda levels: nested(levels, {})),
        (twice("allOf"), lambda levels: nested(levels, "x")),
        ({"allOf": [{"items": {"$ref": "#"}}, {"prefixItems": [{"$ref": "#"}]}]},
         lambda levels: [[[]]] if not levels else [nested(levels, [])]),
    ],
    ids=["tree", "oneOf", "anyOf", "allOf", "lists"],
)  # fmt: skip
def test_the_work_grows_with_the_value_and_not_with_the_ways_through_the_schema(
    schema: Any, value_of: Any
) -> None:
    little, twice_that = (
        python_calls(partial(prune, schema, value)) for value in (value_of(20), value_of(40))
    )
    assert twice_that < 2.5 * little


def test_what_any_branch_lists_is_kept_and_all_else_dropped_on_every_level() -> None:
    assert prune(TREE, tree(16, role="admin")) == tree(16)


def test_members_of_the_same_name_in_two_branches_keep_what_either_lists() -> None:
    first = {"properties": {"a": {"type": "object", "properties": {"x": {}}}}}
    second = {"properties": {"a": {"type": "object", "properties": {"y": {}}}}}
    for keyword in ("oneOf", "anyOf", "allOf"):
        assert prune({keyword: [first, second]}, {"a": {"x": 1, "y": 2, "z": 3}}) == {"a": {"x": 1, "y": 2}}


def test_elements_keep_what_either_branch_lists() -> None:
    lists = [{"items": {"type": "object", "properties": {name: {}}}} for name in "xy"]
    assert prune({"anyOf": lists}, [{"x": 1}, {"y": 2, "z": 3}]) == [{"x": 1}, {"y": 2}]
    first = {"prefixItems": [{"type": "object", "properties": {"p": {}}}], "items": lists[0]["items"]}
    assert prune(first, [{"p": 1, "x": 1}, {"p": 1, "x": 1}]) == [{"p": 1}, {"x": 1}]


def test_what_depends_on_a_member_lists_members_too() -> None:
    schema = {
        "type": "object",
        "properties": {"kind": {"type": "string"}},
        "dependentSchemas": {"kind": {"properties": {"size": {"type": "integer"}}}},
    }
    assert prune(schema, {"kind": "a", "size": 1, "role": "admin"}) == {"kind": "a", "size": 1}


@pytest.mark.parametrize("reference", ["#/$defs/a%20b", "#/allOf/0", "#/$defs/c~1d"])
def test_references_are_followed_however_they_are_written(reference: str) -> None:
    named = {"type": "object", "properties": {"name": {"type": "string"}}}
    schema = {
        "$defs": {"a b": named, "c/d": named},
        "properties": {"who": {"$ref": reference}},
        "allOf": [named],
    }
    assert prune(schema, {"who": {"name": "x", "role": "admin"}}) == {"who": {"name": "x"}}


def test_a_schema_that_leads_to_itself_ends() -> None:
    schema = {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}
    assert prune(schema, {"x": [1]}) == {"x": [1]}
