"""What visitors asked for, as they remember it: one operation for each key, with every try of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

Kind = Literal["add", "edit", "remove", "comment"]

_SEEN_BY = re.compile(r"\[for ([0-9+]+):")
_ADDRESS = re.compile(r"soak-(\d+)@example\.com")
# The layer does not promise what becomes of a request that was cut: it may still wait where a process is stopped.
UNKNOWN_STATUSES = frozenset({0, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Try:
    """One request: when it was sent and ended (seconds since 1970), and its status; 0 where no answer came."""

    begun: float
    ended: float
    status: int


@dataclass(slots=True)
class Operation:
    """One write of a visitor. `mark` is the text that it writes, `status` that of the todo after an edit.

    `todo` is the id of the todo that it is about; of one that is added, the id that was answered; `row` the id of a
    comment.
    """

    visitor: int
    kind: Kind
    key: str
    mark: str = ""
    status: str = ""
    todo: str = ""
    row: str = ""
    tries: list[Try] = field(default_factory=list)

    @property
    def acknowledged(self) -> bool:
        """Whether a try was answered as done; a todo that an earlier try may have removed is gone as well."""
        if self.kind == "remove" and any(tried.status == 404 for tried in self.tries):
            return True
        return any(200 <= tried.status < 300 for tried in self.tries)

    @property
    def possible(self) -> bool:
        """Whether it may have been done."""
        return self.acknowledged or any(tried.status in UNKNOWN_STATUSES for tried in self.tries)

    @property
    def begun(self) -> float:
        return self.tries[0].begun

    @property
    def ended(self) -> float:
        return self.tries[-1].ended

    @property
    def lost_at(self) -> float | None:
        """When the last try without a clear answer ended."""
        return max((tried.ended for tried in self.tries if tried.status in UNKNOWN_STATUSES), default=None)


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken: by whose request, with which key, and what was seen."""

    visitor: int
    key: str
    seen: str

    def __str__(self) -> str:
        who = f"visitor {self.visitor}, " if self.visitor >= 0 else ""
        return f"{who}{self.key}: {self.seen}" if self.key else f"{who}{self.seen}"


def mark(visitors: Iterable[int], text: str) -> str:
    """A text that says who may see it."""
    return f"[for {'+'.join(map(str, visitors))}:{text}]"


def foreign(body: str, visitor: int) -> str | None:
    """The first text of an answer that is marked for others than this visitor."""
    for found in _SEEN_BY.finditer(body):
        if str(visitor) not in found[1].split("+"):
            return body[found.start() : found.start() + 80]
    for found in _ADDRESS.finditer(body):
        if int(found[1]) != visitor:
            return found[0]
    return None


def address(visitor: int) -> str:
    return f"soak-{visitor}@example.com"


@dataclass(slots=True)
class Ledger:
    """All that a run of visitors brought: operations, violations they saw, statuses counted, latencies of pages."""

    operations: list[Operation] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    unfinished: int = 0

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)), "utf-8")

    @classmethod
    def read(cls, path: Path) -> Ledger:
        plain = json.loads(path.read_text("utf-8"))
        return cls(
            list(_operations(plain["operations"])),
            [Violation(**one) for one in plain["violations"]],
            plain["statuses"],
            plain["seconds"],
            plain["unfinished"],
        )


def _operations(plain: list[dict[str, object]]) -> Iterator[Operation]:
    for one in plain:
        tries = [Try(**tried) for tried in one.pop("tries")]  # type: ignore[attr-defined]
        yield Operation(**one, tries=tries)  # type: ignore[arg-type]
