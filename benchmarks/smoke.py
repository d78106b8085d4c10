"""Whether the benchmark works: every peer starts and answers the same, every part gives rows. No figure is kept."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from benchmarks import installing, lineup, results
from benchmarks.parts import Rows, Run

# Expressions have bounds of their own, which a short run cannot tell.
_PARTS = ("harness", "sick", "cold-start", "static", "list", "fan-out", "headers", "app", "pages")
_QUICK = ("bff", "fastify-undici")


def run(parts: Mapping[str, Callable[[Run], Rows]]) -> int:
    """Print what is wrong; 1 if anything is, also a missing peer where REQUIRE_ALL is set, but for one in Go."""
    begun = time.monotonic()
    peers: tuple[lineup.Peer, ...] = lineup.EVERYONE
    if installing.go() is None:
        print("go is not there: its peer takes no part")
        peers = tuple(peer for peer in peers if peer.needs != "go")
    everyone = Run(peers, ("same",), (1, 4), (0,), 0.1, 1, whole=False, starts=1)
    everyone.say = lambda line: None
    everyone.look()
    quick = replace(everyone, peers=tuple(peer for peer in lineup.PEERS if peer.name in _QUICK))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "results.json"
        for part in _PARTS:
            lacking = len(quick.missing)
            rows = parts[part](quick)
            if rows:
                name, how = part.replace("-", "_"), {"seconds": 0.1, "rounds": 1}
                results.write(results.merged(results.read(file), name, rows, whole=True, how=how), file)
            elif len(quick.missing) == lacking:
                quick.fail(f"{part} gave no rows")
    for line in [*everyone.missing, *quick.failed]:
        print(line, file=sys.stderr)
    print(f"{len(everyone.equal)} peers and forms, {len(_PARTS)} parts, {time.monotonic() - begun:.0f} s")
    return 1 if quick.failed or (everyone.missing and os.environ.get("REQUIRE_ALL")) else 0
