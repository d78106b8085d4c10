"""What functions give: those of the library as they declare it, those of the project as their hints say."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence

from bff.expressions.functions import FUNCTIONS
from bff.expressions.library import Function
from bff.expressions.paths import field_path
from bff.expressions.types import mappings
from bff.expressions.types.arithmetic import kind_of
from bff.expressions.types.choices import either, elements, kept, not_null, of_kind
from bff.expressions.types.infer import Calls, Inference
from bff.expressions.types.members import along, refined
from bff.types.model import (
    BOOLEAN,
    INTEGER,
    NULL,
    NUMBER,
    STRING,
    Array,
    Literal,
    Member,
    Record,
    Type,
    Unknown,
    nullable,
    union_of,
)
from bff.types.model import options as options_of

_TYPES: Mapping[str, Type] = {
    "null": NULL,
    "boolean": BOOLEAN,
    "integer": INTEGER,
    "number": NUMBER,
    "string": STRING,
    "string[]": Array(STRING),
    "integer[]": Array(INTEGER),
}
_NEEDED = {
    **dict.fromkeys(("a number as whole", "a number of the same kind"), "number"),
    **dict.fromkeys(("the first hit", "anything", "what was sealed"), "string"),
}
"""The kinds of the first argument where a rule says what a function gives."""
_OVER_LISTS = frozenset({"count", "sum", "any", "all", "sort", "unique", "index", "group", "join"})


def calls_of(functions: Mapping[str, Type]) -> Calls:
    """What calls give, with the types of what the project's functions give."""

    def call(inference: Inference, name: str, arguments: Sequence[ast.expr], types: Sequence[Type]) -> Type:
        if name in functions:
            return functions[name]
        options = [inference.options(one) for one in types]
        if name in _OVER_LISTS or (name in {"min", "max"} and len(arguments) == 1):
            inference.iterated(arguments[0], options[0])
        function = FUNCTIONS.get(name)
        if function is None:  # a client's own quoting
            return nullable(STRING)
        _tell_useless(inference, function, arguments, options)
        rule = RULES.get(function.gives)
        if rule is not None:
            return rule(inference, arguments, options)
        return declared(function.gives, options)

    return call


def _tell_useless(
    inference: Inference, function: Function, nodes: Sequence[ast.expr], options: Sequence[Sequence[Type]]
) -> None:
    if inference.watch is None:
        return
    by_rule = function.gives in RULES
    needed = _NEEDED.get(function.gives, "") if by_rule else function.gives.partition(" of ")[2]
    for node, kinds, given in zip(nodes, needed.split(", "), options, strict=False):
        if kinds and _fits(kinds, given) is False:
            inference.watch.argument(node, function.name, kinds.split(" | "), given)


def declared(gives: str, options: Sequence[Sequence[Type]]) -> Type:
    """What a function gives that declares `string of string, integer`: null where an argument is of another kind.

    An argument of which it says nothing may be of use or not.
    """
    result, _, needed = gives.partition(" of ")
    found = union_of(*(_TYPES[name] for name in result.split(" | ")))
    kinds = needed.split(", ") if needed else []
    fits = [_fits(kind, given) for kind, given in zip(kinds, options, strict=False)]
    if False in fits:
        return NULL
    surely = all(fits) and len(options) <= len(kinds)
    return found if surely else nullable(found)


def _fits(wanted: str, options: Sequence[Type]) -> bool | None:
    """Whether an argument is of one of these kinds; None where it may be."""
    found = {_is_of(wanted.split(" | "), one) for one in options}
    return found.pop() if len(found) == 1 else None


def _is_of(kinds: Sequence[str], one: Type) -> bool | None:
    if "any" in kinds:
        return True
    if isinstance(one, Unknown):
        return None
    if "some text" in kinds:
        return True if isinstance(one, Literal) and isinstance(one.value, str) and one.value else None
    if isinstance(one, Array | Record):
        return ("list" if isinstance(one, Array) else "object") in kinds
    kind = kind_of(one)
    return any(kind == _TYPES.get(name) for name in kinds) or (kind == INTEGER and "number" in kinds)


Rule = Callable[[Inference, Sequence[ast.expr], Sequence[Sequence[Type]]], Type]


def _sum(_: Inference, __: Sequence[ast.expr], options: Sequence[Sequence[Type]]) -> Type:
    found = elements(options[0])
    return nullable(INTEGER if _is_whole(found) else NUMBER)


def _is_whole(one: Type) -> bool:
    return all(kind_of(option) in (INTEGER, NULL) for option in options_of(one))


def _extreme(inference: Inference, _: Sequence[ast.expr], given: Sequence[Sequence[Type]]) -> Type:
    found = (
        inference.options(elements(given[0])) if len(given) == 1 else [one for part in given for one in part]
    )
    return nullable(kept(found, of_kind(NUMBER, INTEGER, STRING)))


def _rounded(_: Inference, __: Sequence[ast.expr], options: Sequence[Sequence[Type]]) -> Type:
    fits = _fits("number", options[0])
    whole = len(options) == 1 or all(kind_of(one) == INTEGER for one in options[0])
    return NULL if fits is False else nullable(INTEGER if whole else NUMBER)


def _magnitude(_: Inference, __: Sequence[ast.expr], options: Sequence[Sequence[Type]]) -> Type:
    kinds = [kind_of(one) for one in options[0]]
    return union_of(*(nullable(one) if one in (INTEGER, NUMBER) else _number_or_null(one) for one in kinds))


def _number_or_null(one: Type) -> Type:
    return nullable(NUMBER) if isinstance(one, Unknown) else NULL


def _sorted(inference: Inference, nodes: Sequence[ast.expr], options: Sequence[Sequence[Type]]) -> Type:
    _tell_fields(inference, nodes, options, may_descend=True)
    found = Array(elements(options[0]))
    fits = [_fits("string", one) for one in options[1:]]
    return NULL if False in fits else found if all(fits) else nullable(found)


def _unique(inference: Inference, nodes: Sequence[ast.expr], options: Sequence[Sequence[Type]]) -> Type:
    _tell_fields(inference, nodes, options)
    return Array(elements(options[0]))


def _indexed(inference: Inference, nodes: Sequence[ast.expr], options: Sequence[Sequence[Type]]) -> Type:
    _tell_fields(inference, nodes, options)
    return Record((), _with_key(inference, nodes[1], options[0]))


def _grouped(inference: Inference, nodes: Sequence[ast.expr], options: Sequence[Sequence[Type]]) -> Type:
    _tell_fields(inference, nodes, options)
    return Record((), Array(_with_key(inference, nodes[1], options[0])))


def _with_key(inference: Inference, key: ast.expr, options: Sequence[Type]) -> Type:
    """The items of a list that have something under a key: the others are left out."""
    found = inference.options(elements(options))
    keys = field_path(key.value) if isinstance(key, ast.Constant) and isinstance(key.value, str) else None
    if keys is None:
        return kept(found, not_null)
    return refined(found, keys, not_null, trusting=inference.trusting)


def _tell_fields(
    inference: Inference,
    nodes: Sequence[ast.expr],
    options: Sequence[Sequence[Type]],
    *,
    may_descend: bool = False,
) -> None:
    if inference.watch is None:
        return
    items = inference.options(elements(options[0]))
    for node in nodes[1:]:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            name = node.value.removeprefix("-") if may_descend else node.value
            if name:
                inference.watch.field(node, nodes[0], along(inference.options, items, field_path(name)))


def _hit(_: Inference, __: Sequence[ast.expr], options: Sequence[Sequence[Type]]) -> Type:
    return NULL if _fits("string", options[0]) is False else nullable(Array(nullable(STRING)))


def _anything(_: Inference, __: Sequence[ast.expr], options: Sequence[Sequence[Type]]) -> Type:
    if _fits("string", options[0]) is False:
        return NULL
    return Unknown("what is in a text of JSON is not known", "a function of yours whose hint says what it is")


def _sealed(_: Inference, __: Sequence[ast.expr], options: Sequence[Sequence[Type]]) -> Type:
    if _fits("string", options[0]) is False:
        return NULL
    return Unknown("what was sealed is not known", "a function of yours whose hint says what it is")


def _default(_: Inference, __: Sequence[ast.expr], options: Sequence[Sequence[Type]]) -> Type:
    first, second = options
    found = kept(first, not_null)
    may_be_null = any(one == NULL or isinstance(one, Unknown) for one in first)
    return either(found, *second) if may_be_null else found


def _values(_: Inference, __: Sequence[ast.expr], options: Sequence[Sequence[Type]]) -> Type:
    return Array(mappings.values(options[0]))


def _items(_: Inference, __: Sequence[ast.expr], options: Sequence[Sequence[Type]]) -> Type:
    return Array(mappings.entry(options[0]))


def _merged(_: Inference, __: Sequence[ast.expr], options: Sequence[Sequence[Type]]) -> Type:
    return mappings.merged(options)


def _picked(inference: Inference, nodes: Sequence[ast.expr], options: Sequence[Sequence[Type]]) -> Type:
    names = _constants(nodes[1:])
    if inference.watch is not None:
        for node, name in zip(nodes[1:], names or (), strict=False):
            inference.watch.field(node, nodes[0], [(name, options[0])])
    return mappings.picked(options[0], names)


def _omitted(_: Inference, nodes: Sequence[ast.expr], options: Sequence[Sequence[Type]]) -> Type:
    return mappings.omitted(options[0], _constants(nodes[1:]))


def _local(_: Inference, __: Sequence[ast.expr], options: Sequence[Sequence[Type]]) -> Type:
    texts, numbers = ("date", "time"), ("weekday", "year", "month", "day", "hour", "minute")
    parts = {**dict.fromkeys(texts, STRING), **dict.fromkeys(numbers, INTEGER)}
    return nullable(Record(tuple((name, Member(one)) for name, one in parts.items())))


def _chosen(_: Inference, __: Sequence[ast.expr], options: Sequence[Sequence[Type]]) -> Type:
    return nullable(kept(options_of(elements(options[1])), of_kind(STRING)))


def _constants(nodes: Sequence[ast.expr]) -> list[str] | None:
    """The keys that are written out; None where one is computed."""
    found = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return found if len(found) == len(nodes) else None


RULES: Mapping[str, Rule] = {
    "the sum of the items": _sum,
    "one of the values": _extreme,
    "a number as whole": _rounded,
    "a number of the same kind": _magnitude,
    "the list, by fields": _sorted,
    "the list": _unique,
    "the items by a field": _indexed,
    "lists of items by a field": _grouped,
    "the first hit": _hit,
    "anything": _anything,
    "what was sealed": _sealed,
    "the first that is not null": _default,
    "the values": _values,
    "the entries": _items,
    "all mappings in one": _merged,
    "some members": _picked,
    "all other members": _omitted,
    "the parts of a time": _local,
    "one of the items": _chosen,
}
