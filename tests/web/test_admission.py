"""Above BFF_MAX_PAGES pages are turned away at once, and what tells of the process always answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response
from werkzeug.test import create_environ, run_wsgi_app

from bff.errors import OperatorError
from tests.fakes import PATIENCE, FakeBackend, Received, Wire, answer
from tests.project import app_of

PAGE = """
    route: POST /api/page
    auth: none
    deadline: 20s
    input:
      body: {type: object}
    steps:
      row:
        client: todos
        get: /row
        timeout: 20s
    shape:
      row: row
    """
FULL = {"BFF_MAX_PAGES": "2", "BFF_THREADS": "18"}


class Gate:
    """A backend that answers when it is let."""

    def __init__(self, backend: FakeBackend) -> None:
        self.opened = threading.Event()
        backend.on("GET /row", self._script)

    def _script(self, received: Received, wire: Wire) -> None:
        self.opened.wait(PATIENCE)
        answer(json=1)(received, wire)


@pytest.fixture
def app(tmp_path: Path, backend: FakeBackend) -> Flask:
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "index.html").write_text("<!doctype html>", "utf-8")
    return app_of(tmp_path, {"page": PAGE}, environ={**FULL, "TODOS_URL": backend.url})


def ask(app: Flask, method: str = "POST", path: str = "/api/page") -> Any:
    """One request with its answer closed, as a server does it."""
    options: dict[str, Any] = {"json": {}} if method == "POST" else {}
    return app.test_client().open(path, method=method, buffered=True, **options)


@pytest.fixture
def full(app: Flask, backend: FakeBackend) -> Iterator[tuple[Gate, list[Future[Any]]]]:
    """Two pages under way, as many as may be."""
    gate = Gate(backend)
    with ThreadPoolExecutor(2) as pool:
        under_way = [pool.submit(ask, app) for _ in range(2)]
        assert backend.wait_for_requests(2)
        try:
            yield gate, under_way
        finally:
            gate.opened.set()


def test_a_page_too_many_is_503_at_once_with_its_body_unread(app: Flask, full: Any) -> None:
    class Unread:
        def read(self, *_: Any) -> bytes:
            raise AssertionError("the body was read")

        readline = read

    environ = create_environ("/api/page", method="POST", content_type="application/json")
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = Unread(), "100"
    begun = time.monotonic()
    _, status, headers = run_wsgi_app(app.wsgi_app, environ, buffered=True)
    assert time.monotonic() - begun < 0.5
    assert status.startswith("503 ")
    assert (headers["Retry-After"], headers["Content-Type"]) == ("1", "application/problem+json")
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_problem_says_what_it_is(app: Flask, full: Any) -> None:
    found = ask(app)
    assert found.json == {
        "type": "urn:bff:problem:busy",
        "title": "Too many visitors at once",
        "status": 503,
        "detail": "There are more visitors than this page can take.",
        "instance": found.headers["X-Request-ID"],
    }


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/", "/index.html", "/todos/7"])
def test_health_and_files_answer_all_the_same(app: Flask, full: Any, path: str) -> None:
    assert ask(app, "GET", path).status_code == 200


def test_what_is_no_page_takes_no_place(app: Flask, full: Any) -> None:
    assert ask(app, "GET", "/api/unknown").status_code == 404
    assert ask(app, "GET", "/api/page").status_code == 405


def test_a_page_that_ended_leaves_its_place(app: Flask, full: Any) -> None:
    gate, under_way = full
    assert ask(app).status_code == 503
    gate.opened.set()
    assert [future.result(PATIENCE).status_code for future in under_way] == [200, 200]
    for _ in range(5):
        assert ask(app).status_code == 200


def test_pages_that_fail_leave_their_places(app: Flask, backend: FakeBackend) -> None:
    @app.post("/api/by-hand")
    def by_hand() -> Any:
        raise RuntimeError("hush")

    backend.on("GET /row", answer(404))
    for _ in range(5):
        assert ask(app, path="/api/by-hand").status_code == 500
        assert ask(app).status_code == 404
        assert app.test_client().post("/api/page", data="{", buffered=True).status_code == 415


def test_a_view_by_hand_is_a_page_too_until_its_answer_is_closed(app: Flask) -> None:
    @app.get("/api/stream")
    def stream() -> Response:
        return Response(iter(["a", "b"]))

    environ = create_environ("/api/stream")
    answers = [app.wsgi_app(dict(environ), lambda *_: lambda _: None) for _ in range(2)]
    assert ask(app, "GET", "/api/stream").status_code == 503
    for open_ in answers:
        for _ in range(2):  # a second close gives back nothing
            open_.close()  # type: ignore[attr-defined]
    assert ask(app, "GET", "/api/stream").status_code == 200


def test_the_operator_is_told_once_in_a_while(
    app: Flask, full: Any, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        ask(app)
    lines = [record.message for record in caplog.records if "503" in record.message]
    assert lines == ["bff: 2 pages under way, more are answered 503"]


def test_a_start_without_spare_threads_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError):
        app_of(tmp_path, {"page": PAGE}, environ={"BFF_MAX_PAGES": "17", "BFF_THREADS": "32"})


@pytest.mark.parametrize(
    "environ",
    [{}, {"BFF_THREADS": "8"}, {"BFF_MAX_PAGES": "0"}, {"BFF_MAX_PAGES": "16", "BFF_THREADS": "32"}],
)
def test_a_start_with_spare_threads_or_without_a_bound_is_not(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    assert app_of(tmp_path, {"page": PAGE}, environ=environ)
