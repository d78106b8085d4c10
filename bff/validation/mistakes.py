"""What does not fit a schema: where it stands and what is allowed there, never what came.

Only names and words of the schema are told. What a visitor sends may be a password in the wrong field.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, TypeAlias

from msgspec import Struct

from bff import jsontext
from bff.text import counted
from bff.validation.subschemas import OTHER_MEMBERS, Schema, beside, of_element, of_member

MOST_MISTAKES = 100
"""How many mistakes are told at once."""
_LONGEST_DETAIL = 300
# The library finds every mistake before it gives the first, and goes each way through a schema that there is: half a
# million values take it 15 seconds, and so do a dozen that a schema with two ways looks at on each level.
_MOST_NODES = 5_000
_MOST_LOOKS = 10_000
_MOST_BYTES = 64 * 1024 * 1024
_TOO_LARGE = "does not fit, and is too large to say where"

Path: TypeAlias = tuple[str | int, ...]


class Mistake(Struct, frozen=True):
    """What does not fit: its place in the value, as far as the schema has names for it, and the words for it.

    `rule` is the keyword of the schema, empty where the value is too large to say; `limit` is what the schema asks
    there, if that is a number or a text.
    """

    path: Path
    detail: str
    rule: str = ""
    limit: int | float | str | None = None

    @property
    def broken(self) -> dict[str, Any]:
        """The rule and its limit as members of a problem, as far as there are any."""
        members = {"rule": self.rule or None, "limit": self.limit}
        return {name: value for name, value in members.items() if value is not None}


def mistakes_of(found: Iterable[Mistake], schema: Schema, value: Any) -> list[Mistake]:
    """The mistakes in a value that does not fit, of which `found` finds one after the other."""
    if _takes_too_long(schema, value):
        return [Mistake((), _TOO_LARGE)]
    return list(dict.fromkeys(itertools.islice(found, MOST_MISTAKES)))


def found_by_library(validator: Any, schema: Schema, value: Any) -> Iterator[Mistake]:
    """What the library's validator of a schema has against a value; it is not asked before the first is wanted."""
    names = _names_in(schema)
    yield from (_mistake(error, schema, names) for error in validator.iter_errors(value))


def known_parts(schema: Schema, paths: Iterable[Sequence[str | int]]) -> list[Path]:
    """Places as far as the schema has names for them, each once: another name is the visitor's own."""
    names = _names_in(schema)
    return list(dict.fromkeys(_known(path, names) for path in paths))


def _known(path: Sequence[str | int], names: set[str]) -> Path:
    return tuple(itertools.takewhile(lambda part: isinstance(part, int) or part in names, path))


def _mistake(error: Any, schema: Schema, names: set[str]) -> Mistake:
    """One mistake. A member whose name is the visitor's own is not named: its place ends before it."""
    kind, path = error.kind, tuple(error.instance_path)
    known, rule, words = _known(path, names), kind.name, _short(_words(kind))
    if len(known) < len(path):
        return Mistake(known, f"holds a member that {words}", rule)
    if rule == "required":
        return Mistake((*path, kind.property), "is required", rule)
    return Mistake(path, words, rule, _limit(error, schema))


def _limit(error: Any, schema: Schema) -> int | float | str | None:
    """What the schema asks by the keyword that was not kept, where that is a number or a text."""
    path = error.schema_path
    if not path or path[-1] != error.kind.name:
        return None
    limit: Any = schema
    for part in path:
        limit = limit[part]
    return limit if type(limit) in (int, float, str) else None


def _words(kind: Any) -> str:
    """What is wrong, by what is allowed; `kind` is the library's."""
    words = _WORDS.get(type(kind).__name__)
    return "is not as it must be" if words is None else words(kind)


def words_of(name: str, limit: Any) -> str:
    """The words for one of the library's kinds of mistakes, of what the schema asks for there."""
    kind = SimpleNamespace(limit=limit, types=limit, options=limit, expected_value=limit)
    return _short(_WORDS[name](kind))


_WORDS: Mapping[str, Callable[[Any], str]] = {
    "AdditionalItems": lambda kind: "has more elements than are listed",
    "AdditionalProperties": lambda kind: "holds a member that is not listed",
    "AnyOf": lambda kind: "has none of the forms that it may have",
    "Constant": lambda kind: f"is not {_json(kind.expected_value)}",
    "Contains": lambda kind: "holds too few or too many of the elements that it must hold",
    "Enum": lambda kind: f"is not one of {_any_of(kind.options)}",
    "ExclusiveMaximum": lambda kind: f"is not less than {_json(kind.limit)}",
    "ExclusiveMinimum": lambda kind: f"is not greater than {_json(kind.limit)}",
    "FalseSchema": lambda kind: "is not allowed",
    "Format": lambda kind: f'is not a "{kind.format}"',
    "MaxItems": lambda kind: f"has more than {counted(kind.limit, 'element')}",
    "MaxLength": lambda kind: f"is longer than {counted(kind.limit, 'character')}",
    "MaxProperties": lambda kind: f"has more than {counted(kind.limit, 'member')}",
    "Maximum": lambda kind: f"is greater than the maximum of {_json(kind.limit)}",
    "MinItems": lambda kind: f"has less than {counted(kind.limit, 'element')}",
    "MinLength": lambda kind: f"is shorter than {counted(kind.limit, 'character')}",
    "MinProperties": lambda kind: f"has less than {counted(kind.limit, 'member')}",
    "Minimum": lambda kind: f"is less than the minimum of {_json(kind.limit)}",
    "MultipleOf": lambda kind: f"is not a multiple of {_json(kind.multiple_of)}",
    "Not": lambda kind: "has a form that is not allowed",
    "OneOfMultipleValid": lambda kind: "has more than one of the forms of which it must have one",
    "OneOfNotValid": lambda kind: "has none of the forms that it may have",
    "Pattern": lambda kind: f'does not match "{kind.pattern}"',
    "PropertyNames": lambda kind: f"holds a member whose name {_words(kind.error.kind)}",
    "Required": lambda kind: f'lacks "{kind.property}"',
    "Type": lambda kind: f"is not of type {_any_of(kind.types)}",
    "UnevaluatedItems": lambda kind: "has more elements than are listed",
    "UnevaluatedProperties": lambda kind: "holds a member that is not listed",
    "UniqueItems": lambda kind: "holds equal elements",
}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _any_of(options: Sequence[Any]) -> str:
    *first, last = map(_json, options)
    return f"{', '.join(first)} or {last}" if first else last


def _short(detail: str) -> str:
    if len(detail) <= _LONGEST_DETAIL:
        return detail
    return f"{detail[: _LONGEST_DETAIL // 2]} … {detail[-_LONGEST_DETAIL // 2 :]}"


def _names_in(schema: Any) -> set[str]:
    """Every key of a schema, the names of its members among them."""
    names: set[str] = set()
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Mapping):
            names.update(part)
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return names


# --- how long it would take to find the mistakes ---------------------------------------------------------------------


def _takes_too_long(schema: Schema, value: Any) -> bool:
    """Whether a value is too large, or has too many ways; each look may write down what it looks at, twice."""
    try:
        jsontext.measure(value, _MOST_NODES, sys.maxsize, sys.maxsize)
        looks = _Looks(schema).at(schema, value)
        jsontext.measure(value, _MOST_NODES, _MOST_BYTES // looks, sys.maxsize)
    except (jsontext.TooLarge, RecursionError):
        return True
    return looks > _MOST_LOOKS


class _Looks:
    """How often schemas are held against the parts of a value, at most, where each way is gone anew.

    A member that must be there is a look of its own, as each that lacks is a mistake of its own.
    """

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._known: dict[tuple[int, int], int] = {}

    def at(self, schema: Any, value: Any) -> int:
        if not isinstance(schema, Mapping):
            return 1
        key = id(schema), id(value)
        known = self._known.get(key)
        if known is None:
            self._known[key] = 1  # a schema that leads back to itself at once
            own = 1 + len(schema.get("required", ()))
            known = self._known[key] = own + sum(self.at(*pair) for pair in self._below(schema, value))
        return known

    def _below(self, schema: Schema, value: Any) -> Iterator[tuple[Any, Any]]:
        for one in beside(schema, self._root):
            yield one, value
        if isinstance(value, dict):
            for name, member in value.items():
                for one in of_member(schema, name) or _of_others(schema):
                    yield one, member
        elif isinstance(value, list):
            contained = [schema["contains"]] if "contains" in schema else []
            for at, element in enumerate(value):
                for one in [*of_element(schema, at), *contained]:
                    yield one, element


def _of_others(schema: Schema) -> list[Any]:
    """What a schema may say of a member that it does not list."""
    found: list[Any] = [schema[key] for key in OTHER_MEMBERS[:2] if key in schema]
    return [*found, *schema.get("patternProperties", {}).values()]
