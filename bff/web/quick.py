"""Texts of parameters that plainly are what their schemas ask for, read at a look."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any, Final, TypeAlias

from bff.recipe.model import Schema

Quick: TypeAlias = Callable[[str], Any]
"""Makes the value of a text; UNFIT for one that takes a closer look."""

UNFIT: Final = object()
_NO_MATTER = frozenset({"type", "default", "title", "description", "examples"})
_LONGEST_NUMBER = 18


def quick_for(schema: Schema) -> Quick | None:
    """What reads the texts of a parameter; None for a schema of which a look tells too little."""
    kind, keys = schema.get("type", "string"), schema.keys() - _NO_MATTER
    if kind == "string" and keys == {"enum"}:
        return _Among({one: one for one in schema["enum"] if isinstance(one, str)}).__getitem__
    if kind == "string" and not keys:
        return str
    if kind == "boolean" and not keys:
        return _Among({"true": True, "1": True, "false": False, "0": False}).__getitem__
    if kind == "integer" and keys <= {"minimum", "maximum"}:
        return _integer_within(schema.get("minimum", -inf), schema.get("maximum", inf))
    return None


class _Among(dict[str, Any]):
    """The values of a few texts."""

    def __missing__(self, text: str) -> Any:
        return UNFIT


def _integer_within(least: float, most: float) -> Quick:
    def read(text: str) -> Any:
        # 007 and -0 are looked at by the decoder of JSON.
        if len(text) > _LONGEST_NUMBER or not text.isdecimal() or text[0] == "0" or not text.isascii():
            return UNFIT
        number = int(text)
        return number if least <= number <= most else UNFIT

    return read
