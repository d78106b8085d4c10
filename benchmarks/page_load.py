"""The part `pages`: one page of every peer, at several numbers of users, on quick and slow backends."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from typing import Any

from benchmarks.lineup import HOME, Peer
from benchmarks.measuring import measure, middle, note_of
from benchmarks.parts import Rows, Run
from benchmarks.servers import Backend, backend, serving

FIGURES = ("pages_per_s", "cpu_s_per_1000", "p50_ms", "p99_ms", "memory_mb")
_Key = tuple[str, str, int, int]


def run(this: Run) -> Rows:
    """One row for each peer, form, delay and number of users: medians over the rounds."""
    found: dict[_Key, Rows] = defaultdict(list)
    peers = list(this.peers)
    with backend() as asked:
        for number in this.each_round():
            # Each round begins with another peer, so that none has the machine at its warmest every time.
            turn = number % len(peers) if peers else 0
            for peer in peers[turn:] + peers[:turn]:
                for work in (work for work in this.works if peer in this.able(work)):
                    for delay in this.delays:
                        with this.attempt():
                            _measure(this, peer, work, delay, asked, found)
    return [_row(key, rounds) for key, rounds in sorted(found.items(), key=_order(this.peers))]


def _measure(this: Run, peer: Peer, work: str, delay: int, asked: Backend, found: dict[_Key, Rows]) -> None:
    with serving(peer, work, asked.port(delay)) as server:
        measure(server, asked, HOME, 8, seconds=this.seconds / 3, warm=this.seconds / 6)
        for users in sorted(this.users):  # upwards, because memory does not come back
            measured = measure(server, asked, HOME, users, seconds=this.seconds, warm=this.seconds / 6)
            found[peer.name, work, delay, users].append(asdict(measured))
            this.say(
                f"    {peer.name:16}{work:5}{delay:>3} ms{users:>4} users{measured.pages_per_s:>8.0f}/s"
                f"{(measured.cpu_s_per_1000 or 0) * 1000:>8.0f} µs{measured.p50_ms or 0:>8.1f}"
                f"{measured.p99_ms or 0:>8.1f} ms{measured.memory_mb:>6.0f} MB  {note_of(measured)}"
            )


def _row(key: _Key, rounds: Rows) -> dict[str, Any]:
    name, work, delay, users = key
    return {
        "name": name,
        "work": work,
        "users": users,
        "backend_ms": delay,
        **middle(rounds, FIGURES),
        "errors": sum(one["errors"] for one in rounds),
        "load_core": round(max(one["load_core"] for one in rounds), 2),
    }


def _order(peers: tuple[Peer, ...]) -> Any:
    places = {peer.name: place for place, peer in enumerate(peers)}
    return lambda entry: (entry[0][1], entry[0][2], entry[0][3], places[entry[0][0]])
