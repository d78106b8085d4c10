"""A run's table, and that each kind of broken promise makes it fail."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.soak.gauges import MIB, Sample
from tests.soak.judge import Truth
from tests.soak.ledger import Ledger, Operation, Try, Violation
from tests.soak.report import Outcome

FLAT = [Sample(1.0 * second, 100.0 * MIB, 40.0) for second in range(150)]
RISING = [Sample(1.0 * second, (100 + second) * MIB, 40.0) for second in range(150)]


def outcome(rows: int = 1, **more: Any) -> Outcome:
    """One todo that was answered as done, so many times in the backend."""
    added = Operation(7, "add", "7-1", "tea", todo="t1", tries=[Try(1, 2, 0), Try(3, 4, 201)])
    todos = [{"id": f"t{at + 1}", "title": "tea", "note": "", "status": "open"} for at in range(rows)]
    ledger = Ledger([added], statuses={"201": 1, "cut (EOFError)": 1}, seconds=[0.01, 0.02])
    return replace(Outcome(ledger, Truth(todos, []), {"kill redis": 2}, FLAT), **more)


def verdict(found: Outcome) -> list[str]:
    return [str(violation) for violation in found.violations()]


def test_the_table_tells_counts_and_the_verdict() -> None:
    assert outcome().table() == "\n".join(
        [
            "answers    2: 1 201, 1 cut (EOFError)",
            "latency    p50 20 ms, p99 20 ms of the answered pages, faults among them",
            "",
            "writes        asked    done  unknown  refused   tries  repeated",
            "add               1       1        0        0       2         1",
            "edit              0       0        0        0       0         0",
            "comment           0       0        0        0       0         0",
            "remove            0       0        0        0       0         0",
            "rows       1 todos, 0 comments in the backend",
            "",
            "faults     2: 2 kill redis",
            "",
            "memory MiB 100.0 to 100.0; +0.00 a minute in the second half, at most 1.5 may be",
            "files open 40.0 to 40.0; +0.00 a minute in the second half, at most 6 may be",
            "",
            "every promise was kept",
        ]
    )


def test_a_doubled_write_is_named() -> None:
    assert outcome(2).table().endswith("\n1 promises were broken\n  visitor 7, 7-1: there 2 times: tea")


def test_every_other_broken_promise_is_named() -> None:
    seen = Ledger(outcome().ledger.operations, [Violation(7, "7-1", "500 of GET /api/home: oops")])
    assert verdict(outcome(0)) == ["visitor 7, 7-1: answered as done, and not there: tea"]
    assert verdict(outcome(ledger=seen)) == ["visitor 7, 7-1: 500 of GET /api/home: oops"]
    assert verdict(outcome(samples=RISING)) == ["memory grows by 60.00 a minute, at most 1.5 may be"]
    assert verdict(outcome(tracebacks=1)) == ["1 tracebacks in the logs of the instances"]


def test_a_run_in_which_nothing_was_done_proves_nothing() -> None:
    empty = outcome(0, ledger=Ledger(unfinished=2))
    assert verdict(empty) == [
        "2 visitors never came to an end",
        "no write was answered as done: nothing was tried",
    ]


def test_a_ledger_is_read_as_it_was_written(tmp_path: Path) -> None:
    ledger = outcome().ledger
    ledger.violations.append(Violation(7, "7-1", "seen"))
    ledger.write(tmp_path / "ledger.json")
    assert Ledger.read(tmp_path / "ledger.json") == ledger
