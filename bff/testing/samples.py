"""A request that fits a recipe's input, made from its JSON Schemas as far as they say it plainly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from bff.recipe.model import Parameter, Recipe

_FORMATS = {
    "date": "2026-11-23",
    "date-time": "2026-11-23T08:00:00Z",
    "time": "08:00:00Z",
    "duration": "P1D",
    "email": "ann@example.test",
    "idn-email": "ann@example.test",
    "hostname": "example.test",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.test/a",
    "uri-reference": "/a",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
    "regex": "a+",
}
_LONGEST_TRIED = 64


@dataclass(frozen=True, slots=True)
class GivenInput:
    """What a visitor sends: values of path, query and headers by name, and a body (None: there is none)."""

    path: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None


def sample_input(recipe: Recipe, given: Mapping[str, Any]) -> GivenInput:
    """A request for a recipe; `given` holds the parts that an author wrote, which stand over what is guessed."""
    declared = recipe.input
    guessed = {} if declared.body is None else {"body": sample(declared.body)}
    body = given.get("body", guessed.get("body"))
    return GivenInput(
        {parameter.name: sample(parameter.schema, "id-1") for parameter in declared.path}
        | given.get("path", {}),
        _sampled(declared.query) | given.get("query", {}),
        _sampled(declared.headers) | given.get("headers", {}),
        body,
    )


def _sampled(parameters: Sequence[Parameter]) -> dict[str, Any]:
    return {
        parameter.name: sample(parameter.schema)
        for parameter in parameters
        if parameter.required or "default" not in parameter.schema
    }


def sample(schema: Any, text: str = "text") -> Any:
    """A value that a schema takes, with every member it lists; a guess where it says more than is plain."""
    if not isinstance(schema, Mapping):
        return text
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    for key in ("enum", "examples"):
        if schema.get(key):
            return schema[key][0]
    for key in ("oneOf", "anyOf", "allOf"):
        if schema.get(key):
            return sample(_merged(schema, schema[key] if key == "allOf" else schema[key][:1]), text)
    match _type_of(schema):
        case "object":
            return {name: sample(part) for name, part in schema.get("properties", {}).items()}
        case "array":
            return _list(schema)
        case "integer" | "number":
            return _number(schema)
        case "boolean":
            return True
        case "null":
            return None
    return _text(schema, text)


def _merged(schema: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One schema of several that speak of the same value."""
    found = {key: value for key, value in schema.items() if key not in ("oneOf", "anyOf", "allOf")}
    for part in parts:
        properties = {**found.get("properties", {}), **part.get("properties", {})}
        found |= part
        if properties:
            found["properties"] = properties
    return found


def _type_of(schema: Mapping[str, Any]) -> str:
    declared = schema.get("type")
    types = [declared] if isinstance(declared, str) else list(declared or ())
    if not types:
        return "object" if "properties" in schema else "array" if "items" in schema else "string"
    return str(next((name for name in types if name != "null"), "null"))


def _list(schema: Mapping[str, Any]) -> list[Any]:
    prefix = [sample(part) for part in schema.get("prefixItems", ())]
    count = max(schema.get("minItems", 0), min(2, schema.get("maxItems", 2))) - len(prefix)
    items = schema.get("items", {})
    distinct = list(texts(items)) if _type_of(items) == "string" and "enum" not in items else []
    return prefix + [distinct[at] if at < len(distinct) else sample(items) for at in range(max(count, 0))]


def _number(schema: Mapping[str, Any]) -> int | float:
    least = schema.get("minimum", schema.get("exclusiveMinimum", 0) + ("exclusiveMinimum" in schema))
    step = schema.get("multipleOf", 1)
    wanted: int | float = max(least, min(1, schema.get("maximum", 1)))
    return wanted if step == 1 else -(-wanted // step) * step


def _text(schema: Mapping[str, Any], text: str) -> str:
    return next(texts(schema, text), text)


def texts(schema: Mapping[str, Any], text: str = "text") -> Iterator[str]:
    """Texts that a schema takes, distinct; none where its pattern is beyond trying a few."""
    if schema.get("format") in _FORMATS:
        yield _FORMATS[schema["format"]]
        return
    least, most = schema.get("minLength", 0), schema.get("maxLength", 10_000)
    pattern = schema.get("pattern")
    for tried in chain((text, f"{text}-2"), _tried(max(least, 1))):
        if least <= len(tried) <= most and (pattern is None or re.search(pattern, tried)):
            yield tried


def _tried(least: int) -> Iterator[str]:
    for length in range(least, max(least, _LONGEST_TRIED) + 1):
        for letter in "ab01AB":
            yield letter * length
    yield from (
        "2026-11-23",
        "08:00",
        "a-1",
        "A-1",
        "a_1",
        "a@b.test",
        "+1234567890",
        "#a0a0a0",
        "en-GB",
        "1.5",
    )
