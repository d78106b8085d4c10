"""The library's functions over texts and numbers, and the instant of the page. A value of the wrong kind gives null."""

from __future__ import annotations

import re
from datetime import UTC, timedelta
from functools import partial
from typing import Any

from bff.expressions import rounding
from bff.expressions.evaluation import Evaluation, text_size
from bff.expressions.library import Function, library
from bff.expressions.lists import listed
from bff.expressions.operators import search_work
from bff.expressions.values import is_number, is_within_64_bits, number

FUNCTIONS: dict[str, Function] = {}
_declare = partial(library, FUNCTIONS)

_INTEGER = re.compile(r"[ ]*[+-]?[0-9]{1,25}[ ]*")
_DIGITS = re.compile(r"[ ]*[+-]?[0-9a-zA-Z]+[ ]*")
_DECIMAL = re.compile(r"[ ]*[+-]?[0-9]{1,400}+(?:\.[0-9]{1,400}+)?(?:[eE][+-]?[0-9]{1,4})?[ ]*")


@_declare("round(x, digits)", 1, 2, "a number as whole")
def rounded(evaluation: Evaluation, value: Any, *digits: Any) -> int | float | None:
    """The nearest whole number, or with this many digits; halves go away from zero; null gives null."""
    if not is_number(value):
        return None
    if not digits:
        return rounding.rounded_to_integer(evaluation, value)
    if digits[0].__class__ is not int or not -20 <= digits[0] <= 20:
        return None
    return rounding.rounded(evaluation, value, digits[0])


@_declare("abs(x)", 1, 1, "a number of the same kind")
def absolute(evaluation: Evaluation, value: Any) -> int | float | None:
    """A number without its sign; null gives null."""
    return abs(value) if is_number(value) and is_within_64_bits(value) else None


@_declare("str(x)", 1, 1, "string of null | boolean | number | string")
def text(evaluation: Evaluation, value: Any) -> str | None:
    """The text of a value; null gives '', a list or mapping null."""
    return "" if value is None else evaluation.text_of(value)


@_declare("int(x, base)", 1, 2, "integer | null of any, any")
def integer(evaluation: Evaluation, value: Any, *base: Any) -> int | float | None:
    """A whole number of a number (cut off) or of a text, such as '12', or with base 16 'ff'; all else gives null."""
    if base:
        return _of_base(value, base[0])
    if value.__class__ is str and len(value) < 99 and _INTEGER.fullmatch(value):
        return number(int(value))
    return number(int(value)) if is_number(value) else None


def _of_base(value: Any, base: Any) -> int | float | None:
    if value.__class__ is not str or base.__class__ is not int or not 2 <= base <= 36:
        return None
    if len(value) > 99 or not _DIGITS.fullmatch(value):
        return None
    try:
        return number(int(value, base))
    except ValueError:
        return None


@_declare("float(x)", 1, 1, "number | null of any")
def decimal(evaluation: Evaluation, value: Any) -> int | float | None:
    """A number of a text such as '1.5', or of a number; null and other texts give null."""
    if value.__class__ is str and len(value) < 999:
        evaluation.charge(len(value) >> 4)
        return number(float(value)) if _DECIMAL.fullmatch(value) else None
    try:
        return float(value) if is_number(value) else None
    except OverflowError:
        return None


def _paid(evaluation: Evaluation, value: str, times: int = 1) -> None:
    evaluation.charge(len(value) >> 4)
    evaluation.take(times * text_size(len(value), [value]))


@_declare("join(list, ', ')", 1, 2, "string of any, string")
def join(evaluation: Evaluation, items: Any, *separator: Any) -> str | None:
    """The texts of a list's items in one, with a text between them; null gives ''."""
    between = separator[0] if separator else ""
    if between.__class__ is not str:
        return None
    texts = [evaluation.text_of(value) or "" for value in listed(evaluation, items, 2)]
    return evaluation.joined(between, texts)


@_declare("split(text, ',')", 1, 2, "string[] of string, some text")
def split(evaluation: Evaluation, value: Any, *separator: Any) -> list[str] | None:
    """The parts of a text between these separators, or between spaces; null gives null."""
    if value.__class__ is not str:
        return None
    between = separator[0] if separator else None
    if separator and (between.__class__ is not str or not between):
        return None
    _paid(evaluation, value)
    if between:
        evaluation.charge(2 * search_work(len(value), len(between), all_of_them=True))
    parts = value.count(between) + 1 if between else len(value) // 2 + 1
    evaluation.charge(parts)
    evaluation.take(84 * parts)
    return value.split(between)


@_declare("replace(text, 'old', 'new')", 3, 3, "string of string, string, string")
def replace(evaluation: Evaluation, value: Any, old: Any, new: Any) -> str | None:
    """The text with every old part replaced; null gives null."""
    if not value.__class__ is old.__class__ is new.__class__ is str:
        return None
    evaluation.charge(3 * search_work(len(value), len(old), all_of_them=True))
    times = value.count(old)
    length = len(value) + times * (len(new) - len(old))
    evaluation.charge((len(value) + length) >> 4)
    evaluation.take(text_size(length, (value, new)))
    return value.replace(old, new)


@_declare("lower(text)", 1, 1, "string of string")
def lower(evaluation: Evaluation, value: Any) -> str | None:
    """The text in small letters; null gives null."""
    if value.__class__ is not str:
        return None
    _paid(evaluation, value, 3)
    return value.lower()


@_declare("upper(text)", 1, 1, "string of string")
def upper(evaluation: Evaluation, value: Any) -> str | None:
    """The text in capital letters; null gives null."""
    if value.__class__ is not str:
        return None
    _paid(evaluation, value, 3)
    return value.upper()


@_declare("strip(text)", 1, 1, "string of string")
def strip(evaluation: Evaluation, value: Any) -> str | None:
    """The text without spaces around it; null gives null."""
    if value.__class__ is not str:
        return None
    _paid(evaluation, value)
    return value.strip()


@_declare("startswith(text, 'start')", 2, 2, "boolean of string, string")
def startswith(evaluation: Evaluation, value: Any, start: Any) -> bool | None:
    """Tells whether a text begins so; null gives null."""
    if not value.__class__ is start.__class__ is str:
        return None
    evaluation.charge(len(start) >> 8)
    return value.startswith(start)


@_declare("endswith(text, 'end')", 2, 2, "boolean of string, string")
def endswith(evaluation: Evaluation, value: Any, end: Any) -> bool | None:
    """Tells whether a text ends so; null gives null."""
    if not value.__class__ is end.__class__ is str:
        return None
    evaluation.charge(len(end) >> 8)
    return value.endswith(end)


@_declare("digest(text, length)", 1, 2, "string of boolean | number | string")
def digest(evaluation: Evaluation, value: Any, *length: Any) -> str | None:
    """The first characters (64 if not said) of the SHA-256 of a text, in hex; null gives null."""
    found, wanted = evaluation.text_of(value), length[0] if length else 64
    if found is None or wanted.__class__ is not int or not 1 <= wanted <= 64:
        return None
    _paid(evaluation, found)
    evaluation.charge(8 + (len(found) >> 4))
    import hashlib  # loads OpenSSL, and few pages hash

    return hashlib.sha256(found.encode()).hexdigest()[:wanted]


@_declare("now(seconds)", 0, 1, "string")
def now(evaluation: Evaluation, *seconds: Any) -> str | None:
    """The instant of the page, the same in all of it, or one so many seconds later: '2026-11-15T10:00:00.000Z';
    null seconds give null."""
    moment = evaluation.now.astimezone(UTC)
    if seconds:
        if not is_number(seconds[0]):
            return None
        try:
            moment += timedelta(seconds=seconds[0])
        except OverflowError:
            return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@_declare("quote(text)", 1, 1, "string | null of any")
def quote(evaluation: Evaluation, value: Any) -> str | None:
    """A value as a text in the filter language of the step's client, null as an empty one."""
    raise LookupError("quote belongs to a client")
