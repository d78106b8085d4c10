"""JSON Schemas at work: validators of them, and values without the members that they do not list."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def validator_of(schema: Mapping[str, Any]) -> Any:
    """A validator of a checked schema, formats included."""
    import jsonschema_rs  # only pages with input need it

    return jsonschema_rs.Draft202012Validator(dict(schema), validate_formats=True)


class Validator:
    """Says whether values fit a checked schema, formats included.

    Most parameters have plain schemas, and most values fit: the library, which takes 20 ms to load, is asked only
    where a look is not enough.
    """

    __slots__ = ("_asked", "_plain", "schema")

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = schema
        self._plain = _plain_kind(schema)
        self._asked: Any = None

    def is_valid(self, value: Any) -> bool:
        """Whether a value fits."""
        if value.__class__ is self._plain and _fits_plainly(value, self.schema):
            return True
        fits: bool = self._library().is_valid(value)
        return fits

    def iter_errors(self, value: Any) -> Iterator[Any]:
        """What does not fit, as the library tells it."""
        errors: Iterator[Any] = self._library().iter_errors(value)
        return errors

    def __reduce__(self) -> tuple[Any, ...]:
        return Validator, (self.schema,)

    def _library(self) -> Any:
        if self._asked is None:
            self._asked = validator_of(self.schema)
        return self._asked


_NO_MATTER = frozenset({"type", "default", "title", "description", "examples"})
_PLAIN: Mapping[str, tuple[type, frozenset[str]]] = {
    "string": (str, frozenset({"enum", "minLength", "maxLength"})),
    "integer": (int, frozenset({"minimum", "maximum"})),
    "boolean": (bool, frozenset()),
}


def _plain_kind(schema: Mapping[str, Any]) -> type | None:
    """The class of the values for which `_fits_plainly` knows the schema's every key."""
    declared = schema.get("type")
    if not isinstance(declared, str) or declared not in _PLAIN:
        return None
    kind, keys = _PLAIN[declared]
    return kind if schema.keys() <= _NO_MATTER | keys else None


def _fits_plainly(value: Any, schema: Mapping[str, Any]) -> bool:
    if value.__class__ is str:
        least, most = schema.get("minLength", 0), schema.get("maxLength", len(value))
        return least <= len(value) <= most and ("enum" not in schema or value in schema["enum"])
    return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))


_SAME_INSTANCE = ("allOf", "anyOf", "oneOf")
_CONDITIONAL = ("if", "then", "else", "not")


def prune(schema: Any, value: Any, root: Mapping[str, Any]) -> Any:
    """`value` without the members that no object schema lists, where those are silent on others (in all depths)."""
    if not isinstance(value, dict | list):
        return value
    parts = list(_parts(schema, root))
    if isinstance(value, list):
        return [
            prune(_element(parts, at), item, root) if isinstance(item, dict | list) else item
            for at, item in enumerate(value)
        ]
    kept = {}
    for name, member in value.items():
        listed = [part["properties"][name] for part in parts if name in part.get("properties", ())]
        if listed:
            kept[name] = functools.reduce(lambda found, part: prune(part, found, root), listed, member)
        elif any(_speaks_of_others(part) for part in parts) or not parts:
            kept[name] = member
    return kept


def _element(parts: Iterable[Mapping[str, Any]], at: int) -> Any:
    for part in parts:
        prefix = part.get("prefixItems", ())
        if at < len(prefix):
            return prefix[at]
        if "items" in part:
            return part["items"]
    return {}


def _speaks_of_others(part: Mapping[str, Any]) -> bool:
    return any(key in part for key in ("additionalProperties", "unevaluatedProperties", "patternProperties"))


def _parts(schema: Any, root: Mapping[str, Any], depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """The schema and every schema that speaks of the same instance, local `$ref`s followed."""
    if not isinstance(schema, Mapping) or depth > 20:
        return
    if any(key in schema for key in ("type", "properties", "items", "prefixItems")):
        yield schema
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#"):
        yield from _parts(_resolve(reference, root), root, depth + 1)
    for key in _SAME_INSTANCE:
        for part in schema.get(key, ()):
            yield from _parts(part, root, depth + 1)
    for key in _CONDITIONAL:
        yield from _parts(schema.get(key), root, depth + 1)


def _resolve(reference: str, root: Mapping[str, Any]) -> Any:
    found: Any = root
    for part in reference.removeprefix("#").split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
