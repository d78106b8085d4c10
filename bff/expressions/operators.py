"""Python's operators over JSON values: none raises, what makes no sense is null.

Booleans are no numbers here: `True == 1` is false, `True + 1` and `True < 2` are null.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from bff.expressions import decimals, rounding
from bff.expressions.evaluation import Evaluation, text_size
from bff.expressions.values import MAX_KEY, MEMBER, NUMBERS, is_number, is_within_64_bits, number

NOTHING: dict[str, Any] = {}
# Python looks for a text at every place, and compares it there, where the text around it is shorter than this; where
# it is longer, so for the last places, and in time that grows with both lengths alone for the others.
_AT_EVERY_PLACE, _LONG_AT_EVERY_PLACE, _LONG = 2_500, 30_000, 100
NEAR = 2**47
"""Integers up to this are calculated with in the generated code itself."""
# Comparing texts up to this length costs no more than any other node.
SHORT = 4_096


def get(value: Any, key: str) -> Any:
    """`value.key`, of a mapping or of one that was decoded into a struct."""
    if value.__class__ is dict:
        return value.get(key) if len(key) <= MAX_KEY else None
    return getattr(value, MEMBER + key, None) if isinstance(value, Struct) else None


def item(evaluation: Evaluation, value: Any, key: Any) -> Any:
    """`value[key]`: a mapping's key or a list's position."""
    if value.__class__ is dict:
        text = evaluation.key_of(key)
        return None if text is None else value.get(text)
    if value.__class__ is list and key.__class__ is int and -len(value) <= key < len(value):
        return value[key]
    return None


def column(values: list[Any], path: Iterable[str]) -> list[Any]:
    """What each of some values has at a path of keys; null where something on the way is no mapping."""
    for key in path:
        values = [get(value, key) for value in values]
    return values


def getter(evaluation: Evaluation, value: Any) -> Callable[[Any], Any]:
    """A quick `item` of one value; a mapping's finds no keys but texts, `missed` and `missing` find the others."""
    if value.__class__ is dict:
        evaluation.charge(len(value) >> 3)
        if max(map(len, value), default=0) <= MAX_KEY:
            return value.get
    return lambda key: item(evaluation, value, key)


def missed(evaluation: Evaluation, value: Any, key: Any) -> Any:
    """The item that a quick look-up did not find, because the key is a number or is not there."""
    return item(evaluation, value, key) if key.__class__ is not str else None


def missing(evaluation: Evaluation, value: Any, key: Any) -> Any:
    """Like `missed`, with something to read keys of."""
    return missed(evaluation, value, key) or NOTHING


_BOUNDS = frozenset({int, type(None)})


def cut(evaluation: Evaluation, value: Any, start: Any, stop: Any, step: Any) -> Any:
    """`value[start:stop:step]` of a list or text."""
    if not _BOUNDS.issuperset(map(type, (start, stop, step))) or step == 0:
        return None
    if value.__class__ is not list and value.__class__ is not str:
        return None
    part = slice(start, stop, step)
    length = len(range(*part.indices(len(value))))
    evaluation.charge(length >> 4)
    evaluation.take(text_size(length, [value]) if value.__class__ is str else 56 + 8 * length)
    return value[part]


def add(evaluation: Evaluation, left: Any, right: Any) -> Any:
    """`left + right` of numbers, texts or lists."""
    kind = left.__class__
    if kind in NUMBERS:
        return decimals.plus(evaluation, left, right)
    if kind is not right.__class__ or (kind is not str and kind is not list):
        return None
    length = len(left) + len(right)
    evaluation.charge(length >> 4)
    evaluation.take(text_size(length, (left, right)) if kind is str else 56 + 8 * length)
    return left + right


subtract = decimals.minus
multiply = decimals.times
divide = decimals.divide
floor_divide = decimals.floor_divide
modulo = decimals.modulo


def negate(value: Any) -> Any:
    """`-value` of a number."""
    return number(-value) if is_number(value) and is_within_64_bits(value) else None


def calculates(value: Any) -> bool:
    """Tells whether Python calculates with this value as we do, wherever the result is not far from zero."""
    return value.__class__ is int and value != 0 and -NEAR <= value <= NEAR


def ordering(operation: Callable[[Any, Any], bool]) -> Callable[[Evaluation, Any, Any], bool | None]:
    """An ordering of two numbers or two texts."""

    def order(evaluation: Evaluation, left: Any, right: Any) -> bool | None:
        if is_number(left) and is_number(right):
            return operation(left, right)
        if left.__class__ is str and right.__class__ is str:
            evaluation.charge(min(len(left), len(right)) >> 8)
            return operation(left, right)
        return None

    return order


less = ordering(operator.lt)
less_equal = ordering(operator.le)
greater = ordering(operator.gt)
greater_equal = ordering(operator.ge)


def orders_with(value: Any) -> type | None:
    """The class of values that Python's own `<` orders as we do against this one; None if it takes more care."""
    kind = value.__class__
    return kind if kind in NUMBERS or (kind is str and len(value) <= SHORT) else None


def equal(evaluation: Evaluation, left: Any, right: Any) -> bool:
    """`left == right`, as JSON values: 1 equals 1.0 and no boolean."""
    kind = left.__class__
    if kind is not right.__class__ and not (kind in NUMBERS and is_number(right)):
        return False
    if kind is list or kind is dict:
        return left is right or _equal_containers(evaluation, left, right)
    if kind is str and len(left) == len(right):
        evaluation.charge(len(left) >> 8)
    return bool(left == right)


def _equal_containers(evaluation: Evaluation, left: Any, right: Any) -> bool:
    waiting = [(left, right)]
    while waiting:
        left, right = waiting.pop()
        if left.__class__ is not right.__class__ or (
            left.__class__ is not list and left.__class__ is not dict
        ):
            if not equal(evaluation, left, right):
                return False
        elif left is not right:
            if len(left) != len(right):
                return False
            evaluation.charge(4 * len(left) + 4)
            if left.__class__ is dict:
                evaluation.charge(sum(map(len, left)) >> 7)
                if left.keys() != right.keys():
                    return False
                waiting.extend((left[key], right[key]) for key in left)
            else:
                waiting.extend(zip(left, right, strict=True))
    return True


def equals_plainly(value: Any) -> bool:
    """Tells whether Python's own `==` against this value, whatever the other is, is ours."""
    kind = value.__class__
    if kind is str:
        return len(value) <= SHORT
    return value is None or (kind in NUMBERS and value != 0 and value != 1)


def contains(evaluation: Evaluation, value: Any, container: Any) -> bool:
    """`value in container`: an item of a list, a key of a mapping, a part of a text."""
    if container.__class__ is dict:
        key = evaluation.key_of(value)
        return key is not None and key in container
    if container.__class__ is str:
        if value.__class__ is not str:
            return False
        evaluation.charge(search_work(len(container), len(value)))
        return value in container
    if container.__class__ is not list:
        return False
    evaluation.charge(len(container))
    if equals_plainly(value):
        return value in container
    return any(equal(evaluation, value, other) for other in container)


def search_work(length: int, wanted: int, *, all_of_them: bool = False) -> int:
    """The most that it takes to find a text of one length in a text of another; with `all_of_them` every time."""
    places = max(0, length - wanted + 1)
    every = _LONG_AT_EVERY_PLACE if wanted >= _LONG else _AT_EVERY_PLACE
    slow = places if length < every else min(places, every if all_of_them else _AT_EVERY_PLACE)
    return (length + wanted >> 5) + (slow * wanted >> 8)


def key(evaluation: Evaluation, value: Any) -> str | None:
    """The key of a mapping that is built; None is taken out again by `without_null`."""
    return evaluation.key_of(value)


def without_null(mapping: dict[Any, Any]) -> dict[str, Any]:
    """A mapping as built, without what had no key."""
    mapping.pop(None, None)
    return mapping


def formatted(evaluation: Evaluation, value: Any, spec: str, digits: int | None) -> str:
    """The text of a number in a format that rounds to so many digits; of anything else nothing."""
    return rounding.formatted(evaluation, value, spec, digits) if is_number(value) else ""


def membership(evaluation: Evaluation, container: Any) -> Callable[[Any], bool]:
    """A quick `in` one container; a value that cannot be looked for quickly raises `TypeError`."""
    if container.__class__ is list:
        evaluation.charge(len(container))
        evaluation.take(64 * len(container))
        if all(value.__class__ is str and len(value) <= SHORT for value in container):
            return frozenset(container).__contains__
    return lambda value: contains(evaluation, value, container)
