"""The formats of f-strings: those of numbers that people read, each of them exact."""

from __future__ import annotations

import re

_FORMAT = re.compile(r"0?[0-9]{0,2},?(?:d|(?:\.([0-9]{1,2}))?([f%]))")
_PARTS = re.compile(r"[-+ ]?(0?[0-9]{0,2})([,_]?)(\.[0-9]{1,2})?([deEfFgGn%]?)")
_WITH_POINT = frozenset("eEfFgG")
_UNSAID = 6
"""As many digits behind the point as in Python."""
ALL = "formats are d, f and %, with [0][width][,] before them and .digits before f and %, such as 03d or ,.2f"


def is_format(spec: str) -> bool:
    """Whether a number can be written so."""
    return _FORMAT.fullmatch(spec) is not None


def in_full(spec: str) -> tuple[str, int | None]:
    """The format with all that Python takes for said, and how many digits of the number itself it shows.

    None of one of whole numbers.
    """
    found = _FORMAT.fullmatch(spec)
    if found is None or spec.endswith("d"):
        return spec, None
    digits = int(found[1] or _UNSAID)
    said = spec if found[1] else f"{spec[:-1]}.{digits}{found[2]}"
    return said, digits + (2 if found[2] == "%" else 0)


def nearest(spec: str) -> str:
    """The format that is meant by one that is none; empty where nobody knows."""
    found = _PARTS.fullmatch(spec)
    if found is None:
        return ""
    width, comma, digits, kind = found.groups("")
    if kind != "%":
        kind = "f" if digits or kind in _WITH_POINT else "d"
    return f"{width}{',' if comma else ''}{digits}{kind}"
