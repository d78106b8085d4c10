"""What nginx says of each request that it passed on, and which of them failed without being cut by a kill."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.scale.kills import Kill

_ROUNDED = 0.02
"""Seconds by which times of nginx may be off: it looks at the clock once for all that it does in one turn."""
_LEFT = 499


@dataclass(frozen=True, slots=True)
class Line:
    """One request: from when to when (seconds since 1970), and what came of it.

    `upstreams` are the ports that it was passed to, one after the other; `answered` says whether the last of them
    answered, `complete` whether the visitor got all of the answer.
    """

    begun: float
    ended: float
    method: str
    path: str
    status: int
    upstreams: tuple[int, ...]
    answered: bool
    complete: bool

    @property
    def took(self) -> float:
        return self.ended - self.begun

    @property
    def failed(self) -> bool:
        return self.status >= 500 or not self.complete

    @property
    def left(self) -> bool:
        """Whether the visitor did not wait for the answer."""
        return self.status == _LEFT

    @property
    def cut(self) -> bool:
        """Whether it failed for want of an answer, with what nginx or the broken connection says in its place."""
        return self.failed and not self.left and (not self.answered or not self.complete)


class AccessLog:
    """Reads on where it has ended before."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self.lines: list[Line] = []

    def follow(self) -> list[Line]:
        """What has come since the last time."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._read)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        found = list(read(whole.decode()))
        self.lines += found
        return found


def read(text: str) -> Iterator[Line]:
    """The requests of a log."""
    for one in map(json.loads, text.splitlines()):
        upstreams = tuple(int(place.rpartition(":")[2]) for place in one["upstreams"].split(", ") if place)
        answered = one["heads"].rpartition(", ")[2] not in ("", "-")
        begun = one["at"] - one["took"]
        complete = one["complete"] == "OK"
        yield Line(begun, one["at"], one["method"], one["path"], one["status"], upstreams, answered, complete)


def unexplained(lines: Sequence[Line], kills: Sequence[Kill]) -> list[Line]:
    """The requests that failed though no kill cut them."""
    return [
        line
        for line in lines
        if line.failed and not (line.cut and any(_may_have_cut(kill, line) for kill in kills))
    ]


def _may_have_cut(kill: Kill, line: Line) -> bool:
    under_way = line.begun - _ROUNDED <= kill.ended and line.ended + _ROUNDED >= kill.begun
    return under_way and kill.port in line.upstreams
