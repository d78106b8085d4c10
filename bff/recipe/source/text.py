"""The text of one file, and where its characters stand."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

from bff.errors import Finding, Place
from bff.recipe.model import Mark

MAX_BYTES = 256 * 1024

# YAML 1.1, and so PyYAML, breaks lines at the last three; 1.2 and editors do not.
_FORBIDDEN = re.compile(
    "[^\n\r\t -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|\r(?!\n)"
)


class Source:
    """The text of one file; turns indexes of it into marks."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def place(self, index: int) -> Place:
        line = bisect_right(self._starts, index) - 1
        return Place(self.file, line + 1, index - self._starts[line] + 1)

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, without its end, safe to print; '' past the end."""
        if number > len(self._starts):
            return ""
        end = self._starts[number] if number < len(self._starts) else len(self.text)
        return _FORBIDDEN.sub("\ufffd", self.text[self._starts[number - 1] : end].rstrip("\r\n"))

    def mark(self, start: int, stop: int) -> Mark:
        """The mark of the characters from `start` to before `stop`, cut at the end of the first line."""
        place = self.place(start)
        line = self.line(place.line)
        length = min(stop - start, len(line.rstrip()) - place.column + 1)
        return Mark(place, line, max(1, length))


def read_source(path: Path, file: str) -> tuple[Source | None, list[Finding]]:
    """The text of a file, or what keeps it from being read; `file` is its name as printed."""
    text, findings = read_text(path, file, "a recipe")
    if text is None:
        return None, findings
    source = Source(file, text)
    findings = list(_strange_characters(source))
    return (None if findings else source), findings


def read_text(path: Path, file: str, what: str) -> tuple[str | None, list[Finding]]:
    """The same of `what` may hold any characters."""
    start = Place(file, 1, 1)
    try:
        raw = path.read_bytes()
    except OSError as error:
        return None, [Finding(start, f"cannot be read: {error.strerror}")]
    if len(raw) > MAX_BYTES:
        return None, [Finding(start, f"has {len(raw):,} bytes; {what} may have {MAX_BYTES:,}")]
    try:
        return raw.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return None, [Finding(Place(file, line, 1), "is not UTF-8 text; save the file as UTF-8")]


def _strange_characters(source: Source) -> Iterator[Finding]:
    """The first tab and the first control character; more of them would say nothing new."""
    if match := _FORBIDDEN.search(source.text):
        mark = source.mark(match.start(), match.start() + 1)
        name = (
            "a lone carriage return" if match[0] == "\r" else f"the control character U+{ord(match[0]):04X}"
        )
        yield mark.finding(name, "only visible characters, spaces and line ends may stand in a recipe")
    tabs = source.text.count("\t")
    if tabs:
        index = source.text.index("\t")
        others = f"; {tabs - 1} more in this file" if tabs > 1 else ""
        yield source.mark(index, index + 1).finding("a tab", f"write spaces{others}")
