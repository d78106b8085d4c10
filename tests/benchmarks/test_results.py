"""results.json: parts that are put in, and what the file may hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import machine, results, run
from benchmarks.parts import Run
from benchmarks.results import WrongResults

HOW = {"seconds": 3.0, "rounds": 5}


@pytest.fixture(autouse=True)
def same_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "described", lambda: "test machine")
    monkeypatch.setattr(results, "versions", lambda: {"python": "3.11"})
    monkeypatch.setattr(results, "_today", lambda: "2026-11-23")


def cold(name: str, milliseconds: float) -> dict[str, Any]:
    return {"name": name, "first_page_ms": milliseconds, "spread": {"first_page_ms": [1, 2]}, "rounds": 5}


OLD = {
    "machine": "old machine",
    "versions": {"python": "3.10"},
    "date": "2026-01-01",
    "parts": {"cold_start": {"date": "2026-01-01", "machine": "old machine", "seconds": 1, "rounds": 1}},
    "cold_start": [cold("bff", 300), cold("limit", 100)],
    "expressions": [{"name": "joined", "items": 100, "times_hand_written": 1.2}],
}
STAMP = {"date": "2026-11-23", "machine": "test machine", "seconds": 3.0, "rounds": 5}


def test_a_whole_run_replaces_its_part_and_no_other() -> None:
    found = results.merged(OLD, "cold_start", [cold("bff", 200)], whole=True, how=HOW)
    assert found["cold_start"] == [cold("bff", 200)]
    assert found["expressions"] == OLD["expressions"]
    assert found["parts"]["cold_start"] == STAMP
    assert (found["machine"], found["versions"], found["date"]) == (
        "test machine",
        {"python": "3.11"},
        "2026-11-23",
    )
    results.check(found)


def test_a_run_of_some_replaces_their_rows_and_says_when() -> None:
    rows = [cold("limit", 90), cold("apollo-rest", 700)]
    found = results.merged(OLD, "cold_start", rows, whole=False, how=HOW)
    assert found["cold_start"] == [
        cold("bff", 300),
        cold("limit", 90) | {"measured": STAMP},
        cold("apollo-rest", 700) | {"measured": STAMP},
    ]
    assert found["parts"] == OLD["parts"]
    results.check(found)


def test_a_part_that_found_nothing_changes_nothing() -> None:
    assert results.merged(OLD, "cold_start", [], whole=True, how=HOW) == OLD


def test_what_was_there_is_not_changed_in_place() -> None:
    before = json.dumps(OLD)
    results.merged(OLD, "cold_start", [cold("limit", 90)], whole=False, how=HOW)
    assert json.dumps(OLD) == before


def test_rows_of_pages_are_told_apart_by_all_that_is_varied() -> None:
    row = {"name": "bff", "work": "same", "users": 50, "backend_ms": 0, "pages_per_s": 1}
    other = row | {"users": 200}
    found = results.merged({"pages": [row, other]}, "pages", [row | {"pages_per_s": 2}], whole=False, how=HOW)
    assert [one["pages_per_s"] for one in found["pages"]] == [2, 1]
    assert found["pages"][1] == other


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"date": "today"}, "/date: "),
        ({"cold_start": [{"name": "bff"}]}, "/cold_start/0: "),
        ({"cold_start": [cold("bff", -1)]}, "/cold_start/0/first_page_ms: "),
        ({"pages": [{"name": "bff"}]}, "/pages/0: "),
        ({"more": 1}, "/: "),
    ],
)
def test_what_is_no_result_is_not_written(change: dict[str, Any], place: str, tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    results.write(OLD, file)
    with pytest.raises(WrongResults, match=f"^results at {place}"):
        results.write(OLD | change, file)
    assert results.read(file) == OLD
    assert list(tmp_path.iterdir()) == [file]


def test_there_are_no_results_before_the_first_run(tmp_path: Path) -> None:
    assert results.read(tmp_path / "results.json") == {}


@pytest.fixture
def no_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    """No peer is started and asked before parts that are none: `make bench-smoke` does that."""
    monkeypatch.setattr(Run, "look", lambda this: None)
    monkeypatch.setattr(run, "_warn", lambda: None)


@pytest.mark.usefixtures("no_peers")
def test_one_part_alone_is_run_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "results.json"
    results.write(OLD, file)
    monkeypatch.setattr(
        run, "PARTS", {"cold-start": lambda this: [cold("bff", 250)], "pages": lambda this: 1 / 0}
    )
    assert run.main(["--only", "cold-start", "--results", str(file)]) == 0
    assert results.read(file)["cold_start"] == [cold("bff", 250)]
    assert results.read(file)["expressions"] == OLD["expressions"]


@pytest.mark.usefixtures("no_peers")
def test_what_went_wrong_makes_the_run_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def part(this: Any) -> list[dict[str, Any]]:
        this.fail("apollo-rest: node and npm are not there")
        return [cold("bff", 250)]

    monkeypatch.setattr(run, "PARTS", {"cold-start": part})
    file = tmp_path / "results.json"
    assert run.main(["--results", str(file)]) == 1
    assert capsys.readouterr().err == "FAILED apollo-rest: node and npm are not there\n"
    assert results.read(file)["cold_start"] == [cold("bff", 250)]


@pytest.mark.parametrize(
    ("options", "whole"),
    [([], True), (["--rounds", "1"], True), (["--peers", "bff"], False), (["--users", "50"], False)],
)
def test_a_run_is_whole_unless_something_is_left_out(options: list[str], whole: bool) -> None:
    assert run._run_of(run._parser().parse_args(options)).whole is whole


def test_unknown_peers_and_forms_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for options in (["--peers", "nobody"], ["--work", "more"], ["--backend-ms", "30"], ["--users", "many"]):
        with pytest.raises(SystemExit):
            run.main(options)
    assert "no peer is named nobody" in capsys.readouterr().err
