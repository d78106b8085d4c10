"""JSON Schemas at work: validators of them, and values without the members that they do not list."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def validator_of(schema: Mapping[str, Any]) -> Any:
    """A validator of a checked schema, formats included."""
    import jsonschema_rs  # only pages with input need it

    return jsonschema_rs.Draft202012Validator(dict(schema), validate_formats=True)


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
