"""YAML 1.2 core scalars: what a plain text stands for, and where each character of a text was written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

ScalarValue = None | bool | int | float | str
Span = tuple[int, int]
"""The stretch of the file that one character of a scalar's text came from."""

_NULLS = {"", "~", "null", "Null", "NULL"}
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
MAX_INDENT = 120
# Longer than any number of 64 bits; Python refuses to read texts of over 4,300 digits.
_LONGEST_INTEGER = 24


class NotJSONNumber(ValueError):
    """A number that JSON has no place for: not finite, or over 64 bits."""


def plain_value(text: str) -> ScalarValue:
    """The value of an unquoted scalar by YAML 1.2's core schema (`on`, `no` and dates stay text).

    Raises NotJSONNumber for infinities, NaN and integers over 64 bits.
    """
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _NOT_FINITE.fullmatch(text):
        raise NotJSONNumber(text)
    if _FLOAT.fullmatch(text):
        return _finite(float(text))
    return text


def _integer(text: str) -> int:
    if len(text) > _LONGEST_INTEGER:
        raise NotJSONNumber(text)
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    number = int(text[2:], base) if base != 10 else int(text)
    if not _SMALLEST <= number <= _LARGEST:
        raise NotJSONNumber(number)
    return number


def _finite(number: float) -> float:
    if number - number != 0:
        raise NotJSONNumber(number)
    return number


Pieces = Iterator[tuple[str, Span]]

_BREAK = re.compile(r"[ \t]*(?:\r?\n[ \t]*)+")
_HEX = {"x": 2, "u": 4, "U": 8}


def spans(raw: str, style: str | None, text: str, start: int) -> list[Span]:
    """The span of each character of `text`, a scalar written as `raw` from index `start` of the file.

    `style` is YAML's: None for plain, or the character that begins the scalar (`'`, `"`, `|`, `>`).
    Raises LookupError when the raw text does not give that text, which would be a defect here.
    """
    if style in ("|", ">"):
        return _block_spans(raw, style == ">", text, start)
    walk: Callable[[str], Pieces] = {None: _plain, "": _plain, "'": _single, '"': _double}[style]
    pieces = list(walk(raw))
    if "".join(char for char, _ in pieces) != text:
        raise LookupError("the places of a scalar do not fit its text")
    return [(start + first, start + last) for _, (first, last) in pieces]


def _fold(raw: str, index: int, match: re.Match[str]) -> Pieces:
    """The characters that a run of line breaks folds into: a space, or one break less than written."""
    breaks = match[0].count("\n")
    for _ in range(max(1, breaks - 1)):
        yield (" " if breaks == 1 else "\n"), (index, index + 1)


def _plain(raw: str, index: int = 0, end: int | None = None) -> Pieces:
    end = len(raw) if end is None else end
    while index < end:
        if match := _BREAK.match(raw, index, end):
            yield from _fold(raw, index, match)
            index = match.end()
        else:
            yield raw[index], (index, index + 1)
            index += 1


def _single(raw: str) -> Pieces:
    index, end = 1, len(raw) - 1
    while index < end:
        if match := _BREAK.match(raw, index, end):
            yield from _fold(raw, index, match)
            index = match.end()
        else:
            size = 2 if raw[index] == "'" else 1
            yield raw[index], (index, index + size)
            index += size


_ESCAPES = {
    **{"0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r"},
    **{"e": "\x1b", " ": " ", '"': '"', "\\": "\\", "/": "/"},
    **{"N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029"},
}


def _double(raw: str) -> Pieces:
    index, end = 1, len(raw) - 1
    while index < end:
        if raw[index] == "\\":
            size, char = _escape(raw, index)
            if char:
                yield char, (index, index + size)
            index += size
        elif match := _BREAK.match(raw, index, end):
            yield from _fold(raw, index, match)
            index = match.end()
        else:
            yield raw[index], (index, index + 1)
            index += 1


def _escape(raw: str, index: int) -> tuple[int, str]:
    """How long the escape at `index` is and the character it gives: none for an escaped line break."""
    letter = raw[index + 1]
    if letter in _HEX:
        size = _HEX[letter]
        return 2 + size, chr(int(raw[index + 2 : index + 2 + size], 16))
    if letter in "\r\n":
        match = _BREAK.match(raw, index + 1)
        size = 1 + len(match[0]) if match else 2
        return size, "\n" * (match[0].count("\n") - 1 if match else 0)
    return 2, _ESCAPES[letter]


def _block_spans(raw: str, folded: bool, text: str, start: int) -> list[Span]:
    """As `spans`; the indentation is found by trying: only the right one gives the text."""
    header = raw.index("\n") + 1 if "\n" in raw else len(raw)
    body = raw[header:]
    widths = {len(line) - len(line.lstrip(" ")) for line in body.split("\n")}
    # An indentation that was written (`|2`) may be less than that of every line.
    for indent in sorted(widths | set(range(min(MAX_INDENT, max(widths)))), reverse=True):
        pieces = list(_block(body, folded, indent))
        if "".join(char for char, _ in pieces)[: len(text)] == text and len(pieces) >= len(text):
            first = start + header
            return [(first + a, first + b) for _, (a, b) in pieces[: len(text)]]
    raise LookupError("the places of a block scalar do not fit its text")


def _block(body: str, folded: bool, indent: int) -> Pieces:
    """Each character of a block scalar; line breaks as in PyYAML, all trailing ones kept."""
    lines = _lines(body, indent)
    for number, (index, line) in enumerate(lines):
        for offset, char in enumerate(line):
            yield char, (index + offset, index + offset + 1)
        end = index + len(line)
        if number + 1 < len(lines) and folded and _joins(line, lines, number):
            if lines[number + 1][1]:
                yield " ", (end, end + 1)
        else:
            yield "\n", (end, end + 1)


def _joins(line: str, lines: list[tuple[int, str]], number: int) -> bool:
    """Whether the break after `line` folds: between two lines of text that do not begin with white space."""
    following = next((text for _, text in lines[number + 1 :] if text), "")
    return bool(line) and line[0] not in " \t" and bool(following) and following[0] not in " \t"


def _lines(body: str, indent: int) -> list[tuple[int, str]]:
    """The index and text of each line without its indentation and line end."""
    found, index = [], 0
    for line in body.splitlines(keepends=True):
        content = line.rstrip("\r\n")
        cut = min(indent, len(content) - len(content.lstrip(" ")))
        found.append((index + cut, content[cut:]))
        index += len(line)
    return found
