"""The page of the app on PocketBase: what is compared before it is measured, its rows and tables."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks import app, fixtures, pages_report, results
from benchmarks.app import FIGURES
from benchmarks.lineup import PEERS
from benchmarks.measuring import middle
from benchmarks.parts import Run
from benchmarks.recorder import Recorder, recording
from benchmarks.servers import Answer, ask
from clients.local.binary import BackendError

BOTH = [app._of_app(peer) for peer in PEERS if peer.name in ("bff", "fastify-undici")]
OURS, BY_HAND = BOTH


def test_both_have_the_page_somewhere() -> None:
    paths = [[peer.target(page, "same").path for page in app.PAGES] for peer in BOTH]
    assert (paths[0][0], paths[1][0]) == ("/api/home?", "/todo-app/api/home?")
    assert [f"/todo-app{path}" for path in paths[0]] == paths[1]


class _Answering:
    """A server that answers a page without being there, and asks a backend for it."""

    def __init__(self, page: Any, asks: str, recorder: Recorder) -> None:
        self.page, self.asks, self.recorder = page, asks, recorder

    def ask(self, *asked: Any) -> Answer:
        self.recorder.seen.append(self.asks)
        return Answer(200, {}, json.dumps(self.page).encode())


def _problems(monkeypatch: pytest.MonkeyPatch, page: Any, asks: str, missing: str = "") -> list[str]:
    """What is found where ours has the page 1 and asks for /a, and the one by hand is like that."""
    recorder = Recorder(0)

    @contextlib.contextmanager
    def recording(port: int) -> Iterator[Recorder]:
        recorder.seen = []
        yield recorder

    @contextlib.contextmanager
    def signed_in(peer: Any, port: int) -> Iterator[_Answering]:
        yield _Answering(1, "GET /a", recorder) if peer is OURS else _Answering(page, asks, recorder)

    def promises(server: _Answering, page: Any) -> list[str]:
        return [missing] if missing and server.asks == asks else []

    monkeypatch.setattr(app, "recording", recording)
    monkeypatch.setattr(app, "_signed_in", signed_in)
    monkeypatch.setattr(app, "promises", promises)
    return app._problems(BOTH, 0)


def test_the_same_page_of_the_same_calls_is_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _problems(monkeypatch, 1, "GET /a") == []


def test_another_page_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _problems(monkeypatch, 2, "GET /a") == [
        "fastify-undici has another page of the app: $[0] is 2, not 1"
    ]


def test_other_calls_are_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _problems(monkeypatch, 1, "GET /b") == [
        "fastify-undici asks PocketBase otherwise: GET /a",
        "fastify-undici asks PocketBase otherwise: GET /b",
    ]


def test_work_that_is_left_out_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _problems(monkeypatch, 1, "GET /b", "no total in Server-Timing")[0] == (
        "fastify-undici, no total in Server-Timing"
    )


def _run() -> Run:
    return Run((OURS,), ("same",), (1,), (0,), 0.1, 1, whole=False, say=lambda line: None)


def test_nothing_is_measured_where_the_pages_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    class Store:
        url = "http://127.0.0.1:1"

    @contextlib.contextmanager
    def store() -> Iterator[Store]:
        yield Store()

    monkeypatch.setattr(app.pocketbase, "temporary", store)
    monkeypatch.setattr(app, "seed", lambda *given: None)
    monkeypatch.setattr(app, "_problems", lambda peers, port: ["another page"])
    monkeypatch.setattr(app, "_measured", lambda *given: 1 / 0)
    this = _run()
    assert (app.run(this), this.failed) == ([], ["another page"])


def test_without_a_backend_the_part_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise BackendError("there is no PocketBase")

    monkeypatch.setattr(app.pocketbase, "temporary", missing)
    this = _run()
    assert app.run(this) == []
    assert this.missing == ["not installed: the backend of the app: there is no PocketBase"]


def test_a_recorder_passes_on_and_writes_down(running: dict[str, int]) -> None:
    with recording(running["at_once"]) as recorder:
        answers = [ask(recorder.port, path) for path in ("/people/person-007?b=2%203&a=1", "/nobody")]
    assert (answers[0].status, json.loads(answers[0].body)) == (200, fixtures.me())
    assert answers[1].status == 404
    assert recorder.seen == ["GET /people/person-007 a=1 b=2 3", "GET /nobody"]


def _row(name: str, cpu: float | None, **more: Any) -> dict[str, Any]:
    figures = {"pages_per_s": 500.0, "cpu_s_per_1000": cpu, "p50_ms": 2.0, "p99_ms": 9.0}
    return {"name": name, **middle([figures], FIGURES), "errors": 0, **more}


APP = [_row("bff", 0.7, users=1, load_core=0.9), _row("fastify-undici", 0.5, users=1, load_core=0.9)]
HEADERS = [
    _row("bff", 0.8, more_headers=0),
    _row("bff", 0.88, more_headers=10),
    _row("go", 0.4, more_headers=0) | {"errors": 1},
]


def test_rows_are_results() -> None:
    found = {"machine": "test", "versions": {"python": "3.11"}, "date": "2026-11-29"}
    results.check({**found, "app": APP, "headers": HEADERS})


def test_the_table_of_the_app_has_a_row_for_each() -> None:
    assert pages_report.app_table({"app": APP}) == (
        "|  | 1 user |\n| --- | ---: |\n| **bff** | 500 · 0.7 · 9 |\n| Fastify 5 + undici | 500 · 0.5 · 9 |\n"
    )


def test_the_table_of_headers_tells_times_the_cpu() -> None:
    assert pages_report.headers_table({"headers": HEADERS}) == (
        "|  | as above | 10 headers more | × CPU |\n| --- | ---: | ---: | ---: |\n"
        "| **bff** | 500 · 0.8 · 9 | 500 · 0.88 · 9 | 1.10 |\n"
        "| Go: net/http, encoding/json | 500 · 0.4 · 9 · 1 error | – | – |\n"
    )
