"""Texts of parameters as the types that their schemas ask for; what a schema says is worked out once, at start."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from bff import jsontext
from bff.recipe.model import Schema

Coerce: TypeAlias = Callable[[list[str]], Any]
Default: TypeAlias = Callable[[], Any]

_UNFIT = object()


def coercion_of(schema: Schema, *, in_header: bool = False) -> Coerce:
    """What makes the texts of one parameter its type; what does not fit stays text, for the validator to name.

    Of several texts the last one counts, unless an array is asked for. A text of a header may hold a list.
    """
    types = _types(schema)
    if "array" in types:
        of_item = coercion_of(_items(schema))
        if in_header:
            from werkzeug.http import parse_list_header  # few pages read a list of a header

            return lambda texts: [
                of_item([part]) for text in texts for part in parse_list_header(text) if part
            ]
        return lambda texts: [of_item([text]) for text in texts]
    makers = [_MAKERS[name] for name in types if name in _MAKERS]

    def coerce(texts: list[str]) -> Any:
        text = texts[-1]
        for make in makers:
            value = make(text)
            if value is not _UNFIT:
                return value
        return text

    return coerce


def takes_empty(schema: Schema) -> bool:
    """Whether an empty text is a value; else it says as much as no text at all, as forms send it."""
    types = _types(schema)
    return takes_empty(_items(schema)) if "array" in types else "string" in types


def default_of(schema: Schema) -> Default:
    """What gives the value of an absent parameter."""
    default = schema.get("default")
    if isinstance(default, dict | list):
        # A copy: a project function may change what it is given, and the next visitor gets the default too.
        return lambda: copy.deepcopy(default)
    return itertools.repeat(default).__next__  # which costs no call of Python's


def _types(schema: Schema) -> list[str]:
    declared = schema.get("type", "string")
    return [declared] if isinstance(declared, str) else list(declared)


def _items(schema: Schema) -> Schema:
    items = schema.get("items")
    return items if isinstance(items, dict) else {}


def _as_number(text: str) -> Any:
    try:
        value = jsontext.decode(text.encode())
    except ValueError:
        return _UNFIT
    return value if type(value) in (int, float) and not jsontext.is_large(value) else _UNFIT


def _as_integer(text: str) -> Any:
    value = _as_number(text)
    return value if type(value) is int else _UNFIT


def _as_boolean(text: str) -> Any:
    return {"true": True, "1": True, "false": False, "0": False}.get(text, _UNFIT)


_MAKERS: Mapping[str, Callable[[str], Any]] = {
    "integer": _as_integer,
    "number": _as_number,
    "boolean": _as_boolean,
}
