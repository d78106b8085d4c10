"""Where an error was raised, for the log: its places and kinds without its words, which may hold what somebody sent."""

from __future__ import annotations

import traceback
from collections.abc import Iterator


def trace_of(error: BaseException) -> str:
    """The trace of an error and of those that led to it, the first one first, each with its type alone."""
    parts = []
    for one in _chain(error):
        frames = "".join(traceback.format_tb(one.__traceback__))
        parts.append(f"{frames}{type(one).__module__}.{type(one).__qualname__}")
    return "\n".join(reversed(parts))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error, what it was raised from or while handling what, and so on."""
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
