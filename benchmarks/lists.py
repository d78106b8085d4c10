"""The part `list`: what a backend is asked for a list of a hundred items, each with another person on it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict

from benchmarks import lineup
from benchmarks.measuring import measure, middle
from benchmarks.parts import Rows, Run
from benchmarks.servers import backend, serving

WAYS = ("batch", "one-by-one")
FIGURES = ("cpu_s_per_1000", "p50_ms")


def run(this: Run) -> Rows:
    """For each peer and way: requests to the backend for one page, CPU, and one user's page on a slow backend."""
    found: dict[tuple[str, str], Rows] = defaultdict(list)
    counts: dict[tuple[str, str], int] = {}
    pages = {way: lineup.listed(way) for way in WAYS}
    with backend() as asked:
        for _ in this.each_round():
            for peer in this.able("same"):
                with this.attempt(), serving(peer, "same", asked.delayed) as server:
                    for way, page in pages.items():  # first: a load leaves pages behind that nobody waits for
                        asked.counts()
                        server.ask(page)
                        counts[peer.name, way] = sum(asked.counts().values())
                    for way, page in pages.items():
                        measured = measure(server, asked, page, 1, seconds=this.seconds / 2)
                        found[peer.name, way].append(asdict(measured))
                        this.say(
                            f"    {peer.name:16}{way:12}{counts[peer.name, way]:>4} requests"
                            f"{measured.p50_ms or 0:>9.1f} ms"
                        )
    return [
        {"name": name, "way": way, "upstream_requests": counts[name, way], **middle(rounds, FIGURES)}
        for (name, way), rounds in found.items()
    ]
