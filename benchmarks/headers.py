"""The part `headers`: the page of `pages` once more, on backends whose replies have ten headers more.

Content delivery networks and gateways add that many: whoever reads a reply has to get over them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict

from benchmarks.backend import MORE_HEADERS
from benchmarks.lineup import HOME
from benchmarks.measuring import measure, middle, note_of
from benchmarks.parts import Rows, Run
from benchmarks.servers import backend, serving

USERS = 50
FIGURES = ("pages_per_s", "cpu_s_per_1000", "p50_ms", "p99_ms")
_PEERS = ("bff", "limit", "go", "fastify-undici")


def run(this: Run) -> Rows:
    """A row for each peer without those headers and one with them, which take turns."""
    found: dict[tuple[str, int], Rows] = defaultdict(list)
    with backend() as asked:
        ports = {0: asked.at_once, len(MORE_HEADERS): asked.with_headers}
        for _ in this.each_round():
            for peer in (peer for peer in this.able("same") if peer.name in _PEERS):
                for more, port in ports.items():
                    with this.attempt(), serving(peer, "same", port) as server:
                        measured = measure(
                            server, asked, HOME, USERS, seconds=this.seconds, warm=this.seconds
                        )
                        found[peer.name, more].append(asdict(measured))
                        this.say(
                            f"    {peer.name:16}{more:>3} headers more{measured.pages_per_s:>8.0f}/s"
                            f"{(measured.cpu_s_per_1000 or 0) * 1000:>8.0f} µs  {note_of(measured)}"
                        )
    return [
        {
            "name": name,
            "more_headers": more,
            **middle(rounds, FIGURES),
            "errors": sum(one["errors"] for one in rounds),
        }
        for (name, more), rounds in found.items()
    ]
