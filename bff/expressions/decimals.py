"""Numbers that people can charge with: a float of at most 15 significant digits stands for the decimal that it shows.

Each decimal of so few digits has a float of its own, which shows it again. So the float nearest to what comes out in
decimals is found without losing anything, where every operand is such a one; a longer one is no more than what it is in
binary. Prices and rates have four places at most: their floats times 10,000 are whole, and what is computed with whole
floats is exact. That takes a quarter of the time that decimals take; all else goes by exact fractions.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from decimal import Context, Decimal
from math import fsum
from typing import Any, TypeAlias

from bff.expressions.evaluation import Evaluation
from bff.expressions.values import MAX_INTEGER, MIN_INTEGER, is_within_64_bits, number

Operate: TypeAlias = Callable[[Evaluation, Any, Any], Any]
_Ratio: TypeAlias = tuple[int, int]
"""A numerator and a denominator, which is positive."""
_Exact: TypeAlias = Callable[[int, int, int, int], _Ratio]
_Binary: TypeAlias = Callable[[Any, Any], Any]

_DIGITS = 15
_PLACES = 1e4
"""What numbers are multiplied by to be whole."""
_FAR = 1e11
"""A number below this that is whole then has 15 digits at most."""
_SQUARED = _PLACES * _PLACES
_WHOLE = 1e15
"""Whole numbers below this have 15 digits at most."""
_EXACT = 9e15
"""Below this all whole numbers are floats."""
TO_WHOLE = 6755399441055744.0
"""1.5 * 2**52: a float below 2**51 is rounded to a whole one when this is added to it and taken off again."""
_EACH = 4
"""The work of taking the decimal of one number, beside that of any operator."""
_FROM_ENDS = 20
"""The work where a number may be of the largest or smallest that there are."""
_CHUNK = 1_000

_SHORT = Context(prec=_DIGITS)
_WIDE = Context(prec=2_000)
"""Wider than any sum of decimals that are floats."""


def _shown(value: float) -> Decimal | None:
    """The decimal that a number stands for; None if it is a longer one."""
    shown = Decimal(repr(value))
    return shown if _SHORT.plus(shown) == shown else None


def _ratio(evaluation: Evaluation, value: float) -> _Ratio | None:
    """The decimal that a number stands for, as a fraction; None if it is a longer one."""
    text = repr(value)
    if "e" in text:
        evaluation.charge(_FROM_ENDS)
        shown = _shown(value)
        return None if shown is None else shown.as_integer_ratio()
    evaluation.charge(_EACH)
    whole, _, places = text.partition(".")
    if places in {"", "0"}:
        return (int(whole), 1) if len(whole.strip("-0")) <= _DIGITS else None
    digits = whole + places
    return (int(digits), 10 ** len(places)) if len(digits.lstrip("-0")) <= _DIGITS else None


def _operator(binary: _Binary, unit: float, exact: _Exact) -> Operate:
    """An operator of two numbers; of anything else it gives null.

    `binary` is Python's. What it makes of numbers times 10,000 is the result times `unit`. `exact` is the same of two
    fractions.
    """

    def operate(evaluation: Evaluation, left: Any, right: Any) -> Any:
        kind, other = left.__class__, right.__class__
        if kind is float:
            if other is not float and other is not int:
                return None
        elif other is not float or kind is not int:
            return _calculated(binary, left, right) if kind is other is int else None
        if -_FAR < left < _FAR and -_FAR < right < _FAR:
            one = left * _PLACES + TO_WHOLE - TO_WHOLE
            two = right * _PLACES + TO_WHOLE - TO_WHOLE
            if one and two and one / _PLACES == left and two / _PLACES == right:
                result = binary(one, two)
                if -_EXACT < result < _EXACT:
                    return result / unit
        return _carefully(evaluation, binary, exact, left, right)

    return operate


def _calculated(binary: _Binary, left: Any, right: Any) -> Any:
    if not (is_within_64_bits(left) and is_within_64_bits(right)):
        return None
    try:
        return number(binary(left, right))
    except ArithmeticError:
        return None


def _carefully(evaluation: Evaluation, binary: _Binary, exact: _Exact, left: Any, right: Any) -> Any:
    if not (left and right and is_within_64_bits(left) and is_within_64_bits(right)):
        return _calculated(binary, left, right)
    one, two = _ratio(evaluation, left), _ratio(evaluation, right)
    if one is None or two is None:
        return _calculated(binary, left, right)
    numerator, denominator = exact(*one, *two)
    try:
        return numerator / denominator  # Python gives the float that is nearest
    except OverflowError:
        return None


def _remainder(p: int, q: int, r: int, s: int) -> _Ratio:
    found = p * s % (q * r)
    # Nothing has the sign of what it was divided by, as everywhere in Python.
    return found, q * s if found or r > 0 else -1


plus = _operator(operator.add, _PLACES, lambda p, q, r, s: (p * s + q * r, q * s))
minus = _operator(operator.sub, _PLACES, lambda p, q, r, s: (p * s - q * r, q * s))
_times = _operator(operator.mul, _SQUARED, lambda p, q, r, s: (p * r, q * s))
divide = _operator(operator.truediv, 1.0, lambda p, q, r, s: (p * s, q * r))
floor_divide = _operator(operator.floordiv, 1.0, lambda p, q, r, s: (p * s // (q * r), 1))
modulo = _operator(operator.mod, _PLACES, _remainder)


def times(evaluation: Evaluation, left: Any, right: Any) -> Any:
    """The product of two numbers; of anything else null.

    Prices are multiplied in every loop: here without a call for each. Where a product of whole numbers has at most 15
    digits, so has each of them.
    """
    kind, other = left.__class__, right.__class__
    if kind is float:
        one = left * _PLACES + TO_WHOLE - TO_WHOLE
        if other is int:
            if -_FAR < right < _FAR:
                result = one * right
                if result and -_WHOLE < result < _WHOLE and one / _PLACES == left:
                    return result / _PLACES
        elif other is float:
            two = right * _PLACES + TO_WHOLE - TO_WHOLE
            result = one * two
            if result and -_WHOLE < result < _WHOLE and one / _PLACES == left and two / _PLACES == right:
                return result / _SQUARED
    elif other is float and kind is int:
        return times(evaluation, right, left)
    return _times(evaluation, left, right)


def total(evaluation: Evaluation, numbers: Sequence[Any]) -> int | float | None:
    """The sum of numbers; with a float among them it is exact and rounded once, as far as all are short."""
    if not numbers:
        return 0
    least, most = min(numbers), max(numbers)
    # A float beyond them may hide an integer that is beyond them, too.
    if (least < MIN_INTEGER or most > MAX_INTEGER) and not all(map(is_within_64_bits, numbers)):
        return None
    if float not in set(map(type, numbers)):
        return number(sum(numbers))
    if least > -_FAR and most < _FAR:
        found = _total_of_wholes(numbers, max(-least, most))
        if found is not None:
            return found
    return _total_carefully(evaluation, numbers)


def _total_of_wholes(numbers: Sequence[Any], furthest: float) -> float | None:
    add = sum if furthest * _PLACES * _CHUNK < _EXACT else _sum_of_wholes
    found = 0
    for at in range(0, len(numbers), _CHUNK):
        part = list(numbers[at : at + _CHUNK])
        wholes = [one * _PLACES + TO_WHOLE - TO_WHOLE for one in part]
        if [one / _PLACES for one in wholes] != part:
            return None
        found += int(add(wholes))
    return found / int(_PLACES)


def _sum_of_wholes(wholes: list[float]) -> int:
    return sum(map(int, wholes))


def _total_carefully(evaluation: Evaluation, numbers: Sequence[Any]) -> float | None:
    evaluation.charge(_EACH * len(numbers))
    found = Decimal(0)
    for one in numbers:
        shown = _shown(one)
        if shown is None:
            try:
                return number(fsum(numbers))
            except OverflowError:
                return None
        found = _WIDE.add(found, shown)
    return number(float(found))
