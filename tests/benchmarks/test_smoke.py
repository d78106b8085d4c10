"""The smoke test of the benchmark: what makes it fail, and what it can do without."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from benchmarks import installing, smoke
from benchmarks.parts import Rows, Run

Parts = Mapping[str, Callable[[Run], Rows]]
ROWS = {"harness": [{"name": "pages_per_s_at_most", "value": 1}]}


@pytest.fixture(autouse=True)
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the peers that are looked at, none of which is started."""
    names: list[str] = []
    monkeypatch.setattr(Run, "look", lambda this: names.extend(peer.name for peer in this.peers))
    monkeypatch.setattr(smoke, "_PARTS", ("harness",))
    monkeypatch.setenv("REQUIRE_ALL", "1")
    return names


def _lacking(this: Run) -> Rows:
    this.missing.append("not installed: PocketBase")
    return []


@pytest.mark.parametrize("command", [None, "/usr/local/go/bin/go"])
def test_the_peer_in_go_takes_part_where_go_is_and_nothing_fails_where_it_is_not(
    command: str | None,
    looked: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(installing, "go", lambda: command)
    monkeypatch.setattr("benchmarks.results.versions", lambda: {"python": "3.11"})
    assert smoke.run({"harness": lambda this: ROWS["harness"]}) == 0
    assert ("go" in looked) is (command is not None)
    told = "go is not there: its peer takes no part\n" in capsys.readouterr().out
    assert told is (command is None)


@pytest.mark.parametrize(
    ("part", "required", "code", "said"),
    [
        (lambda this: [], "1", 1, "harness gave no rows\n"),
        (lambda this: [], "", 1, "harness gave no rows\n"),
        (_lacking, "1", 1, "not installed: PocketBase\n"),
        (_lacking, "", 0, "not installed: PocketBase\n"),
    ],
)
def test_a_part_without_rows_fails_unless_it_says_what_it_lacks(
    part: Callable[[Run], Rows],
    required: str,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("REQUIRE_ALL", required)
    assert smoke.run({"harness": part}) == code
    assert capsys.readouterr().err == said
