"""What fits a schema, and what of a value does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bff.validation.mistakes import Mistake, found_by_library, mistakes_of
from bff.validation.plain import NO_MATTER, PlainSchema, plain_schema


def validator_of(schema: Mapping[str, Any]) -> Any:
    """A validator of a checked schema, formats included."""
    import jsonschema_rs  # only pages whose input is more than plain need it

    return jsonschema_rs.Draft202012Validator(dict(schema), validate_formats=True)


class Validator:
    """Says whether values fit a checked schema, formats included.

    The library takes 20 ms to load and weighs more than all else that a page needs: it is asked only by schemas that
    are more than plain.
    """

    __slots__ = ("_asked", "_at_a_look", "_plain", "schema")

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = schema
        self._at_a_look = _plain_kind(schema)
        self._plain: PlainSchema | None = None
        self._asked: Any = None

    @property
    def needs_library(self) -> bool:
        """Whether the schema is more than plain."""
        return plain_schema(self.schema) is None

    def is_valid(self, value: Any) -> bool:
        """Whether a value fits."""
        if value.__class__ is self._at_a_look and _fits_plainly(value, self.schema):
            return True
        plain = self._plainly()
        fits: bool = self._library().is_valid(value) if plain is None else plain.fits(value)
        return fits

    def mistakes(self, value: Any) -> list[Mistake]:
        """What does not fit, at most `MOST_MISTAKES`; empty for a value that does."""
        if self.is_valid(value):
            return []
        plain = self._plainly()
        if plain is not None:
            return mistakes_of(plain.mistakes(value), self.schema, value)
        return mistakes_of(found_by_library(self._library(), self.schema, value), self.schema, value)

    def __reduce__(self) -> tuple[Any, ...]:
        return Validator, (self.schema,)

    def _plainly(self) -> PlainSchema | None:
        """What the schema asks, where it is plain; worked out once."""
        if self._plain is None and self._asked is None:
            self._plain = plain_schema(self.schema)
        return self._plain

    def _library(self) -> Any:
        if self._asked is None:
            self._asked = validator_of(self.schema)
        return self._asked


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
    return kind if schema.keys() <= NO_MATTER | {"type"} | keys else None


def _fits_plainly(value: Any, schema: Mapping[str, Any]) -> bool:
    if value.__class__ is str:
        least, most = schema.get("minLength", 0), schema.get("maxLength", len(value))
        return least <= len(value) <= most and ("enum" not in schema or value in schema["enum"])
    return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))
