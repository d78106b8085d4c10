"""The type of what a JSON Schema of a page's input takes."""

from __future__ import annotations

from collections.abc import Mapping
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
    Record,
    Type,
    Unknown,
    union_of,
)

_SCALARS = {"string": STRING, "integer": INTEGER, "number": NUMBER, "boolean": BOOLEAN, "null": NULL}
_NOT_READ = ("allOf", "$ref", "$dynamicRef", "not", "if")


def type_of_input(schema: Mapping[str, Any]) -> Type:
    """The type of what is valid; unknown where the schema says it in a way that is not read here."""
    if any(key in schema for key in _NOT_READ):
        return Unknown("the schema of the input refers to others")
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return union_of(*map(type_of_input, schema[key]))
    if "const" in schema or "enum" in schema:
        return union_of(*map(type_of_value, schema.get("enum", [schema.get("const")])))
    kinds = schema.get("type", [*_SCALARS, "array", "object"] if schema else None)
    if kinds is None:
        return Unknown("the schema of the input says no type", "write its type")
    return union_of(*(_of_kind(kind, schema) for kind in ([kinds] if isinstance(kinds, str) else kinds)))


def _of_kind(kind: str, schema: Mapping[str, Any]) -> Type:
    if kind == "array":
        return Array(type_of_input(schema.get("items") or {}))
    if kind != "object":
        return _SCALARS[kind]
    required = schema.get("required", ())
    more = schema.get("additionalProperties", "properties" not in schema)
    other = None if more is False else type_of_input({} if more is True else more)
    properties = schema.get("properties", {})
    members = tuple((name, Member(type_of_input(one), name in required)) for name, one in properties.items())
    return Record(members, other)


def type_of_value(value: Any) -> Type:
    """The type of one JSON value."""
    if isinstance(value, list):
        return Array(union_of(*map(type_of_value, value)))
    if isinstance(value, dict):
        return Record(tuple((name, Member(type_of_value(one))) for name, one in value.items()))
    return NULL if value is None else Literal(value)
