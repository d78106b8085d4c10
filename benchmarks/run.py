"""Runs the benchmarks, prints their tables and writes `benchmarks/results.json`; exits 1 where anything went wrong.

`python benchmarks/run.py [--only pages]`. Absolute figures move with the machine; ratios of one run are what is kept.
A run with fewer peers, forms, users or delays replaces only their rows.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import (
    app,
    cold_start,
    expressions,
    functions,
    growth,
    harness,
    headers,
    hosts,
    lineup,
    lists,
    machine,
    overload,
    page_load,
    results,
    scale,
    sick,
    smoke,
    static,
)
from benchmarks.parts import Rows, Run

USERS, DELAYS = (1, 50, 200), (0, 20)


def _bounded(measure: Callable[[], tuple[Rows, bool]]) -> Callable[[Run], Rows]:
    """A part that has bounds of its own and prints its table itself."""

    def part(this: Run) -> Rows:
        rows, within = measure()
        if not within:
            this.fail(f"{measure.__module__.rpartition('.')[2]}: something is over its bound")
        return rows

    return part


# In the order in which they run; in results.json a dash is an underscore.
PARTS: Mapping[str, Callable[[Run], Rows]] = {
    "harness": harness.run,
    "expressions": _bounded(expressions.run),
    "overload": _bounded(overload.run),
    "sick": sick.run,
    "cold-start": cold_start.run,
    "lambda": functions.run,
    "hosts": hosts.run,
    "static": static.run,
    "list": lists.run,
    "fan-out": growth.fan_out,
    "sizes": growth.sizes,
    "headers": headers.run,
    "app": app.run,
    "pages": page_load.run,
    # Last, because it starts from what the others found.
    "scale": scale.run,
}

_WITHOUT_PEERS = frozenset(
    {"app", "harness", "expressions", "lambda", "hosts", "overload", "sick", "static", "scale"}
)


def main(argv: list[str] | None = None) -> int:
    """Run what is asked for, keep the other results as they are."""
    parser = _parser()
    given = parser.parse_args(argv)
    if given.smoke:
        return smoke.run(PARTS)
    try:
        this = _run_of(given)
    except ValueError as error:
        parser.error(str(error))
    _warn()
    wanted = [name for name in PARTS if name in (given.only or PARTS)]
    if not _WITHOUT_PEERS.issuperset(wanted):
        this.look()
    for part in wanted:
        print(f"\n{part}", flush=True)
        rows = PARTS[part](this)
        how = {"seconds": given.seconds, "rounds": given.rounds}
        found = results.merged(
            results.read(given.results), part.replace("-", "_"), rows, whole=this.whole, how=how
        )
        results.write(found, given.results)
    problems = [*this.missing, *(f"FAILED {line}" for line in this.failed)]
    for line in problems:
        print(line, file=sys.stderr)
    return 1 if problems else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--only", choices=list(PARTS), action="append", help="a part; may be given more than once")
    add("--rounds", type=int, default=5, help="how often each is measured, in turns (%(default)s)")
    add("--seconds", type=float, default=3.0, help="how long each measurement is (%(default)s)")
    add("--peers", help=f"names with commas between, of {', '.join(peer.name for peer in lineup.EVERYONE)}")
    add("--work", help="bare or same; both unless given")
    add("--users", help=f"numbers with commas between ({_joined(USERS)})")
    add("--backend-ms", help=f"delays of the backends with commas between ({_joined(DELAYS)})")
    add("--results", type=Path, default=results.RESULTS, help="the file to write")
    add("--smoke", action="store_true", help="only whether everything works, in a minute")
    return parser


def _run_of(given: argparse.Namespace) -> Run:
    """Raises ValueError for what nobody can measure."""
    works = tuple(given.work.split(",")) if given.work else lineup.WORKS
    delays = _numbers(given.backend_ms, DELAYS)
    if not set(works) <= set(lineup.WORKS) or not set(delays) <= set(DELAYS):
        raise ValueError(f"--work is of {', '.join(lineup.WORKS)}, --backend-ms of {_joined(DELAYS)}")
    every = Run(
        lineup.PEERS,
        lineup.WORKS,
        USERS,
        DELAYS,
        given.seconds,
        given.rounds,
        whole=True,
        results=given.results,
    )
    some = replace(
        every,
        peers=lineup.named(given.peers, lineup.EVERYONE) if given.peers else lineup.PEERS,
        works=works,
        users=_numbers(given.users, USERS),
        delays=delays,
    )
    return replace(some, whole=some == every)


def _numbers(text: str | None, default: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",")) if text else default


def _joined(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers))


def _warn() -> None:
    if machine.cores().shared:
        print("There is one core only: server, load and backend take it from each other.")
    busy = machine.busy_share()
    if busy > 0.1:
        print(f"Others keep this machine {busy:.0%} busy: the figures will be worth little.")


if __name__ == "__main__":
    sys.exit(main())
