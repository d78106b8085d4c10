"""Input that is guessed from JSON Schemas fits them."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from bff.testing.samples import sample


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {"type": "string", "minLength": 30, "maxLength": 31},
        {"type": "string", "pattern": r"\S"},
        {"type": "string", "pattern": "^[a-z0-9]{15}$"},
        {"type": "string", "pattern": "^[A-Z]{2}$"},
        {"type": "string", "pattern": r"^\+?[0-9]{8,15}$"},
        {"type": "string", "maxLength": 1},
        {"type": "string", "format": "email", "maxLength": 255},
        {"type": "string", "format": "date"},
        {"type": "string", "format": "uuid"},
        {"type": "string", "enum": ["open", "done"]},
        {"type": ["string", "null"], "format": "date"},
        {"type": "integer"},
        {"type": "integer", "minimum": 5, "maximum": 9},
        {"type": "integer", "exclusiveMinimum": 3},
        {"type": "number", "maximum": 0},
        {"type": "integer", "minimum": 1, "multipleOf": 5},
        {"type": "boolean"},
        {"const": 7},
        {"type": "array", "minItems": 3, "uniqueItems": True, "items": {"type": "string"}},
        {"type": "array", "maxItems": 1, "items": {"type": "integer"}},
        {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "pattern": "^[a-z0-9]{15}$"},
            "uniqueItems": True,
        },
        {
            "type": "object",
            "required": ["a"],
            "properties": {"a": {"type": "integer"}, "b": {"type": "string"}},
        },
        {"type": "object", "minProperties": 1, "properties": {"a": {"type": "string"}}},
        {"oneOf": [{"type": "integer"}, {"type": "string"}]},
        {"allOf": [{"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}]},
    ],
)
def test_a_sample_fits_its_schema(schema: dict[str, Any]) -> None:
    found = sample(schema)
    assert [error.message for error in jsonschema_rs.iter_errors(schema, found)] == []


def test_a_default_stands_over_what_is_guessed() -> None:
    assert sample({"type": "string", "default": "newest", "enum": ["oldest", "newest"]}) == "newest"


def test_every_listed_member_is_sent() -> None:
    schema = {"type": "object", "required": ["a"], "properties": {"a": {"const": 1}, "b": {"const": 2}}}
    assert sample(schema) == {"a": 1, "b": 2}
