"""Texts for people: carets under a source line, the nearest name, durations and sizes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_DURATION = re.compile(r"([0-9]{1,6})(ms|s|m|h)")
_FARTHEST, _LONGEST_NAME = 3, 100
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(text: str) -> float | None:
    """Seconds of a duration such as `300ms`, `2s`, `5m`, `1h`; None when it is none."""
    match = _DURATION.fullmatch(text)
    return int(match[1]) * _SECONDS[match[2]] if match else None


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that an author most likely meant by `name`: a slip or two away, or the same but for an end."""
    found = [(_distance(name.casefold(), other.casefold()), other) for other in known]
    near = [(distance, other) for distance, other in found if distance <= _FARTHEST]
    return min(near, key=lambda one: one[0])[1] if near else None


def meant(name: str, known: Iterable[str]) -> str:
    """The nearest known name as the beginning of a cure, which goes on with all that there are; '' without one."""
    near = nearest(name, known)
    return f"did you mean {near}?  " if near else ""


def _distance(one: str, other: str) -> int:
    """How far a name is from another; over `_FARTHEST` where nobody would mean one by the other."""
    shorter, longer = sorted((one, other), key=len)
    apart = _apart(one, other)
    slips = 0 if len(longer) < 3 else 1 if len(longer) < 6 else 2
    if apart <= slips:
        return apart
    same_start = len(shorter) >= 3 and longer.startswith(shorter) and apart <= _FARTHEST
    is_word = len(shorter) >= 4 and f"_{shorter}_" in f"_{longer}_"
    return _FARTHEST if same_start or is_word else _FARTHEST + 1


def _apart(one: str, other: str) -> int:
    """How many characters must be written, left out, replaced or swapped with the next to make one of the other."""
    if abs(len(one) - len(other)) > _FARTHEST or max(len(one), len(other)) > _LONGEST_NAME:
        return _FARTHEST + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, char in enumerate(one, 1):
        last, before, row = before, row, [at]
        for place, sign in enumerate(other, 1):
            least = min(before[place] + 1, row[-1] + 1, before[place - 1] + (char != sign))
            if last and place > 1 and char == other[place - 2] and one[at - 2] == sign:
                least = min(least, last[place - 2] + 1)
            row.append(least)
    return row[-1]


def counted(number: int, what: str) -> str:
    """So many of something, in the plural but for one."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def width(text: str) -> int:
    """Columns that a text takes in a terminal: wide East Asian characters take two, combining marks none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def underline(source: str, column: int, length: int, hint: str = "") -> str:
    """The source line and, below it, carets under `length` characters from `column` (from 1) with the hint."""
    line = source.replace("\t", " ").rstrip("\r\n")
    before = width(line[: column - 1]) + max(0, column - 1 - len(line))
    carets = "^" * max(1, width(line[column - 1 : column - 1 + length]))
    tail = f" {hint}" if hint else ""
    return f"{line}\n{' ' * before}{carets}{tail}"
