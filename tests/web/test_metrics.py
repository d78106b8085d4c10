"""`/metrics`: what is counted, by whom it can be told, and what is never in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import responses
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from tests.project import visitor

PAGE = """
    route: GET /api/page/{id}
    auth: none
    steps:
      todos: {client: todos, get: "/a/{path.id}", cache: 1m}
      notice: {client: notices, get: /n, fallback: null}
      never: {client: notices, when: false, get: /never}
      some: {require: todos != 0, fail: {status: 409}}
    shape: [todos, notice, never]
    """
LABELS = ("page", "step", "client", "outcome")


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    return visitor(tmp_path, PAGE, environ={"BFF_METRICS": "1"})


def samples(client: FlaskClient) -> dict[tuple[str, ...], float]:
    """The counters of the layer: name and label values to the value; only the counts of histograms."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    found = [one for family in text_string_to_metric_families(answer.text) for one in family.samples]
    return {
        (
            one.name.removeprefix("bff_"),
            *(one.labels[label] for label in LABELS if label in one.labels),
        ): one.value
        for one in found
        if one.name.startswith("bff_") and one.name.endswith(("_total", "_count"))
    }


@responses.activate
def test_pages_steps_calls_and_retries_are_counted(client: FlaskClient) -> None:
    responses.get("http://todos.test/a/7", json=1)
    responses.get("http://notices.test/n", status=503)
    responses.get("http://notices.test/n", json=2)
    responses.get("http://notices.test/n", status=404)
    assert [client.get("/api/page/7").json for _ in range(2)] == [[1, 2, None], [1, None, None]]
    assert samples(client) == {
        ("pages_total", "page", "ok"): 1,
        ("pages_total", "page", "partial"): 1,
        ("page_seconds_count", "page"): 2,
        ("steps_total", "page", "todos", "ok"): 2,
        ("steps_total", "page", "notice", "ok"): 1,
        ("steps_total", "page", "notice", "fallback"): 1,
        ("steps_total", "page", "never", "skipped"): 2,
        ("steps_total", "page", "some", "ok"): 2,
        ("step_seconds_count", "page", "todos"): 2,
        ("step_seconds_count", "page", "notice"): 2,
        ("calls_total", "todos", "2xx"): 1,
        ("calls_total", "todos", "cached"): 1,
        ("calls_total", "notices", "2xx"): 1,
        ("calls_total", "notices", "4xx"): 1,
        ("call_seconds_count", "todos"): 1,
        ("call_seconds_count", "notices"): 2,
        ("retries_total", "notices"): 1,
        ("cached_reads_total", "todos", "miss"): 1,
        ("cached_reads_total", "todos", "hit"): 1,
    }


@responses.activate
def test_how_a_page_ended_is_told(client: FlaskClient) -> None:
    responses.get("http://notices.test/n", json=1)
    responses.get("http://todos.test/a/1", json=0)
    responses.get("http://todos.test/a/2", status=404)
    responses.get("http://todos.test/a/3", status=500)
    responses.get("http://todos.test/a/4", body=OSError("no route"))
    assert [client.get(f"/api/page/{number}").status_code for number in range(1, 5)] == [409, 404, 502, 502]
    found = samples(client)
    assert found["pages_total", "page", "refused"] == 2
    assert found["pages_total", "page", "failed"] == 2
    assert found["steps_total", "page", "some", "failed"] == 1
    assert found["steps_total", "page", "todos", "failed"] == 3
    assert found["calls_total", "todos", "refused"] == 1


@responses.activate
def test_nothing_of_a_visitor_is_in_it(client: FlaskClient) -> None:
    responses.get("http://notices.test/n", json="reply-secret")
    responses.get("http://todos.test/a/path-secret", json="reply-secret")
    client.get("/api/page/path-secret?q=query-secret", headers={"X-Secret": "header-secret"})
    client.get("/api/nothing-secret")
    text = client.get("/metrics").text
    assert "bff_pages_total" in text
    assert "secret" not in text


def test_without_the_setting_there_is_no_such_page(tmp_path: Path) -> None:
    assert visitor(tmp_path, PAGE).get("/metrics").status_code == 404


def test_two_apps_count_for_themselves(tmp_path: Path) -> None:
    page = "route: GET /api/page\nauth: none\nshape: 1\n"
    one, other = (visitor(tmp_path / name, page, environ={"BFF_METRICS": "1"}) for name in ("one", "other"))
    one.get("/api/page")
    assert ("pages_total", "page", "ok") in samples(one)
    assert samples(other) == {}


def test_worker_processes_are_counted_together(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    visitor(tmp_path, "route: GET /api/page\nauth: none\nshape: 1\n")
    script = (
        "import os, sys; from bff import create_app; "
        f"app = create_app({str(tmp_path)!r}, environ={{'BFF_METRICS': '1', **os.environ}}).test_client(); "
        "app.get('/api/page'); print(app.get('/metrics').text)"
    )
    environ = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "shared")}
    run = [
        subprocess.run(
            [sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True
        )
        for _ in range(2)
    ]
    assert 'bff_pages_total{outcome="ok",page="page"} 2.0' in run[1].stdout


@responses.activate
def test_tries_that_equal_reads_share_are_counted_once(tmp_path: Path) -> None:
    page = """
    route: GET /api/page
    auth: none
    steps:
      a: {client: todos, get: /a}
      b: {client: todos, get: /a}
    shape: [a, b]
    """
    responses.get("http://todos.test/a", status=503)
    responses.get("http://todos.test/a", json=1)
    client = visitor(tmp_path, page, environ={"BFF_METRICS": "1"})
    assert client.get("/api/page").json == [1, 1]
    found = samples(client)
    assert (found["calls_total", "todos", "2xx"], found["retries_total", "todos"]) == (2, 1)
