"""Results of functions of one text, remembered within a bound of bytes: texts come from visitors, and may be long.

A bound on entries is none where a visitor chooses how long a text is: short texts are remembered, and long ones made
each time. A cache that is no memo is listed with its bound in a test, which also fills every place that a visitor or
backend can write to and weighs the process afterwards.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")

ENTRY = 200
"""Bytes that an entry takes beside its text and its result, more or less."""


class Memo(dict[str, Result], Generic[Result]):
    """What a function gives, by its text; a look-up of what is there is one of a dict, and costs no call.

    It holds at most `entries`, none of more than `longest` bytes, and begins anew when it is full. What takes more
    is made each time. Any thread may ask.
    """

    __slots__ = ("entries", "function", "longest")

    def __init__(self, function: Callable[[str], Result], entries: int, longest: int) -> None:
        super().__init__()
        self.function = function
        self.entries = entries
        self.longest = longest

    def __missing__(self, text: str) -> Result:
        result = self.function(text)
        if sys.getsizeof(text) + sys.getsizeof(result) + ENTRY <= self.longest:
            if len(self) >= self.entries:
                self.clear()
            self[text] = result
        return result

    @property
    def bound(self) -> int:
        """The most bytes that it takes."""
        return self.entries * self.longest


def memoized(entries: int, longest: int) -> Callable[[Callable[[str], Result]], Callable[[str], Result]]:
    """Remember what a function gives, if that holds nothing but itself: `sys.getsizeof` measures it."""

    def decorate(function: Callable[[str], Result]) -> Callable[[str], Result]:
        return Memo(function, entries, longest).__getitem__

    return decorate
