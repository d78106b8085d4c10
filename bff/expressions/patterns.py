"""Patterns of texts: RE2, which takes time in line with the text whatever the pattern, by `google-re2`.

Loaded only by what has a pattern. What a search takes is paid before, at what RE2 needs without its tables: the length
of the text times the steps of the pattern. How far it looks for a hit that is not the last, no library says: what all
hits of `sub` take is paid by the clock of the thread.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import re2  # type: ignore[import-untyped]

from bff import clock
from bff.expressions.evaluation import PER_SECOND, Evaluation

MAX_STEPS = 5_000
"""The steps of the largest pattern."""
MAX_MEMORY = 2 * 1024 * 1024
"""Bytes that a pattern and its tables take at most, as long as the process runs."""

_PER_WORK = 5
"""A step of a pattern over a character takes 8 ns at worst, a 32nd of a node."""
_SEARCH, _HIT = 8, 12
_HIT_BYTES = 200

With = str | tuple[str | int, ...]
"""What stands in for a hit: a text as it is, or the texts and numbers of groups that a constant has."""


class NoPattern(ValueError):
    """A text is no pattern, or one that is too large; the message is RE2's."""


class Pattern:
    """A compiled pattern; raises NoPattern."""

    __slots__ = ("_compiled", "groups", "steps")

    def __init__(self, text: str) -> None:
        options = re2.Options()
        options.max_mem = MAX_MEMORY
        options.log_errors = False
        try:
            self._compiled = re2.compile(text.encode(), options)
        except re2.error as error:
            raise NoPattern(error.args[0].decode(errors="replace")) from None
        self.groups: int = self._compiled.groups
        self.steps: int = self._compiled.programsize
        if self.steps > MAX_STEPS:
            raise NoPattern("pattern too large")

    def matches(self, evaluation: Evaluation, text: str) -> bool:
        """Whether it is found in a text."""
        return self._compiled.search(self._paid(evaluation, text)) is not None

    def find(self, evaluation: Evaluation, text: str) -> list[str | None] | None:
        """The first hit and its groups."""
        hit = self._compiled.search(self._paid(evaluation, text))
        if hit is None:
            return None
        found = hit.group(0), *hit.groups()
        evaluation.take(sum(_HIT_BYTES + 4 * len(part or b"") for part in found))
        # `\C` may cut a character.
        return [None if part is None else part.decode(errors="replace") for part in found]

    def sub(self, evaluation: Evaluation, text: str, new: With | None) -> str | None:
        """The text with something else in place of each hit; where hits are empty, as in JavaScript and Python."""
        if not isinstance(new, str | tuple):
            return None
        raw = self._paid(evaluation, text)
        expand = _always(new.encode(errors="replace")) if isinstance(new, str) else partial(_expanded, new)
        search, parts = self._compiled.search, []
        at = behind = 0
        paid, began = 0, clock.thread_time()
        while at <= len(raw) and (hit := search(raw, at)) is not None:
            start, end = hit.span()
            stands_in = expand(hit)
            evaluation.take(_HIT_BYTES + start - behind + 4 * len(stands_in))
            parts += [raw[behind:start], stands_in]
            behind = end
            at = end if end > start else _next_character(raw, end)
            took = int((clock.thread_time() - began) * PER_SECOND)
            evaluation.charge(max(_HIT, took - paid))
            paid += max(_HIT, took - paid)
        parts.append(raw[behind:])
        evaluation.take(5 * sum(map(len, parts)))
        return b"".join(parts).decode(errors="replace")

    def _paid(self, evaluation: Evaluation, text: str) -> bytes:
        """The text as it is searched, once that is paid for."""
        evaluation.take(4 * len(text) + 64)
        raw = text.encode(errors="replace")
        evaluation.charge(_SEARCH + (len(raw) * self.steps >> _PER_WORK))
        return raw


def _always(text: bytes) -> Callable[[Any], bytes]:
    return lambda hit: text


def _expanded(parts: tuple[str | int, ...], hit: Any) -> bytes:
    return b"".join(part.encode() if isinstance(part, str) else hit.group(part) or b"" for part in parts)


def _next_character(raw: bytes, at: int) -> int:
    at += 1
    while at < len(raw) and raw[at] & 0xC0 == 0x80:
        at += 1
    return at
