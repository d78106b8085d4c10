"""Schemas that need no library: types, choices, bounds, and objects and lists of such.

What this says of a value, and in which order, is what the library says (`tests/validation/test_plain.py`); where that
takes an order of its own, so does this. Patterns,
formats, references and combinations are left to it: they mean more than a few lines could repeat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from math import isfinite
from operator import ge, gt, le, lt
from typing import Any, Final

from msgspec import Struct

from bff.validation.mistakes import Mistake, Path, words_of

NO_MATTER: Final = frozenset(
    {"title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment"}
)
"""Keys of a schema that say nothing of which values fit."""

_OF_OBJECTS = frozenset({"properties", "additionalProperties", "required"})
# In the order in which the library tells them.
_CLASSES: Mapping[str, frozenset[type]] = {
    "null": frozenset({type(None)}),
    "boolean": frozenset({bool}),
    "integer": frozenset({int}),
    "number": frozenset({int, float}),
    "string": frozenset({str}),
    "array": frozenset({list}),
    "object": frozenset({dict}),
}
_NUMBERS = _CLASSES["number"]
_SCALARS = frozenset({type(None), bool, int, str})
_EXACT = 2**53
"""Up to it an integer is one number, however it is written down."""


class PlainSchema(Struct, frozen=True):
    """What a schema asks, in the order in which mistakes are told."""

    rules: tuple[Rule, ...]
    required: tuple[str, ...]
    members: Mapping[str, PlainSchema]
    is_closed: bool
    element: PlainSchema | None

    def fits(self, value: Any) -> bool:
        for rule in self.rules:
            if not rule.fits(value, rule.asked):
                return False
        if value.__class__ is dict:
            members = self.members
            if self.is_closed and not members.keys() >= value.keys():
                return False
            return all(map(value.__contains__, self.required)) and all(
                members[name].fits(value[name]) for name in members if name in value
            )
        return self.element is None or value.__class__ is not list or all(map(self.element.fits, value))

    def mistakes(self, value: Any, path: Path = ()) -> Iterator[Mistake]:
        """What does not fit, one after the other."""
        for rule in self.rules:
            if not rule.fits(value, rule.asked):
                yield Mistake(path, words_of(rule.kind, rule.told), rule.keyword, rule.limit)
        if value.__class__ is dict:
            yield from self._of_object(value, path)
        elif value.__class__ is list and self.element is not None:
            for at, element in enumerate(value):
                yield from self.element.mistakes(element, (*path, at))

    def _of_object(self, value: Mapping[str, Any], path: Path) -> Iterator[Mistake]:
        lacks = [
            Mistake((*path, name), "is required", "required") for name in self.required if name not in value
        ]
        told_last = self.is_closed and len(self.required) == 1
        if not told_last:
            yield from lacks
        goes_by_value = self.is_closed or len(value) <= len(self.members)
        for name in value if goes_by_value else sorted(self.members):
            if name in self.members and name in value:
                yield from self.members[name].mistakes(value[name], (*path, name))
        if self.is_closed and not self.members.keys() >= value.keys():
            yield Mistake(path, words_of("AdditionalProperties", None), "additionalProperties")
        if told_last:
            yield from lacks


class Rule(Struct, frozen=True):
    """A keyword that says something of a value itself.

    `kind` is the library's name for a value that does not keep it, `told` what its words are of, and `limit` that
    which a problem repeats.
    """

    keyword: str
    kind: str
    asked: Any
    fits: Callable[[Any, Any], bool]
    told: Any
    limit: int | float | str | None


def plain_schema(schema: Any) -> PlainSchema | None:
    """What a checked schema asks; None where it asks for more than this module knows."""
    try:
        return _plain(schema)
    except _MoreThanPlain:
        return None


class _MoreThanPlain(Exception):
    """Something in a schema is the library's."""


def _plain(schema: Any) -> PlainSchema:
    if schema is True:
        schema = {}
    if not isinstance(schema, Mapping) or not schema.keys() <= _KEYWORDS:
        raise _MoreThanPlain
    keywords = [keyword for keyword in _RULES if keyword in schema]
    if schema.get("type") == "array" and "items" in schema:  # the library looks at these two together
        keywords.sort(key="type".__eq__)
        if schema.keys() & _OF_OBJECTS:
            raise _MoreThanPlain
    members = {name: _plain(one) for name, one in schema.get("properties", {}).items()}
    required, others = tuple(schema.get("required", ())), schema.get("additionalProperties", True)
    if others is not True and (others is not False or not members or not members.keys() >= {*required}):
        raise _MoreThanPlain
    element = _plain(schema["items"]) if "items" in schema else None
    rules = tuple(_rule(keyword, schema[keyword]) for keyword in keywords)
    return PlainSchema(rules, required, members, not others, element)


def _rule(keyword: str, asked: Any) -> Rule:
    kind, fits = _RULES[keyword]
    limit = asked if type(asked) in (int, float, str) else None
    if keyword == "type":
        names = [asked] if isinstance(asked, str) else asked
        classes = frozenset().union(*(_CLASSES[name] for name in names))
        return Rule(keyword, kind, classes, fits, [name for name in _CLASSES if name in names], limit)
    if not all(map(_is_plain, asked if keyword == "enum" else [asked])):
        raise _MoreThanPlain
    return Rule(keyword, kind, asked, fits, asked, limit)


def _is_plain(asked: Any) -> bool:
    """Whether what a keyword asks is a number, text, boolean or null that equals just what it looks like."""
    if type(asked) is float:
        return isfinite(asked) and abs(asked) <= _EXACT and not asked.is_integer()
    return type(asked) in _SCALARS and (type(asked) is not int or abs(asked) <= _EXACT)


def _is_of(value: Any, classes: frozenset[type]) -> bool:
    kind = value.__class__
    return kind in classes or (kind is float and int in classes and value.is_integer())


def _is_one(value: Any, options: Iterable[Any]) -> bool:
    return any(_is(value, option) for option in options)


def _is(value: Any, option: Any) -> bool:
    """Whether both are the same in JSON, where 1 is 1.0 and not true."""
    if value.__class__ is bool or option.__class__ is bool:
        return value is option
    return bool(value == option)


def _of(classes: frozenset[type], fits: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """A bound that only values of some classes have to keep."""
    return lambda value, bound: value.__class__ not in classes or fits(value, bound)


def _sized(kind: type[Sized], fits: Callable[[int, Any], bool]) -> Callable[[Any, Any], bool]:
    """A bound of the length of values of a class."""
    return lambda value, bound: value.__class__ is not kind or fits(len(value), bound)


# In the order in which the library tells of them.
_RULES: Mapping[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "type": ("Type", _is_of),
    "const": ("Constant", _is),
    "enum": ("Enum", _is_one),
    "minLength": ("MinLength", _sized(str, ge)),
    "maxLength": ("MaxLength", _sized(str, le)),
    "minimum": ("Minimum", _of(_NUMBERS, ge)),
    "maximum": ("Maximum", _of(_NUMBERS, le)),
    "exclusiveMinimum": ("ExclusiveMinimum", _of(_NUMBERS, gt)),
    "exclusiveMaximum": ("ExclusiveMaximum", _of(_NUMBERS, lt)),
    "minItems": ("MinItems", _sized(list, ge)),
    "maxItems": ("MaxItems", _sized(list, le)),
    "minProperties": ("MinProperties", _sized(dict, ge)),
    "maxProperties": ("MaxProperties", _sized(dict, le)),
}
_KEYWORDS = _RULES.keys() | _OF_OBJECTS | NO_MATTER | {"items"}
