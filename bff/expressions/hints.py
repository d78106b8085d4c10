"""Type hints of what functions of the project give: whether they can be read, and whether a value keeps them."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from typing import Any, Literal, Union

import msgspec

_PLAIN = (str, int, float, bool, list, dict, type(None))


def returned(function: Callable[..., Any]) -> Any:
    """The hint of what a function gives; raises LookupError where it has none, TypeError where none can read it."""
    try:
        hints = typing.get_type_hints(function)
    except Exception as error:
        raise TypeError(f"the hints name what is not there: {type(error).__name__}") from error
    if "return" not in hints:
        raise LookupError
    hint = hints["return"]
    if not _is_read(hint, set()):
        raise TypeError("it is more than JSON")
    msgspec.json.Decoder(hint)  # a TypeError, where several of its mappings cannot be told apart
    return hint


def _is_read(hint: Any, seen: set[Any]) -> bool:
    """Whether a hint says of which JSON a value is."""
    if hint is Any or hint in _PLAIN:
        return True
    if typing.is_typeddict(hint):
        if hint in seen:
            return True
        seen.add(hint)
        return all(_is_read(bare(part), seen) for part in typing.get_type_hints(hint).values())
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return all(value is None or isinstance(value, str | int) for value in arguments)
    if origin is dict and arguments[0] is not str:
        return False
    if origin in (list, dict, Union, types.UnionType):
        return all(_is_read(part, seen) for part in arguments)
    return False


def bare(hint: Any) -> Any:
    """A hint of a member, without whether it is required."""
    wrapped = typing.get_origin(hint) in (typing.Required, typing.NotRequired)
    return typing.get_args(hint)[0] if wrapped else hint


def check_of(function: Callable[..., Any]) -> Callable[[Any], str | None] | None:
    """What says where a value does not keep the hints of a function; None where those say nothing."""
    if "return" not in (getattr(function, "__annotations__", None) or {}):
        return None
    try:
        hint = returned(function)
    except (LookupError, TypeError):
        return None

    def check(value: Any) -> str | None:
        try:
            msgspec.convert(value, hint)
        except msgspec.ValidationError as error:
            _, _, path = str(error).partition(" - at `")  # what stands before it may name the value
            return path.removesuffix("`") or "$"
        return None

    return None if hint is Any else check
