"""Texts for people: carets under a source line, the nearest name, durations and sizes."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable

_DURATION = re.compile(r"([0-9]{1,6})(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(text: str) -> float | None:
    """Seconds of a duration such as `300ms`, `2s`, `5m`, `1h`; None when it is none."""
    match = _DURATION.fullmatch(text)
    return int(match[1]) * _SECONDS[match[2]] if match else None


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that an author most likely meant by `name`, if one is near."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


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
