"""The rules of JSON values: their text, their keys, and what makes a value plain JSON."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from bff import jsontext
from bff.expressions.conversions import NotPlain, nearer_to_json

MIN_INTEGER = -(2**63)
MAX_INTEGER = 2**64 - 1
FIRST_INEXACT = 2**53
"""From here on floats stand for several integers each."""
MAX_KEY = 4_096
MAX_DEPTH = 100
_MAX_NODES = 1_000_000

MEMBER = "m_"
"""What the members of replies begin with where they are attributes of a struct: nothing else has such attributes."""

MEMBER_DEPTH = 2
"""How many levels what is in such a member nests, at most, where it is no struct."""

NUMBERS = frozenset({int, float})


def is_number(value: Any) -> bool:
    """Tells whether a value is a number; a boolean is none."""
    return value.__class__ in NUMBERS


def to_text(value: Any) -> str | None:
    """The text of a value, as in URLs, headers and f-strings; null, lists and mappings have none."""
    kind = value.__class__
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is bool:
        return "true" if value else "false"
    return repr(value) if kind in NUMBERS else None


def key_text(value: Any) -> str | None:
    """The key that a value is in a mapping; null, lists, mappings and texts of over 4,096 characters are none.

    A float that is whole is the key that the equal integer is: one backend writes 7.0 where another writes 7.
    """
    kind = value.__class__
    if kind is str:
        return value if len(value) <= MAX_KEY else None
    if kind is float and value.is_integer() and abs(value) < FIRST_INEXACT:
        return repr(int(value))
    return to_text(value)


def is_within_64_bits(value: Any) -> bool:
    """Tells whether a number is one to calculate with; floats all are."""
    return value.__class__ is float or MIN_INTEGER <= value <= MAX_INTEGER


def number(value: float) -> int | float | None:
    """A computed number, or null when it is not finite or over 64 bits."""
    if value.__class__ is float:
        return value if math.isfinite(value) else None
    return value if MIN_INTEGER <= value <= MAX_INTEGER else None


def plain(value: Any, charge: Callable[[int], None] = lambda work: None) -> Any:
    """A function's result as plain JSON; raises NotPlain when it is none.

    Tuples and generators become lists, keys texts; dates, times with a zone and UUIDs texts, dataclasses mappings;
    numbers that JSON has not become null, halves of characters U+FFFD. `charge` is told of the work before it is done,
    and may raise.
    """
    return _Plainer(charge).plain(value, 0)


class _Plainer:
    """Copies what is not known yet; a list or mapping that occurs twice is copied once."""

    def __init__(self, charge: Callable[[int], None]) -> None:
        self.charge = charge
        self.copies: dict[int, Any] = {}
        self.kept: list[Any] = []
        self.nodes = 0

    def plain(self, value: Any, depth: int) -> Any:
        if value is None or value is True or value is False:
            return value
        if isinstance(value, str):
            self.charge(len(value) >> 5)
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if isinstance(value, int):
            if abs(value) >= 10**jsontext.MAX_DIGITS:
                raise NotPlain(f"an integer of over {jsontext.MAX_DIGITS} digits", "return a text: str(…)")
            return int(value)
        if isinstance(value, float):
            return number(float(value))
        if depth >= MAX_DEPTH:
            raise NotPlain(f"what is nested over {MAX_DEPTH} deep", "return less of it")
        if id(value) not in self.copies:
            known = isinstance(value, (dict, list, tuple))
            self.copies[id(value)] = (
                self.container(value, depth + 1) if known else self.converted(value, depth)
            )
        return self.copies[id(value)]

    def converted(self, value: Any, depth: int) -> Any:
        nearer = nearer_to_json(value, _MAX_NODES)
        self.kept.append(nearer)  # `copies` knows values by their address: nothing else may get this one's
        return self.plain(nearer, depth)

    def container(self, value: Any, depth: int) -> Any:
        self.nodes += len(value)
        if self.nodes > _MAX_NODES:
            raise NotPlain(f"over {_MAX_NODES:,} values", "return less of it")
        self.charge(4 * len(value))
        if not isinstance(value, dict):
            return [self.plain(item, depth) for item in value]
        keys = {key: key_text(self.plain(key, depth)) for key in value}
        return {text: self.plain(value[key], depth) for key, text in keys.items() if text is not None}
