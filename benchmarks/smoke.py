"""Whether the benchmark works: every peer starts and answers the same, every part gives rows. No figure is kept."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks import answers, installing, lineup, results
from benchmarks.lineup import Peer
from benchmarks.parts import Rows, Run
from benchmarks.servers import Backend, DidNotStart, backend, serving

# Expressions have bounds of their own, which a short run cannot tell.
_PARTS = ("harness", "cold-start", "static", "list", "fan-out", "pages")
_AT_ONCE = 4


def run(parts: Mapping[str, Callable[[Run], Rows]]) -> int:
    """Print what is wrong; 1 if anything is, also a missing peer where REQUIRE_ALL is set."""
    peers, missing = _installed()
    begun = time.monotonic()
    failed = [line for lines in _checked(peers) for line in lines]
    quick = tuple(peer for peer in peers if peer.name in {"bff", "fastify-undici"})
    this = Run(quick, ("same",), (1, 4), (0,), 0.1, 1, whole=False, starts=1, say=lambda line: None)
    this.passed.update((peer.name, "same") for peer in quick)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "results.json"
        for part in _PARTS:
            name = part.replace("-", "_")
            rows = parts[part](this)
            found = results.merged(
                results.read(file), name, rows, whole=True, how={"seconds": 0.1, "rounds": 1}
            )
            results.write(found, file)
            if not rows:
                failed.append(f"{part} gave no rows")
    failed += this.failed
    for line in [*missing, *failed]:
        print(line, file=sys.stderr)
    forms = len(peers) * len(lineup.WORKS)
    print(f"{forms} peers and forms, {len(_PARTS)} parts, {time.monotonic() - begun:.0f} s")
    return 1 if failed or (missing and os.environ.get("REQUIRE_ALL")) else 0


def _installed() -> tuple[list[Peer], list[str]]:
    peers: list[Peer] = []
    missing: list[str] = []
    for peer in lineup.EVERYONE:
        try:
            installing.install(peer.needs)
            peers.append(peer)
        except installing.NotInstalled as error:
            missing.append(f"not installed: {peer.name}: {error}")
    return peers, missing


def _checked(peers: list[Peer]) -> list[list[str]]:
    """What is wrong with each peer and form, several of them at a time."""
    with backend() as asked, ThreadPoolExecutor(_AT_ONCE) as pool:
        forms = [(peer, work) for peer in peers for work in lineup.WORKS]
        return list(pool.map(lambda form: _problems(*form, asked), forms))


def _problems(peer: Peer, work: str, asked: Backend) -> list[str]:
    try:
        with serving(peer, work, asked.at_once) as server:
            return answers.problems_of(server)
    except (DidNotStart, OSError) as error:
        return [str(error)]
