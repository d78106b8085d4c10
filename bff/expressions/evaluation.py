"""What one page's expressions may still use, and the instant they call now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from bff.errors import BoundError
from bff.expressions.values import to_text

WORK = 4_000_000
MEMORY = 64 * 1024 * 1024
_CHUNK = 1_000


class Evaluation:
    """The budgets of one page: `work` in nodes evaluated, `memory` in bytes built; `now` is one instant."""

    __slots__ = ("memory", "now", "work")

    def __init__(self, work: int = WORK, memory: int = MEMORY, now: datetime | None = None) -> None:
        self.work = work
        self.memory = memory
        self.now = now or datetime.now(UTC)

    def charge(self, work: int) -> None:
        """Takes work off the budget; raises `BoundError` when it is used up."""
        self.work -= work
        if self.work < 0:
            raise BoundError("work of a page's expressions (BFF_MAX_WORK)")

    def take(self, size: int) -> None:
        """Takes memory off the budget before it is used; raises `BoundError` when there is none left."""
        self.memory -= size
        if self.memory < 0:
            raise BoundError("memory of a page's expressions (BFF_MAX_MEMORY)")

    def loop(self, items: Any, work: int, size: int) -> Sequence[Any]:
        """The items of a list, paid for at `work` and `size` each; of anything else none."""
        if items.__class__ is not list:
            return ()
        count = len(items)
        self.charge(count * work + 4)
        self.take(count * size + 64)
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

    def text(self, *parts: Any) -> str:
        """The text that an f-string makes of its parts."""
        texts = [part if part.__class__ is str else to_text(part) or "" for part in parts]
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
