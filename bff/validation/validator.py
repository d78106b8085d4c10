"""What fits a schema, and what of a value does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bff.validation.mistakes import Mistake, mistakes_of


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

    def mistakes(self, value: Any) -> list[Mistake]:
        """What does not fit, at most `MOST_MISTAKES`; empty for a value that does."""
        return [] if self.is_valid(value) else mistakes_of(self._library(), self.schema, value)

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
