"""Plain schemas: of each value they say what the library says, in its words and its order."""

from __future__ import annotations

import sys
from typing import Any

import jsonschema_rs
import pytest

from bff.validation import Mistake, Validator
from bff.validation.mistakes import found_by_library, mistakes_of
from bff.validation.plain import plain_schema
from tests.properties import given, settings, st

TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
NAMES = st.sampled_from(["a", "b", "c", "d", "long name"])
NUMBERS = (
    st.integers(-3, 3)
    | st.floats(-3, 3)
    | st.sampled_from([1.0, -0.0, 0.1, 1e300, 2**53, 2**53 + 1, float(2**53), 2**63 - 1, -(2**63), 2**64 - 1])
)
TEXTS = st.text(max_size=3) | st.sampled_from(["open", "done", "\U0001f600", "é"])
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)
BOUNDS = st.integers(0, 3)


def schemas_of(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(TYPES) | st.lists(st.sampled_from(TYPES), min_size=1, unique=True),
            "const": SCALARS,
            "enum": st.lists(SCALARS, min_size=1, max_size=3, unique_by=repr),
            **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), NUMBERS),
            **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), BOUNDS),
            **dict.fromkeys(("minProperties", "maxProperties"), BOUNDS),
            "required": st.lists(NAMES, max_size=3, unique=True),
            "properties": st.dictionaries(NAMES, inner, max_size=4),
            "additionalProperties": st.booleans(),
            "items": inner,
            "title": st.just("a title"),
            "default": SCALARS,
        },
    )


SCHEMAS = schemas_of(st.recursive(st.just(True) | schemas_of(st.just(True)), schemas_of, max_leaves=4))
LEAVES = st.sampled_from([{"type": "null"}, {"type": "integer"}, {"enum": ["open"]}, {"minLength": 2}, True])
OBJECTS = st.fixed_dictionaries(
    {"type": st.just("object"), "properties": st.dictionaries(NAMES, LEAVES, min_size=1)},
    optional={
        "required": st.lists(NAMES, max_size=3, unique=True),
        "additionalProperties": st.booleans(),
        "minProperties": BOUNDS,
        "maxProperties": BOUNDS,
    },
)
LISTS = st.fixed_dictionaries(
    {"items": LEAVES | OBJECTS},
    optional={
        "type": st.sampled_from(["array", ["array"], "object"]),
        **dict.fromkeys(("minItems", "maxItems"), BOUNDS),
        "enum": st.just([1]),
        "required": st.just(["a"]),
        "properties": st.just({"a": {"type": "null"}}),
    },
)
OF_NUMBERS = schemas_of(st.just(True)).map(
    lambda schema: {key: schema[key] for key in schema if key not in ("required", "properties", "items")}
)


def of_library(schema: dict[str, Any], value: Any) -> list[Mistake]:
    library = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    return mistakes_of(found_by_library(library, schema, value), schema, value)


def says_the_same(schema: dict[str, Any], value: Any) -> None:
    plain = plain_schema(schema)
    if plain is not None:
        expected = of_library(schema, value)
        assert plain.fits(value) == (expected == [])
        assert mistakes_of(plain.mistakes(value), schema, value) == expected


@given(SCHEMAS, VALUES)
@settings(max_examples=300)
def test_a_plain_schema_says_what_the_library_says(schema: dict[str, Any], value: Any) -> None:
    says_the_same(schema, value)


@given(OF_NUMBERS, SCALARS)
@settings(max_examples=300)
def test_so_it_does_of_single_values(schema: dict[str, Any], value: Any) -> None:
    says_the_same(schema, value)


@given(OBJECTS | LISTS, st.dictionaries(NAMES, SCALARS) | st.lists(st.dictionaries(NAMES, SCALARS) | SCALARS))
@settings(max_examples=300)
def test_so_it_does_of_objects_and_lists(schema: dict[str, Any], value: Any) -> None:
    says_the_same(schema, value)


@pytest.mark.parametrize(
    "schema",
    [
        *({"pattern": "^a"}, {"format": "date"}, {"uniqueItems": True}, {"multipleOf": 2}),
        *({"$ref": "#/$defs/a", "$defs": {"a": True}}, {"allOf": [{"type": "string"}]}, False),
        *({"properties": {"a": {"pattern": "^a"}}}, {"items": {"format": "date"}}, {"items": False}),
        *({"additionalProperties": {"type": "string"}}, {"additionalProperties": False}),
        *({"enum": [["a"]]}, {"const": {}}, {"const": 1.0}, {"maximum": 2**53 + 1}, {"minLength": 1.0}),
    ],
)
def test_what_means_more_is_left_to_the_library(schema: Any) -> None:
    assert plain_schema(schema) is None


def test_the_library_is_not_loaded_for_what_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    schema = {
        "type": "object",
        "required": ["email", "password"],
        "properties": {"email": {"type": "string", "maxLength": 5}, "password": {"type": "string"}},
    }
    validator = Validator(schema)
    assert not validator.needs_library
    assert validator.mistakes({"email": "a@b.c", "password": ""}) == []
    assert validator.mistakes({"email": "a@b.cd"}) == [
        Mistake(("password",), "is required", "required"),
        Mistake(("email",), "is longer than 5 characters", "maxLength", 5),
    ]
