"""What is written of a reply that came: a JSON Schema of types, without any value of it.

Of an object only those members are named that a recipe reads by a name that stands in it. All other keys may be data
(an id, an address, somebody's name), however much they look like fields: what is read by computed keys, or gone over,
becomes `additionalProperties`, and what nobody reads is left out. So each word of a learned file is one of JSON
Schema, or stands in a recipe already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from bff.expressions.paths import Any_, Path

Schema: TypeAlias = dict[str, Any]

_MOST_NESTED = 20
_MOST_ELEMENTS = 1000
_ORDER = ("boolean", "integer", "number", "string", "array", "object", "null")
_AUTHORS = frozenset({"$ref", "allOf", "anyOf", "oneOf", "enum", "const", "not", "if"})
"""What only a person writes: a schema with one of these stays as it is."""


class Names:
    """The members that recipes read of one value, by name or by computed keys."""

    def __init__(self, paths: Iterable[Path] = ()) -> None:
        self.members: dict[str, Names] = {}
        self.element: Names | None = None
        for path in paths:
            node = self
            for key in path:
                node = node.at(key)

    def at(self, key: str | Any_) -> Names:
        """The names below a key, which are noted as read."""
        if isinstance(key, Any_):
            self.element = self.element or Names()
            return self.element
        return self.members.setdefault(key, Names())


def schema_of(value: Any, names: Names, depth: int = 0) -> Schema:
    """The JSON Schema of a value, as far as these names are read of it."""
    if isinstance(value, dict):
        return _of_object(value, names, depth + 1)
    if isinstance(value, list):
        return _of_list(value, names, depth + 1)
    return {"type": _kind_of(value)}


def _kind_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    return "number" if isinstance(value, float) else "string"


def _of_object(value: Mapping[str, Any], names: Names, depth: int) -> Schema:
    found: Schema = {"type": "object"}
    if depth > _MOST_NESTED:
        return found
    members = names.members
    read = {name: schema_of(one, members[name], depth) for name, one in value.items() if name in members}
    if read:
        found["properties"] = read
    if names.element is not None:
        rest = [one for name, one in value.items() if name not in members][:_MOST_ELEMENTS]
        if rest:
            found["additionalProperties"] = _of_all(rest, names.element, depth)
    return found


def _of_list(value: list[Any], names: Names, depth: int) -> Schema:
    if not value or depth > _MOST_NESTED:
        return {"type": "array"}
    return {"type": "array", "items": _of_all(value[:_MOST_ELEMENTS], names.element or Names(), depth)}


def _of_all(values: list[Any], names: Names, depth: int) -> Schema:
    found: Schema = {}
    for value in values:
        found = merged(found, schema_of(value, names, depth))
    return found


def merged(known: Schema, seen: Schema) -> Schema:
    """A schema that is wide enough for what was seen, too; all that an author wrote beside types stays."""
    if not known or known.keys() & _AUTHORS:
        return known or seen
    found = dict(known)
    if types := _types(known, seen):
        found["type"] = types
    for word in ("items", "additionalProperties"):
        if word in seen and isinstance(known.get(word, {}), dict):
            found[word] = merged(known.get(word, {}), seen[word])
    if "properties" in seen and isinstance(known.get("properties", {}), dict):
        properties = dict(known.get("properties", {}))
        for name, schema in seen["properties"].items():
            before = properties.get(name, {})
            properties[name] = merged(before, schema) if isinstance(before, dict) else before
        found["properties"] = properties
    return found


def _types(known: Schema, seen: Schema) -> str | list[str]:
    """The types of both; what an author left open stays so."""
    written = known.get("type", [])
    before = [written] if isinstance(written, str) else list(written)
    if not before and known:
        return []
    both = {*before, seen["type"]} if isinstance(seen["type"], str) else {*before, *seen["type"]}
    if "number" in both:
        both.discard("integer")
    if both == set(before):
        return written  # type: ignore[no-any-return]
    found = [kind for kind in _ORDER if kind in both]
    return found[0] if len(found) == 1 else found
