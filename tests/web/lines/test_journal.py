"""What the log, the counters and Server-Timing say of a page in lines."""

from __future__ import annotations

import json
import logging
import threading
from typing import Any

import pytest

from tests.fakes import FakeBackend, after, answer
from tests.web.lines.pages import LINES, Make


def logged(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(record.message) for record in caplog.records if record.name == "bff.page"]


def test_the_log_has_its_one_line_when_the_lines_have_ended(
    page: Make, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bff.page")
    hanging = threading.Event()
    backend.on("GET /notice", after(hanging, answer(500)))
    with page().get("/api/page", headers=LINES) as found:
        next(found.response)
        assert logged(caplog) == []
        hanging.set()
        list(found.response)
    (line,) = logged(caplog)
    assert (line["status"], line["partial"], line["level"]) == (200, ["notice"], "warning")
    assert {name: step["outcome"] for name, step in line["steps"].items()} == {
        "todos": "ok",
        "notice": "fallback",
        "people": "ok",
    }
    assert "cut" not in line


def test_the_log_says_that_the_visitor_left(page: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "bff.page")
    with page().get("/api/page", headers=LINES) as found:
        next(found.response)
    (line,) = logged(caplog)
    assert (line["status"], line["cut"]) == (200, True)


def test_the_log_and_the_counters_know_a_late_problem(
    page: Make, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bff.page")
    backend.on("GET /notice", answer(json={"text": "x" * 3000}))
    client = page(environ={"BFF_MAX_ANSWER": "2000", "BFF_METRICS": "1"})
    hanging = threading.Event()
    backend.on("GET /notice", after(hanging, answer(json={"text": "x" * 3000})))
    with client.get("/api/page", headers=LINES) as found:
        next(found.response)
        hanging.set()
        list(found.response)
    (line,) = logged(caplog)
    assert (line["status"], line["problem"]) == (500, "over-bound")
    assert 'bff_pages_total{outcome="failed",page="page"} 1.0' in client.get("/metrics").text


def test_server_timing_tells_what_is_known_at_the_head(page: Make, backend: FakeBackend) -> None:
    hanging = threading.Event()
    for path in ("GET /notice", "GET /people"):
        backend.on(path, after(hanging, answer(json=[])))
    with page(environ={"BFF_SERVER_TIMING": "1"}).get("/api/page", headers=LINES) as found:
        names = [part.partition(";")[0] for part in found.headers["Server-Timing"].split(", ")]
        hanging.set()
    assert names == ["todos", "total"]
