"""The parts `fan-out` and `sizes`: what a page costs with more calls, and with larger replies."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict

from benchmarks import fixtures, lineup
from benchmarks.lineup import Page
from benchmarks.measuring import measure, middle, note_of
from benchmarks.parts import Rows, Run
from benchmarks.servers import backend, serving

USERS = 8
FIGURES = ("cpu_us", "p50_ms")


def fan_out(this: Run) -> Rows:
    """CPU microseconds of a page by how many replies of 300 bytes it is made of."""
    pages = {calls: lineup.fan(calls) for calls in fixtures.FAN_OUTS}
    return _grown(this, "calls", pages)


def sizes(this: Run) -> Rows:
    """CPU microseconds of a page by the kilobytes of its one reply."""
    pages = {kilobytes: lineup.size(kilobytes) for kilobytes in fixtures.SIZES_KB}
    return _grown(this, "reply_kb", pages)


def _grown(this: Run, column: str, pages: dict[int, Page]) -> Rows:
    found: dict[tuple[str, int], Rows] = defaultdict(list)
    with backend() as asked:
        for _ in this.each_round():
            for peer in this.able("same"):
                with this.attempt(), serving(peer, "same", asked.at_once) as server:
                    for (
                        page
                    ) in pages.values():  # compilers at run time need some of each before they are done
                        measure(server, asked, page, USERS, seconds=this.seconds / 6, warm=0.0)
                    for amount, page in pages.items():
                        measured = measure(
                            server, asked, page, USERS, seconds=this.seconds / 2, warm=this.seconds / 4
                        )
                        cpu = measured.cpu_s_per_1000
                        row = asdict(measured) | {"cpu_us": None if cpu is None else cpu * 1000}
                        found[peer.name, amount].append(row)
                        this.say(
                            f"    {peer.name:16}{column} {amount:>5}{row['cpu_us'] or 0:>9.0f} µs"
                            f"{measured.p50_ms or 0:>9.1f} ms  {note_of(measured)}"
                        )
    return [
        {
            "name": name,
            column: amount,
            **middle(rounds, FIGURES),
            "errors": sum(one["errors"] for one in rounds),
        }
        for (name, amount), rounds in found.items()
    ]
