"""Texts that come from elsewhere or go there: patterns, addresses, Base64, JSON. A room of the library.

A value of the wrong kind gives null.
"""

from __future__ import annotations

import binascii
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bff import jsontext
from bff.errors import BoundError
from bff.expressions.evaluation import Evaluation, text_size
from bff.expressions.library import Function, library
from bff.expressions.values import MAX_DEPTH

if TYPE_CHECKING:
    from bff.expressions.patterns import Pattern

FUNCTIONS: dict[str, Function] = {}
_declare = partial(library, FUNCTIONS)

_OTHER_ALPHABET = str.maketrans("-_", "+/", " \t\r\n")


@_declare("matches(text, r'^[a-z]+$')", 2, 2, "boolean of string, string")
def matches(evaluation: Evaluation, value: Any, pattern: Pattern) -> bool | None:
    """Tells whether a pattern (RE2) is found in a text, anywhere unless it says ^ and $; null gives null."""
    return pattern.matches(evaluation, value) if value.__class__ is str else None


@_declare("find(text, r'([0-9]+)-([a-z]+)')", 2, 2, "the first hit")
def find(evaluation: Evaluation, value: Any, pattern: Pattern) -> list[str | None] | None:
    """The first hit of a pattern (RE2) in a text and its groups, [whole, group…]; null where there is none."""
    return pattern.find(evaluation, value) if value.__class__ is str else None


@_declare("sub(text, r'[0-9]+', 'n')", 3, 3, "string of string, string, string")
def sub(evaluation: Evaluation, value: Any, pattern: Pattern, new: Any) -> str | None:
    r"""The text with every hit of a pattern (RE2) replaced; in a constant \1 is the first group; null gives null."""
    return pattern.sub(evaluation, value, new) if value.__class__ is str else None


@_declare("url_encode(x)", 1, 1, "string of boolean | number | string")
def url_encode(evaluation: Evaluation, value: Any) -> str | None:
    """A value as a part of an address, percent-encoded: 'a/b c' is 'a%2Fb%20c'; null gives null."""
    text = evaluation.text_of(value)
    return None if text is None else _encoded(evaluation, text)


def _encoded(evaluation: Evaluation, text: str) -> str:
    evaluation.charge(len(text) >> 1)
    evaluation.take(56 + 12 * len(text))
    return quote(text, safe="", errors="replace")


@_declare("url('/todos', {name: value})", 2, 2, "string | null of any, any")
def url(evaluation: Evaluation, base: Any, parameters: Any) -> str | None:
    """An address with these parameters added, percent-encoded; a null is left out, a list repeats its name."""
    if base.__class__ is not str or not (parameters is None or parameters.__class__ is dict):
        return None
    _paid(evaluation, base, 3)
    pairs: list[str] = []
    for name, value in (parameters or {}).items():
        values = value if value.__class__ is list else [value]
        evaluation.charge(2 + len(values))
        for one in values:
            text = evaluation.text_of(one)
            if text is not None:
                pairs.append(f"{_encoded(evaluation, name)}={_encoded(evaluation, text)}")
            elif one is not None:
                return None
    if not pairs:
        return base
    address, sign, fragment = base.partition("#")
    between = "&" if "?" in address else "?"
    if address.endswith(("?", "&")):
        between = ""
    return f"{address}{between}{evaluation.joined('&', pairs)}{sign}{fragment}"


@_declare("base64(text)", 1, 1, "string of string")
def base64(evaluation: Evaluation, value: Any) -> str | None:
    """The Base64 of a text in UTF-8; null gives null."""
    if value.__class__ is not str:
        return None
    _paid(evaluation, value, 8)
    raw: bytes = value.encode(errors="replace")
    return binascii.b2a_base64(raw, newline=False).decode("ascii")


@_declare("unbase64(text)", 1, 1, "string | null of any")
def unbase64(evaluation: Evaluation, value: Any) -> str | None:
    """The text of a Base64 of either alphabet; null gives null, and so does what is none, or is no UTF-8."""
    if value.__class__ is not str:
        return None
    evaluation.charge(len(value) >> 2)
    evaluation.take(8 * len(value) + 56)
    plain = value.translate(_OTHER_ALPHABET).removesuffix("=").removesuffix("=")
    try:
        return binascii.a2b_base64(plain + "=" * (-len(plain) % 4), strict_mode=True).decode()
    except ValueError:
        return None


@_declare("parse_json(text)", 1, 1, "anything")
def parse_json(evaluation: Evaluation, value: Any) -> Any:
    """The value that a JSON text holds, bounded as replies are; null gives null, and so does what is none."""
    if value.__class__ is not str:
        return None
    lists, mappings, more = value.count("["), value.count("{"), value.count(",")
    evaluation.charge((len(value) >> 3) + 2 * (lists + mappings + more))
    # What a text, a number and a slot takes is counted with its comma.
    evaluation.take(2 * text_size(len(value), [value]) + 96 * (lists + more) + 320 * mappings)
    try:
        return jsontext.decode(value.encode(errors="replace"), MAX_DEPTH)
    except (jsontext.NotJSON, jsontext.TooDeep):
        return None


@_declare("to_json(x)", 1, 1, "string of any")
def to_json(evaluation: Evaluation, value: Any) -> str:
    """A value as a compact JSON text, its keys in order: equal values give one text; null gives 'null'."""
    evaluation.charge(2)
    try:
        raw = jsontext.encode_sorted_within(value, evaluation.work, evaluation.memory >> 2, MAX_DEPTH)
    except jsontext.TooLarge as error:
        raise BoundError(f"a value that is written as JSON: {error}") from error
    evaluation.charge((len(raw) >> 3) + raw.count(b","))
    evaluation.take(4 * len(raw) + 56)
    return raw.decode()


def _paid(evaluation: Evaluation, text: str, times: int) -> None:
    evaluation.charge(len(text) >> 3)
    evaluation.take(times * len(text) + 56)
