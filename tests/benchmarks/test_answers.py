"""Equal pages, and who takes part."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import fixtures, installing, lineup
from benchmarks.answers import first_difference, problems_of
from benchmarks.lineup import HOME
from benchmarks.parts import Run
from benchmarks.servers import Answer, Server


@pytest.mark.parametrize(
    ("expected", "given", "difference"),
    [
        ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}, None),
        ({"a": [1, 2]}, {"a": [1, 3]}, "$.a[1] is 3, not 2"),
        ({"a": [1]}, {"a": [1, 2]}, "$.a has 2 items, not 1"),
        ({"a": 1}, {"b": 1}, "$ has the keys ['b'], not ['a']"),
        ({"a": 1}, {"a": True}, "$.a is true, not 1"),
        ({"a": 1}, {"a": 1.0}, "$.a is 1.0, not 1"),
        ({"a": None}, {"a": ""}, '$.a is "", not null'),
        ([], {}, "$ is {}, not []"),
        ("short", "x" * 100, f'$ is "{"x" * 56}…, not "short"'),
    ],
)
def test_the_first_difference_is_told(expected: Any, given: Any, difference: str | None) -> None:
    assert first_difference(expected, given) == difference


class _Answering(Server):
    """A server that answers without being there."""

    def __init__(self, answer: Answer) -> None:
        self.peer, self.work, self.answer, self.cookie = lineup.BFF, "bare", answer, ""

    def ask(self, *asked: Any, **rest: Any) -> Answer:
        return self.answer


def test_a_page_with_one_other_value_is_a_problem() -> None:
    page = copy.deepcopy(HOME.expected)
    page["todos"][99]["helper"] = None
    server = _Answering(Answer(200, {}, json.dumps(page).encode()))
    assert problems_of(server) == [
        "bff (bare), home {'status': 'all', 'limit': '100'}: $.todos[99].helper is null, not "
        + json.dumps(HOME.expected["todos"][99]["helper"], ensure_ascii=False)
    ]


def test_the_right_page_is_none() -> None:
    assert problems_of(_Answering(Answer(200, {}, fixtures.encode(HOME.expected)))) == []


@pytest.mark.parametrize(
    ("answer", "problem"),
    [(Answer(500, {}, b""), "status 500"), (Answer(200, {}, b"<html>"), "no page in b'<html>'")],
)
def test_no_page_is_a_problem(answer: Answer, problem: str) -> None:
    assert problems_of(_Answering(answer)) == [
        f"bff (bare), home {{'status': 'all', 'limit': '100'}}: {problem}"
    ]


def test_the_page_is_as_large_as_the_docs_say() -> None:
    sizes = {
        name: len(fixtures.encode(getattr(fixtures, name)())) for name in ("me", "todos", "people", "notice")
    }
    assert sizes == {"me": 249, "todos": 21558, "people": 3919, "notice": 265}
    assert len(fixtures.encode(HOME.expected)) == 9588
    assert len(fixtures.encode(fixtures.small(3))) == pytest.approx(300, abs=30)
    for kilobytes in fixtures.SIZES_KB:
        assert len(fixtures.encode(fixtures.sized(kilobytes))) == pytest.approx(kilobytes * 1024, rel=0.2)


def test_the_list_has_another_person_on_each_item() -> None:
    assert len({one["helper_id"] for one in fixtures.listed()}) == 100


def test_peers_are_chosen_by_name_in_their_own_order() -> None:
    assert [peer.name for peer in lineup.named("limit,bff")] == ["bff", "limit"]
    assert lineup.named(None) == lineup.PEERS
    with pytest.raises(ValueError, match=r"^no peer is named nobody; there are bff, limit"):
        lineup.named("bff,nobody")


def test_ours_is_served_as_make_serve_serves() -> None:
    shell, option, command = lineup.make_serve(4711)
    assert (shell, option) == ("sh", "-c")
    assert "\n" not in command
    for part in ("bff serve", "--port 4711", "--workers 1", f"--threads {lineup.THREADS}"):
        assert part in command


def test_each_peer_has_each_page_somewhere() -> None:
    pages = [HOME, lineup.fan(4), lineup.size(16), lineup.listed("batch"), lineup.listed("one-by-one")]
    for peer in lineup.EVERYONE:
        paths = [peer.target(page, "same").path for page in pages]
        assert len(set(paths)) == len(pages), peer.name
    apollo = next(peer for peer in lineup.PEERS if peer.name == "apollo-rest")
    assert apollo.target(HOME, "same").page_of({"data": {"home": 1}}) == 1


GO = next(peer for peer in lineup.PEERS if peer.name == "go")


@pytest.fixture
def no_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(installing, "_GO_FOLDER", "/nowhere")


@pytest.mark.usefixtures("no_go")
def test_without_go_its_peer_is_left_out_and_told() -> None:
    said: list[str] = []
    this = Run((lineup.BFF, GO), ("same",), (1,), (0,), 0.1, 1, whole=False, say=said.append)
    assert this.installed(this.peers) == [lineup.BFF]
    assert this.missing == said == ["not installed: go: go is not there"]


def test_go_is_found_where_its_own_installer_puts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = tmp_path / "go"
    command.touch(0o755)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(installing, "_GO_FOLDER", str(tmp_path))
    assert installing.go() == str(command)


def test_the_peer_in_go_needs_nothing_but_its_standard_library() -> None:
    module = (lineup.HERE / "peers" / "go" / "go.mod").read_text()
    assert module.splitlines() == ["module bench", "", "go 1.22"]
