"""What every part of the benchmark is told: how long, how often, who."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from benchmarks import answers, installing
from benchmarks.lineup import Page, Peer
from benchmarks.servers import DidNotStart, Server


@dataclass
class Run:
    """One run: its peers, windows and rounds; `failed` collects every line about what went wrong."""

    peers: tuple[Peer, ...]
    works: tuple[str, ...]
    users: tuple[int, ...]
    delays: tuple[int, ...]
    seconds: float
    rounds: int
    whole: bool
    """Whether it is about everything, so that older results of a part say nothing more."""
    starts: int = 4
    """Cold starts of each peer in a round."""
    failed: list[str] = field(default_factory=list)
    say: Callable[[str], object] = print
    passed: set[tuple[str, str]] = field(default_factory=set)
    """Peers and forms whose answers were found right."""

    def fail(self, line: str) -> None:
        if line in self.failed:
            return
        self.failed.append(line)
        self.say(f"FAILED {line}")

    def installed(self, peers: Sequence[Peer]) -> list[Peer]:
        """The peers that are there; why another is not is a failure of the run."""
        ready: dict[str, bool] = {}
        for need in dict.fromkeys(peer.needs for peer in peers):
            try:
                installing.install(need)
                ready[need] = True
            except installing.NotInstalled as error:
                ready[need] = False
                names = ", ".join(peer.name for peer in peers if peer.needs == need)
                self.fail(f"{names}: {error}")
        return [peer for peer in peers if ready[peer.needs]]

    def checked(self, server: Server, pages: list[Page] | None = None) -> bool:
        """Whether a peer's answers are right; looked at once in a run, and a failure of it where they are not."""
        key = (server.peer.name, server.work)
        if key not in self.passed:
            problems = answers.problems_of(server, pages=pages)
            for problem in problems:
                self.fail(problem)
            if problems:
                return False
            self.passed.add(key)
        return True

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """What cannot be started or asked is a failure of the run, and not its end."""
        try:
            yield
        except (DidNotStart, OSError, ValueError) as error:
            self.fail(str(error))

    def each_round(self) -> Iterator[int]:
        """The rounds, each told with the time that it begins."""
        for number in range(1, self.rounds + 1):
            self.say(f"  round {number} of {self.rounds}, {time.strftime('%H:%M:%S')}")
            yield number


Rows = list[dict[str, Any]]
