"""A page whose backends are well stays on the quick way: none of its requests leaves it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bff.http import Calls
from bff.testing import matrix_of
from tests import test_cookbook as cookbook

ROOT = Path(__file__).resolve().parents[1]
PROJECTS: dict[str, Callable[[Path], Path]] = {
    "the app": lambda folder: ROOT,
    "the cookbook": lambda folder: cookbook.project(folder, *cookbook.PAGES),
    "the benchmark": lambda folder: ROOT / "benchmarks" / "bff_page",
}


@pytest.mark.parametrize(
    "name", [one if one == "the benchmark" else pytest.param(one, marks=pytest.mark.full) for one in PROJECTS]
)
def test_no_request_of_a_healthy_page_is_handed_over(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed_over: list[str] = []
    monkeypatch.setattr(
        Calls, "handed_over", lambda self, client, why: handed_over.append(f"{client.name}: {why}")
    )
    cases = matrix_of(PROJECTS[name](tmp_path), faults=()).cases
    assert cases
    assert {str(case): problems for case in cases if (problems := case.run_once(5.0).problems)} == {}
    assert handed_over == []


def test_a_request_that_is_handed_over_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    handed_over: list[str] = []
    monkeypatch.setattr(Calls, "handed_over", lambda self, client, why: handed_over.append(why))
    monkeypatch.setattr("bff.http.wires.is_replaced", lambda: True)
    for case in matrix_of(PROJECTS["the benchmark"](ROOT), ["home"], faults=()).cases:
        case.run_once(5.0)
    assert set(handed_over) == {"mocked"}
