"""What every part of the benchmark is told: how long, how often, who."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import answers, installing
from benchmarks.lineup import EXPRESS_FETCH, WORKS, Peer
from benchmarks.results import RESULTS
from benchmarks.servers import DidNotStart, backend, serving

_LOOKED_AT_ONCE = 4


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
    missing: list[str] = field(default_factory=list)
    starts: int = 4
    """Cold starts of each peer in a round."""
    results: Path = RESULTS
    """The file whose figures a part may start from."""
    failed: list[str] = field(default_factory=list)
    say: Callable[[str], object] = print
    equal: set[tuple[str, str]] = field(default_factory=set)
    """Names and forms of the peers whose answers were found right."""

    def fail(self, line: str) -> None:
        if line in self.failed:
            return
        self.failed.append(line)
        self.say(f"FAILED {line}")

    def installed(self, peers: Sequence[Peer]) -> list[Peer]:
        """The peers that are there; why another is not is told in `missing`."""
        ready: dict[str, bool] = {}
        for need in dict.fromkeys(peer.needs for peer in peers):
            try:
                installing.install(need)
                ready[need] = True
            except installing.NotInstalled as error:
                ready[need] = False
                names = ", ".join(peer.name for peer in peers if peer.needs == need)
                self.missing.append(f"not installed: {names}: {error}")
                self.say(self.missing[-1])
        return [peer for peer in peers if ready[peer.needs]]

    def look(self) -> None:
        """Look at every answer of every peer, several peers at a time, before anything is measured.

        Whose answers are wrong takes no part; each problem is a failure of the run.
        """
        peers = self.installed([*self.peers, EXPRESS_FETCH] if self.whole else self.peers)
        forms = [(peer, work) for peer in peers for work in WORKS]
        with backend() as asked, ThreadPoolExecutor(_LOOKED_AT_ONCE) as pool:
            found = list(pool.map(lambda form: _problems(*form, asked.at_once), forms))
        for (peer, work), problems in zip(forms, found, strict=True):
            for problem in problems:
                self.fail(problem)
            if not problems:
                self.equal.add((peer.name, work))
        self.say(f"{len(self.equal)} of {len(forms)} peers and forms answer the same page")

    def able(self, work: str, also: tuple[Peer, ...] = ()) -> list[Peer]:
        """The peers whose answers were found right in this form."""
        return [peer for peer in dict.fromkeys((*self.peers, *also)) if (peer.name, work) in self.equal]

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


def _problems(peer: Peer, work: str, backend_port: int) -> list[str]:
    try:
        with serving(peer, work, backend_port) as server:
            return answers.problems_of(server)
    except (DidNotStart, OSError) as error:
        return [str(error)]
