"""Rounds decimals as people do: what is halfway goes away from zero, and halfway is what the shortest text says.

Where a number has more places than the first that is cut off, nothing is halfway, and what Python rounds is right: were
a half between the number and its shortest text, then the half would be a shorter text.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from math import copysign
from typing import Any

from bff.expressions.decimals import TO_WHOLE
from bff.expressions.evaluation import Evaluation
from bff.expressions.values import FIRST_INEXACT, is_within_64_bits, number

_FEW = 1e15
"""A whole float below this has at most 15 digits, all of them right."""
_TENS = tuple(float(10**places) for places in range(23))
"""Those powers that are floats exactly."""
_MOST_DIGITS = len(_TENS) - 2
_NEAR, _CLEAR = 1e11, 0.499
"""A product with a power of ten, below the first, is so exact that a half is further away than the second."""
_CAREFULLY = 8
_WIDE = Context(prec=2_000)


def rounded(evaluation: Evaluation, value: Any, digits: int) -> int | float | None:
    """A number with so many digits behind the point; of fewer than none, of its tens or hundreds."""
    if value.__class__ is int:
        return _integer(value, digits)
    if 0 <= digits <= _MOST_DIGITS:
        scaled: float = value * _TENS[digits]
        whole = scaled + TO_WHOLE - TO_WHOLE
        if whole and -_NEAR < whole < _NEAR and -_CLEAR < scaled - whole < _CLEAR:
            return whole / _TENS[digits]
    plain = _without_half(value, digits)
    if plain is not None:
        return round(plain, digits)
    evaluation.charge(_CAREFULLY)
    return number(float(_exactly(Decimal(repr(value)), digits)))


def rounded_to_integer(evaluation: Evaluation, value: Any) -> int | None:
    """The whole number that a number is nearest to."""
    if value.__class__ is int:
        return _integer(value, 0)
    plain = _without_half(value, 0)
    if plain is not None:
        return round(plain)
    evaluation.charge(_CAREFULLY)
    return _integer(int(value if value.is_integer() else _exactly(Decimal(repr(value)), 0)), 0)


def formatted(evaluation: Evaluation, value: Any, spec: str, digits: int | None) -> str:
    """The text of a number in a format that shows so many digits behind the point; with none it is of whole numbers."""
    shown: float | Decimal | None = value
    if digits is not None:
        small = digits <= _MOST_DIGITS and -_FEW < value < _FEW
        shown = _without_half(float(value), digits) if small else None
        if shown is None:
            evaluation.charge(_CAREFULLY)
            shown = _exactly(Decimal(evaluation.text_of(value) or ""), digits)
    elif value.__class__ is int:
        evaluation.charge(value.bit_length() >> 5)
    elif value.is_integer() and abs(value) < FIRST_INEXACT:
        shown = int(value)
    else:
        return ""
    text = format(shown, spec)
    evaluation.charge(len(text) >> 1)  # each digit is worked out
    return text


def _integer(value: int, digits: int) -> int | None:
    if not is_within_64_bits(value):
        return None
    if digits < 0:
        unit = 10**-digits
        units = (2 * abs(value) + unit) // (2 * unit)
        value = units * unit if value > 0 else -units * unit
    return value if is_within_64_bits(value) else None


def _without_half(value: float, digits: int) -> float | None:
    """A float of which Python rounds right what is ours to round: it is not halfway.

    None where there are too many digits for floats to tell.
    """
    if digits < 0:
        return None
    size = abs(value)
    whole = size * _TENS[digits + 1]
    if whole >= _FEW:
        return None
    whole += TO_WHOLE
    whole -= TO_WHOLE
    if whole % 10 != 5 or whole / _TENS[digits + 1] != size:
        return value
    return copysign((whole + 5) / 10 / _TENS[digits], value)


def _exactly(value: Decimal, digits: int) -> Decimal:
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent >= -digits:
        return value
    return value.quantize(Decimal((0, (1,), -digits)), ROUND_HALF_UP, _WIDE)
