"""The part about functions: what it needs, and when it fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import emulator, functions
from benchmarks.functions import FIGURES, Function
from benchmarks.parts import Run


@pytest.fixture
def quick() -> Run:
    found = Run((), (), (), (), 0.1, 1, whole=False, starts=1)
    found.say = lambda line: None
    return found


def test_without_the_emulator_nothing_is_measured_and_the_cure_is_told(
    quick: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(emulator, "RUNTIME", tmp_path / "none")
    assert functions.run(quick) == []
    assert quick.missing == ["not installed: awslambdaric and AWS's emulator: make install-hosts"]


@pytest.mark.parametrize(
    ("ours", "by_hand", "failed"),
    [
        (100.0, 100.0, []),
        (101.0, 100.0, ["lambda: the first page of bff is later than that of the page written by hand"]),
    ],
)
def test_a_first_page_that_is_later_than_one_written_by_hand_is_a_failure(
    ours: float,
    by_hand: float,
    failed: list[str],
    quick: Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    took = {"bff": ours, "flask-requests": by_hand}
    monkeypatch.setattr(emulator, "missing", lambda: "")
    monkeypatch.setattr(functions, "_ours", lambda port: Function("bff", tmp_path, "", {}, 1.0, 1.0))
    monkeypatch.setattr(
        functions, "_by_hand", lambda port: Function("flask-requests", tmp_path, "", {}, 1.0, 1.0)
    )
    monkeypatch.setattr(functions, "_sign_in", lambda function: None)
    monkeypatch.setattr(
        functions,
        "_start",
        lambda function: dict.fromkeys(FIGURES, 1.0) | {"first_page_ms": took[function.name]},
    )
    rows = functions.run(quick)
    assert [(row["name"], row["first_page_ms"]) for row in rows] == list(took.items())
    assert quick.failed == failed
