"""The short line of a request."""

from __future__ import annotations

import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest

from bff.dev.kept import KeptReplies
from bff.dev.lines import DevLog, page_line
from tests.dev.conftest import Project
from tests.fakes import FakeBackend, answer


def entry(**more: Any) -> dict[str, Any]:
    steps = {
        "me": {"ms": 9.0, "outcome": "ok", "requests": 1},
        "todos": {"ms": 28.4, "outcome": "ok", "requests": 1},
    }
    return {"page": "home", "status": 200, "ms": 34.2, "steps": steps, "partial": [], **more}


def told(found: dict[str, Any], *kept: str) -> str:
    """The line without its time."""
    line = page_line(found, kept)
    assert line[2] == line[5] == ":" and line[8] == " "
    return line[9:]


def test_a_line_says_status_page_time_and_what_took_most_of_it() -> None:
    assert told(entry()) == "200 home 34 ms  todos 28 ms"


def test_nothing_is_slow_in_a_page_that_is_quick() -> None:
    assert told(entry(ms=9.4)) == "200 home 9 ms  todos 28 ms"
    quick = {"a": {"ms": 3.0, "outcome": "ok", "requests": 1}}
    assert told(entry(ms=4.4, steps=quick)) == "200 home 4 ms"


def test_the_slowest_stand_first_and_three_are_enough() -> None:
    steps = {f"s{n}": {"ms": 20.0 + n, "outcome": "ok", "requests": 1} for n in range(5)}
    assert told(entry(ms=30.0, steps=steps)) == "200 home 30 ms  s4 24 ms, s3 23 ms, s2 22 ms"


def test_what_a_page_does_without_is_told_with_how_it_failed() -> None:
    steps = {"notice": {"ms": 1.0, "outcome": "fallback", "requests": 1, "kind": "status", "status": 500}}
    assert (
        told(entry(ms=2.0, steps=steps, partial=["notice"])) == "200 home 2 ms  partial: notice (status 500)"
    )


def test_what_was_kept_is_told() -> None:
    assert told(entry(ms=2.0, steps={}), "me", "people") == "200 home 2 ms  kept: me, people"


def test_an_old_reply_is_told() -> None:
    assert told(entry(ms=2.0, steps={}, stale=["me"])) == "200 home 2 ms  old: me"


def test_a_problem_is_told_with_its_step_and_cause() -> None:
    steps = {"me": {"ms": 1.0, "outcome": "failed", "requests": 1, "kind": "refused", "reason": "look-up"}}
    found = entry(ms=2.0, status=502, steps=steps, problem="backend-failed", step="me")
    assert told(found) == "502 home 2 ms  backend-failed me (refused look-up)"
    found = entry(ms=2.0, status=500, steps={}, problem="internal", step=None, cause="KeyError")
    assert told(found) == "500 home 2 ms  internal: KeyError"


def record(name: str, level: int, text: str) -> logging.LogRecord:
    return logging.LogRecord(name, level, "", 0, text, None, None)


def test_the_log_tells_pages_and_from_warnings_on_what_else_there_is() -> None:
    lines: list[str] = []
    log = DevLog(lines.append, lambda found: [f"me of {found['page']}"])
    log.handle(record("bff.page", logging.INFO, json.dumps(entry(ms=1.0, steps={}))))
    log.handle(record("bff", logging.INFO, "bff: 4 pages"))
    log.handle(record("bff", logging.WARNING, "look here"))
    assert [line[9:] for line in lines] == ["200 home 1 ms  kept: me of home", "look here"]


def test_the_step_of_a_kept_reply_is_known(
    project: Project, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bff.page")
    with FakeBackend() as backend:
        monkeypatch.setenv("TODOS_URL", backend.url)
        backend.on("GET /todos", answer(json=[1]))
        backend.on("GET /more", answer(json=[2]), answer(json=[2]))
        page = """
            route: GET /api/page
            auth: none
            steps:
              todos:
                client: todos
                get: /todos
                cache: 1m
              more:
                client: todos
                get: /more
            shape: todos + more
            """
        client = project.start(page=page)
        assert project.app is not None
        kept = []
        for _ in range(2):
            assert client.get("/api/page").json == [1, 2]
            kept.append(project.app.kept_in(json.loads(caplog.messages[-1])))
    assert kept == [[], ["todos"]]
    assert project.app.kept_in(entry(page="nowhere")) == []


def test_of_several_steps_of_a_client_the_quickest_were_kept() -> None:
    kept, steps = KeptReplies(), {"a": {"ms": 3.0, "requests": 1}, "b": {"ms": 0.1, "requests": 1}}
    client = SimpleNamespace(name="todos")
    planned: Any = [SimpleNamespace(name=name, cache=1, client=client) for name in ("a", "b", "c")]
    kept.call_ended("todos", "cached", None)
    kept.call_ended("todos", "2xx", 0.1)
    assert kept.take(planned, steps) == ["b"]
    assert kept.take(planned, steps) == []
