"""The types that the hints of the project's functions say."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from inspect import getsourcefile, unwrap
from pathlib import Path
from typing import Any, Literal, Union

from bff.expressions.hints import bare, returned
from bff.types import model
from bff.types.model import Array, Member, Named, Record, Type, Unknown, union_of

_PLAIN: Mapping[Any, Type] = {
    str: model.STRING,
    int: model.INTEGER,
    float: model.NUMBER,
    bool: model.BOOLEAN,
    type(None): model.NULL,
}
_CURE = (
    "say it of JSON: a TypedDict, Literal, list, dict, str, int, float, bool, None, or several of them with |"
)


def types_of(functions: Mapping[str, Callable[..., Any]], root: Path) -> dict[str, Type]:
    """What functions give, as their hints say; unknown where they say nothing that can be read."""
    return {name: _type_of(name, function, root) for name, function in functions.items()}


def _type_of(name: str, function: Callable[..., Any], root: Path) -> Type:
    try:
        hint = returned(function)
    except LookupError:
        return Unknown(f"function '{name}' does not say what it gives", f"def {name}(…) -> …: a hint says it")
    except TypeError as error:
        why = str(error).partition("\n")[0]
        return Unknown(f"the hint of what function '{name}' gives cannot be read: {why}", _CURE)
    return _Hints(_place_of(function, root), name).read(hint)


def _place_of(function: Callable[..., Any], root: Path) -> str:
    own = unwrap(function)
    code = getattr(own, "__code__", None)
    if code is None:
        return "a function"
    file = Path(getsourcefile(code) or code.co_filename)
    known = file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name
    return f"{known}:{code.co_firstlineno}"


class _Hints:
    """Reads the hint of one function; a mapping may hold more than its hint lists."""

    def __init__(self, place: str, function: str) -> None:
        self._place = place
        self._anything = Unknown(f"function '{function}' gives anything here", _CURE)
        self._definitions: dict[str, Type] = {}
        self._open: list[Any] = []

    def read(self, hint: Any) -> Type:
        if hint in _PLAIN:
            return _PLAIN[hint]
        if typing.is_typeddict(hint):
            return self._record(hint)
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin is Literal:
            return union_of(*(model.NULL if value is None else model.Literal(value) for value in arguments))
        if origin in (Union, types.UnionType):
            return union_of(*map(self.read, arguments))
        if origin is list or hint is list:
            return Array(self.read(arguments[0]) if arguments else self._anything)
        if origin is dict or hint is dict:
            return Record((), self.read(arguments[1]) if arguments else self._anything)
        return self._anything

    def _record(self, hint: Any) -> Type:
        name: str = hint.__name__
        if hint in self._open:
            self._definitions[name] = self._anything
            return Named(name, self._definitions)
        self._open.append(hint)
        # Where annotations are texts, `__required_keys__` does not know what they say of a member.
        members = tuple(
            (key, Member(self.read(bare(part)), _is_required(part, default=key in hint.__required_keys__)))
            for key, part in typing.get_type_hints(hint, include_extras=True).items()
        )
        self._open.pop()
        found = Record(members, None, self._place)
        if name not in self._definitions:
            return found
        self._definitions[name] = found
        return Named(name, self._definitions)


def _is_required(part: Any, *, default: bool) -> bool:
    """Whether a member is always there, by its own word or by that of its mapping."""
    return {typing.Required: True, typing.NotRequired: False}.get(typing.get_origin(part), default)
