"""Which schemas speak of a value: those beside a schema for the value itself, those below it for what is in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import unquote

Schema: TypeAlias = Mapping[str, Any]

_LISTS = ("allOf", "anyOf", "oneOf")
_SINGLE = ("if", "then", "else", "not")
OTHER_MEMBERS = ("additionalProperties", "unevaluatedProperties", "patternProperties")


def beside(schema: Schema, root: Schema) -> Iterator[Schema]:
    """The schemas that a schema applies to the same value, a local `$ref` followed; booleans are left out."""
    reference = schema.get("$ref")
    found = [_resolved(reference, root)] if isinstance(reference, str) else []
    for key in _LISTS:
        found += schema.get(key, ())
    found += [schema.get(key) for key in _SINGLE]
    found += schema.get("dependentSchemas", {}).values()
    return (one for one in found if isinstance(one, Mapping))


def all_beside(schemas: list[Any], root: Schema) -> list[Schema]:
    """These schemas with all beside them, however far, each once."""
    found = {id(schema): schema for schema in schemas if isinstance(schema, Mapping)}
    waiting = list(found.values())
    while waiting:
        for one in beside(waiting.pop(), root):
            if id(one) not in found:
                found[id(one)] = one
                waiting.append(one)
    return list(found.values())


def of_element(schema: Schema, at: int) -> list[Any]:
    """What a schema says of the element at an index."""
    first = schema.get("prefixItems", ())
    if at < len(first):
        return [first[at]]
    return [schema["items"]] if "items" in schema else []


def of_member(schema: Schema, name: str) -> list[Any]:
    """What a schema says of the member of a name that it lists."""
    listed = schema.get("properties", {})
    return [listed[name]] if name in listed else []


def speaks_of_others(schema: Schema) -> bool:
    """Whether a schema says anything of members that it does not list."""
    return any(key in schema for key in OTHER_MEMBERS)


def _resolved(reference: str, root: Schema) -> Any:
    found: Any = root
    for part in unquote(reference.removeprefix("#")).split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and part.isdecimal() and int(part) < len(found):
            found = found[int(part)]
        else:
            found = found.get(part) if isinstance(found, Mapping) else None
    return found
