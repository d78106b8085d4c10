"""What one page's expressions may still use, and the instant they call now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from math import inf
from typing import Any

from bff import clock, jsontext
from bff.errors import BoundError
from bff.expressions.values import MAX_DEPTH, MAX_INTEGER, MIN_INTEGER, key_text, to_text

WORK = 4_000_000
MEMORY = 64 * 1024 * 1024
PER_SECOND = 4_000_000
"""The work that takes about a second."""
GRACE = 0.5
"""Seconds of its thread's processor that a page may still take behind its deadline, to be made of what came in time."""
_CHUNK = 1_000
_LOOK_EVERY = 50_000
_LOOK_EVERY_BYTES = 1024 * 1024


class Evaluation:
    """The budgets of one page: `work` in nodes evaluated, `memory` in bytes built; `now` is one instant.

    `deadline` (monotonic) is when expressions are stopped, but for GRACE: a page that is late because its process was
    stopped or had no processor has computed nothing yet. The clock is read once in a while: each budget has a mark,
    and who goes below it looks.
    """

    __slots__ = ("_memory_mark", "_until", "_work_mark", "deadline", "memory", "now", "work")

    def __init__(
        self, work: int = WORK, memory: int = MEMORY, now: datetime | None = None, deadline: float = inf
    ) -> None:
        self.now = now or clock.now()
        self.deadline = deadline
        self._until: float | None = None
        # As `put_back` sets them; each page makes one of these.
        self.work, self._work_mark = work, work - _LOOK_EVERY if work > _LOOK_EVERY else 0
        self.memory, self._memory_mark = (
            memory,
            memory - _LOOK_EVERY_BYTES if memory > _LOOK_EVERY_BYTES else 0,
        )

    def put_back(self, work: int, memory: int) -> None:
        """Sets what is left of both budgets."""
        self.work, self._work_mark = work, max(0, work - _LOOK_EVERY)
        self.memory, self._memory_mark = memory, max(0, memory - _LOOK_EVERY_BYTES)

    def charge(self, work: int) -> None:
        """Takes work off the budget; raises `BoundError` when it is used up."""
        self.work -= work
        if self.work < self._work_mark:
            self.look(work)

    def take(self, size: int) -> None:
        """Takes memory off the budget before it is used; raises `BoundError` when there is none left."""
        self.memory -= size
        if self.memory < self._memory_mark:
            self.look()

    def look(self, work: int = 0) -> None:
        """Raises `BoundError` when a budget is used up, or when such work would go on after the deadline."""
        if self.work < 0:
            raise BoundError("work of a page's expressions (BFF_MAX_WORK)")
        if self.memory < 0:
            raise BoundError("memory of a page's expressions (BFF_MAX_MEMORY)")
        if clock.monotonic() + work / PER_SECOND > self.deadline:
            self._be_late(work / PER_SECOND)
        self.put_back(self.work, self.memory)

    def _be_late(self, seconds: float) -> None:
        """Raises `BoundError` when so much more computing would go over what is granted behind the deadline."""
        now = clock.thread_time()
        if self._until is None:
            self._until = now + GRACE
        if now + seconds >= self._until:
            raise BoundError("time of a page's expressions (the page's deadline)")

    def walk(self, value: Any) -> None:
        """Pays for a walk over a whole value, in which what is shared is met again each time."""
        if value.__class__ is not list and value.__class__ is not dict:
            return
        try:
            self.charge(jsontext.measure(value, self.work, self.memory, MAX_DEPTH))
        except jsontext.TooLarge as error:
            raise BoundError(f"a value that a page goes over: {error}") from error

    def loop(self, items: Any, work: int, size: int) -> Sequence[Any]:
        """The items of a list, paid for at `work` and `size` each; of anything else none."""
        if items.__class__ is not list:
            return ()
        count = len(items)
        needed = count * work + 4
        # `charge` and `take`, for what every page does.
        self.work -= needed
        if self.work < self._work_mark:
            self.look(needed)
        self.memory -= count * size + 64
        if self.memory < self._memory_mark:
            self.look()
        return items

    def kept(self, items: Any, size: int, result: list[Any] | dict[str, Any]) -> Any:
        """Gives back the memory that `loop` took for items that a condition left out."""
        if items.__class__ is list:
            self.memory += (len(items) - len(result)) * size
        return result

    def collect(self, items: Iterator[Any], size: int) -> list[Any]:
        """The list of a generator that several loops with conditions feed, paid for as it grows."""
        result: list[Any] = []
        while chunk := list(islice(items, _CHUNK)):
            self.take(len(chunk) * size)
            result += chunk
        return result

    def text_of(self, value: Any) -> str | None:
        """The text of a value, paid for: the digits of large integers take time that grows with their square."""
        if value.__class__ is int:
            if not MIN_INTEGER <= value <= MAX_INTEGER:
                self.charge(value.bit_length() >> 5)
            return repr(value)
        return to_text(value)

    def key_of(self, value: Any) -> str | None:
        """The key that a value is in a mapping, paid for like its text."""
        return self.text_of(value) if value.__class__ is int else key_text(value)

    def text(self, *parts: Any) -> str:
        """The text that an f-string makes of its parts."""
        texts = [part if part.__class__ is str else self.text_of(part) or "" for part in parts]
        return self.joined("", texts)

    def joined(self, separator: str, texts: list[str]) -> str:
        """Texts joined, paid for first."""
        self.take(joined_size(separator, texts))
        return separator.join(texts)


def text_size(length: int, texts: Iterable[str] = ()) -> int:
    """Bytes of a text of this length whose characters come from these texts."""
    return 56 + (length if all(map(str.isascii, texts)) else 4 * length)


def joined_size(separator: str, texts: list[str]) -> int:
    """Bytes of the texts joined."""
    length = sum(map(len, texts)) + len(separator) * max(0, len(texts) - 1)
    return text_size(length, [separator, *texts])
