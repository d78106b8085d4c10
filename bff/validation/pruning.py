"""Values without the members that their schema does not list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bff.validation.subschemas import Schema, all_beside, of_element, of_member, speaks_of_others

_DESCRIBING = ("type", "properties", "items", "prefixItems")


def prune(schema: Schema, value: Any) -> Any:
    """`value` without the members that no object schema lists, where those are silent on others (in all depths).

    Each list and mapping of the value is looked at once, with all schemas that speak of it together.
    """
    return _Pruning(schema).pruned([schema], value)


class _Pruning:
    """One value being pruned by one schema."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._parts: dict[tuple[int, ...], list[Schema]] = {}

    def pruned(self, schemas: list[Any], value: Any) -> Any:
        if isinstance(value, dict):
            return self._members(self._parts_of(schemas), value)
        return self._elements(self._parts_of(schemas), value) if isinstance(value, list) else value

    def _members(self, parts: list[Schema], value: Mapping[str, Any]) -> dict[str, Any]:
        keeps_others = not parts or any(map(speaks_of_others, parts))
        kept = {}
        for name, member in value.items():
            listed = [found for part in parts for found in of_member(part, name)]
            if listed:
                kept[name] = self.pruned(listed, member) if isinstance(member, dict | list) else member
            elif keeps_others:
                kept[name] = member
        return kept

    def _elements(self, parts: list[Schema], value: list[Any]) -> list[Any]:
        first = max((len(part.get("prefixItems", ())) for part in parts), default=0)
        of_rest = [found for part in parts for found in of_element(part, first)]
        kept = []
        for at, element in enumerate(value):
            if element and isinstance(element, dict | list):
                listed = of_rest
                if at < first:
                    listed = [found for part in parts for found in of_element(part, at)]
                element = self.pruned(listed, element)
            kept.append(element)
        return kept

    def _parts_of(self, schemas: list[Any]) -> list[Schema]:
        """What describes the value that these schemas speak of; the same schemas are gone through once."""
        key = tuple(map(id, schemas))
        parts = self._parts.get(key)
        if parts is None:
            found = all_beside(schemas, self._root)
            parts = self._parts[key] = [one for one in found if any(name in one for name in _DESCRIBING)]
        return parts
