"""What JSON Schemas are as types, each as a text."""

from __future__ import annotations

from typing import Any

import pytest

from bff.recipe.types.held import as_held
from bff.types.leaves import leaves_of
from bff.types.model import NULL, Named, Record, Unknown, opened, options
from bff.types.schemas import type_of_schema
from bff.types.text import definitions_of, text_of

REFERENCE = "write what it stands for into the file"
OBJECT = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
NAMED = {"properties": {"id": {"type": "string"}}, "required": ["id"]}


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "string"}, "string"),
        ({"type": "string", "format": "date", "maxLength": 3}, "string"),
        ({"type": ["string", "null"]}, "string | null"),
        ({"type": "integer", "nullable": True}, "integer | null"),
        ({"type": "number", "minimum": 1, "exclusiveMinimum": True}, "number"),
        ({"enum": ["a", 1, None]}, '"a" | 1 | null'),
        ({"type": "string", "enum": ["a"], "nullable": True}, '"a" | null'),
        ({"const": False}, "false"),
        ({"type": "array", "items": {"type": "string"}}, "string[]"),
        ({"items": {"type": "string"}}, "string[]"),
        ({"type": "array"}, "unknown[]"),
        ({"prefixItems": [{"type": "string"}, {"type": "null"}], "items": False}, "(string | null)[]"),
        (OBJECT, "{id: string}"),
        ({"properties": {"a": {"type": "null"}}, "required": ["b"]}, "{a?: null, b: unknown}"),
        ({**OBJECT, "additionalProperties": False}, "{id: string}"),
        ({**OBJECT, "additionalProperties": {"type": "integer"}}, "{id: string, [key]: integer}"),
        ({**OBJECT, "additionalProperties": True}, "{id: string, [key]: unknown}"),
        ({"type": "object", "patternProperties": {"^x": {"type": "null"}}}, "{[key]: null}"),
        ({"type": "object"}, "{[key]: unknown}"),
        ({"allOf": [OBJECT, {"properties": {"n": {"type": "integer"}}}]}, "{id: string, n?: integer}"),
        ({**OBJECT, "allOf": [{"type": "object"}, {"required": ["id", "x"]}]}, "{id: string, x: unknown}"),
        ({"allOf": [{"type": "number"}, {"type": "integer"}]}, "integer"),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, "string | null"),
        ({"anyOf": [OBJECT, {"type": "array", "items": OBJECT}]}, "{id: string} | {id: string}[]"),
        ({"type": "string", "anyOf": [{"minLength": 1}, {"enum": ["a"]}]}, "string"),
        ({"type": "string", "enum": ["a", 1, True]}, '"a"'),
        ({"type": "string", "enum": [1.0, 1.1]}, "string"),
        ({"type": "string", "enum": ["a", None]}, '"a" | null'),
        ({"type": ["string", "null"], "enum": ["a"]}, '"a" | null'),
        ({"type": ["string", "null"], "enum": [1]}, "string | null"),
        ({"type": "integer", "const": "1"}, "integer"),
        ({"type": "number", "enum": [1, 2.5]}, "1 | 2.5"),
        ({"$ref": "#/$defs/X", "$defs": {"X": {"type": "string"}}}, "string"),
        ({"$ref": "#/$defs/a~1b%20c", "$defs": {"a/b c": {"type": "string"}}}, "string"),
        ({"properties": {"p": {"type": "string", "writeOnly": True}}, "required": ["p"]}, "{}"),
        ({"properties": {"p": {"type": "string", "readOnly": True}}}, "{p?: string}"),
        (True, "unknown"),
        (False, "never"),
    ],
)
def test_a_schema_is_a_type(schema: Any, text: str) -> None:
    assert text_of(type_of_schema(schema)) == text


def test_what_is_only_written_is_of_a_request() -> None:
    secret = {"properties": {"p": {"type": "string", "writeOnly": True}}, "required": ["p"]}
    assert text_of(type_of_schema({"type": "object", **secret}, reply=False)) == "{p: string}"


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        (NAMED, "{id: string} | unknown[] | string | number | boolean | null"),
        (
            {"items": NAMED, "type": "array"},
            "({id: string} | unknown[] | string | number | boolean | null)[]",
        ),
        ({"items": {"type": "string"}}, "{[key]: unknown} | string[] | string | number | boolean | null"),
        ({"type": "object", "allOf": [NAMED, {"required": ["x"]}]}, "{id: string, x: unknown}"),
        ({"anyOf": [NAMED, {"required": ["x"]}], **OBJECT}, "{id: string} | {id: string, x: unknown}"),
    ],
)
def test_what_is_sent_may_be_of_any_type_that_a_schema_leaves_open(schema: Any, text: str) -> None:
    assert text_of(type_of_schema(schema, reply=False)) == text


def test_a_schema_that_contains_itself_has_its_name() -> None:
    tree = {"properties": {"child": {"$ref": "#/$defs/Tree"}, "name": {"type": "string"}}}
    found = type_of_schema({"$ref": "#/$defs/Tree", "$defs": {"Tree": tree}})
    assert isinstance(found, Named)
    assert found.name == "Tree"
    assert text_of(found.type) == "{child?: Tree, name?: string}"


def test_a_schema_that_is_but_itself_is_unknown() -> None:
    schema = {"$ref": "#/$defs/A", "$defs": {"A": {"allOf": [{"$ref": "#/$defs/A"}]}}}
    found = type_of_schema(schema)
    assert found == Unknown("the schema has the $ref #/$defs/A, which leads back to it", "correct the schema")


def test_names_within_many_options_are_left_alone_while_they_are_read() -> None:
    options = [{"$ref": "#/$defs/Block"}, *({"const": number} for number in range(20))]
    block = {"properties": {"of": {"oneOf": options}}}
    found = type_of_schema({"$ref": "#/$defs/Block", "$defs": {"Block": block}})
    assert text_of(opened(found)) == "{of?: Block | integer}"


@pytest.mark.parametrize(
    ("schema", "cause", "cure"),
    [
        ({}, "the schema says no type", "write type: there"),
        ({"$ref": "x#/A"}, "the schema has the $ref x#/A, which is of another file", REFERENCE),
        ({"$ref": "#/A"}, "the schema has the $ref #/A, which leads nowhere", REFERENCE),
        (
            {"type": "file"},
            "the schema has an unknown type",
            "allowed are: string, integer, number, boolean, null, array, object",
        ),
        ({"enum": [[1]]}, "the schema lists values that are no scalars", "describe them by type:"),
        (
            {"allOf": [{"type": "string"}, {"type": "integer"}]},
            "the schema has parts that exclude each other",
            "correct the schema",
        ),
    ],
)
def test_what_cannot_be_read_says_why(schema: Any, cause: str, cure: str) -> None:
    assert type_of_schema(schema) == Unknown(cause, cure)


def test_a_schema_of_any_depth_ends() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(200):
        schema = {"type": "array", "items": schema}
    assert text_of(type_of_schema(schema), 1000) == "unknown" + "[]" * 60


def ring(length: int) -> dict[str, Any]:
    """Schemas of which each refers to the next, and to one far from it."""
    return {
        f"S{at}": {
            "type": "object",
            "required": ["next", "own"],
            "properties": {
                "next": {"$ref": f"#/$defs/S{(at + 1) % length}"},
                "far": {
                    "nullable": True,
                    "anyOf": [{"type": "string"}, {"$ref": f"#/$defs/S{at * 7 % length}"}],
                },
                "own": {"const": at},
            },
        }
        for at in range(length)
    }


def test_schemas_may_refer_to_each_other_in_chains_of_any_length() -> None:
    length = 1500
    found = as_held(type_of_schema({"$ref": "#/$defs/S0", "$defs": ring(length)}))
    for at in range(length + 2):
        record = opened(found)
        assert isinstance(record, Record)
        members = dict(record.members)
        assert text_of(members["own"].type) == f"{at % length} (unverified)"
        assert {type(opened(one)).__name__ for one in options(members["far"].type)} == {"Scalar", "Record"}
        found = members["next"].type
    assert len(definitions_of(found)) > length / 60
    assert all(leaf.typed for leaf in leaves_of(found))


def test_what_waits_for_others_is_there_where_it_is_a_part_of_one() -> None:
    defs = ring(40)
    defs["S39"]["properties"]["next"] = {"$ref": "#/$defs/Late"}
    defs["Late"] = {"type": "object", "properties": {"a": {"type": "string"}}}
    late = {"allOf": [{"$ref": "#/$defs/Late"}, {"type": "object", "properties": {"b": {"type": "integer"}}}]}
    schema = {"properties": {"deep": {"$ref": "#/$defs/S0"}, "late": late}, "$defs": defs}
    found = type_of_schema(schema)
    assert isinstance(found, Record)
    assert text_of(opened(dict(found.members)["late"].type)) == "{a?: string, b?: integer}"


def test_a_record_knows_where_it_is_written() -> None:
    found = type_of_schema(OBJECT, place_of=lambda part: "clients/people.openapi.yaml:7")
    assert isinstance(found, Record)
    assert found.source == "clients/people.openapi.yaml:7"


def test_a_record_of_several_parts_is_written_where_they_are_put_together() -> None:
    schema = {"title": "whole", "allOf": [{"title": "part"} | OBJECT, {"title": "rest", "required": ["a"]}]}
    found = type_of_schema(schema, place_of=lambda part: part["title"])
    assert isinstance(found, Record)
    assert found.source == "whole"


def test_what_stands_in_many_places_is_made_once() -> None:
    at = {name: {"nullable": True, "allOf": [{"$ref": "#/$defs/S0"}]} for name in "abcd"}
    defs: dict[str, Any] = {"S12": {"type": "string"}}
    for number in range(12):
        below = {"$ref": f"#/$defs/S{number + 1}"}
        members = {name: {"nullable": True, "allOf": [below]} for name in "abcd"}
        defs[f"S{number}"] = {"type": "object", "properties": members}
    found = as_held(type_of_schema({"type": "object", "properties": at, "$defs": defs}))  # 67 million places
    for _ in range(13):
        assert isinstance(found, Record)
        found = next(option for option in options(dict(found.members)["a"].type) if option != NULL)
    assert text_of(found) == "string"
