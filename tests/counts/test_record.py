"""What is said where pages make other calls than those that are recorded, and that each call is counted."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from tests.counts.measure import Counts
from tests.counts.record import difference, table

BEFORE = {"python": {"bff/run.py:run": 3, "bff/run.py:wait": 2, "bff/page.py:old": 4}, "c": {"dict.get": 9}}


def test_calls_as_recorded_are_no_difference() -> None:
    assert difference("home", BEFORE, BEFORE) == ""


def test_functions_that_grew_are_told_the_most_grown_first() -> None:
    python = {"bff/run.py:run": 5, "bff/run.py:wait": 2, "bff/page.py:old": 4, "bff/page.py:new": 7}
    now = {"python": python, "c": {"dict.get": 10}}
    assert difference("home", BEFORE, now).splitlines() == [
        "home: 18 Python calls (recorded 9, +9), 10 C calls (recorded 9, +1)",
        "Python functions that are called more often:",
        "    +7  bff/page.py:new  0 → 7",
        "    +2  bff/run.py:run  3 → 5",
        "C functions that are called more often:",
        "    +1  dict.get  9 → 10",
        "Where that is meant, python -m tests.counts.record records it.",
    ]


def test_fewer_calls_are_told_too() -> None:
    now = {"python": {"bff/run.py:run": 3, "bff/run.py:wait": 1}, "c": {"dict.get": 9}}
    assert difference("home", BEFORE, now).splitlines() == [
        "home: 4 Python calls (recorded 9, -5), 9 C calls (recorded 9, +0)",
        "Python functions that are called less often:",
        "    -4  bff/page.py:old  4 → 0",
        "    -1  bff/run.py:wait  2 → 1",
        "Where that is meant, python -m tests.counts.record records it.",
    ]


def test_a_function_in_anothers_place_is_a_difference_where_the_totals_are_equal() -> None:
    now = {"python": {**BEFORE["python"], "bff/page.py:old": 0, "bff/page.py:new": 4}, "c": {"dict.get": 9}}
    assert difference("home", BEFORE, now).splitlines() == [
        "home: 9 Python calls (recorded 9, +0), 9 C calls (recorded 9, +0)",
        "Python functions that are called more often:",
        "    +4  bff/page.py:new  0 → 4",
        "Python functions that are called less often:",
        "    -4  bff/page.py:old  4 → 0",
        "Where that is meant, python -m tests.counts.record records it.",
    ]


class _Silent:
    def quiet(self) -> None:
        pass


def _counted(run: Callable[[], object]) -> Counts:
    counts = Counts(_Silent(), lambda: None, Path("/nowhere"))
    sys.setprofile(counts.note)
    try:
        run()
    finally:
        sys.setprofile(None)
    return counts


def _one() -> int:
    return len("1")


def _three() -> list[int]:
    return sorted((_one(), _one()), key=abs)


def test_every_call_is_counted_by_its_function() -> None:
    here = "tests/counts/test_record.py"
    assert _counted(_three).told() == {
        "python": {f"{here}:_one": 2, f"{here}:_three": 1},
        # `abs` is called by C, and so are the lookups that it needs: no interpreter, no call that could be saved.
        "c": {"builtins.len": 2, "builtins.sorted": 1, "sys.setprofile": 1},
    }


def test_the_table_tells_what_is_and_what_it_may_come_to() -> None:
    entries = {
        "page": {"python": 340, "c": 250, "target": {"python": 36, "c": 50}},
        "an id": {"python": 3, "c": 4.5, "target": {"python": 1}},
    }
    assert list(table(json.dumps({"table": entries}))) == [
        "       Python  at most    C  at most",
        "page      340       36  250       50",
        "an id       3        1  4.5",
    ]
