"""`/metrics`: what is counted, by whom it can be told, and what is never in it."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import responses
from flask.testing import FlaskClient
from prometheus_client import Counter
from prometheus_client.parser import text_string_to_metric_families

from bff.errors import OperatorError
from bff.web.metrics import Metrics
from tests.fakes import PATIENCE, FakeBackend, Received, Wire, after, answer, in_turn
from tests.project import app_of, visitor

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
        ("hand_overs_total", "notices", "mocked"): 2,
        ("cached_reads_total", "todos", "miss"): 1,
        ("cached_reads_total", "todos", "hit"): 1,
    }


def test_second_copies_are_counted_apart_from_retries(tmp_path: Path) -> None:
    page = """
    route: GET /api/page
    auth: none
    steps:
      row: {client: todos, get: /row, hedge: 20ms}
    shape: row
    """
    late, second = threading.Event(), threading.Event()
    turns = iter((late, second))

    def script(received: Received, wire: Wire) -> None:
        turn = next(turns)
        if turn is second:
            turn.set()
        else:
            second.wait(PATIENCE)
            late.wait(PATIENCE)
        answer(json=7)(received, wire)

    with FakeBackend() as backend:
        backend.on("GET /row", script)
        client = visitor(tmp_path, page, environ={"BFF_METRICS": "1", "TODOS_URL": backend.url})
        assert client.get("/api/page").json == 7
        late.set()
    found = samples(client)
    assert found["hedges_total", "todos"] == 1
    assert ("retries_total", "todos") not in found


@responses.activate
def test_a_breaker_that_opens_and_closes_is_counted_and_told_in_one_line_each(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    page = "route: GET /api/page\nauth: none\nsteps: {row: {client: todos, get: /row}}\nshape: row\n"
    options = 'retries=0, breaker=Breaker(failures=3, rest="1ms")'
    client = visitor(tmp_path, page, environ={"BFF_METRICS": "1"}, clients={"todos": options})
    for _ in range(3):
        responses.get("http://todos.test/row", status=503)
    responses.get("http://todos.test/row", json=1)
    assert [client.get("/api/page").status_code for _ in range(3)] == [502] * 3
    until = time.monotonic() + PATIENCE
    while client.get("/api/page").status_code != 200:
        assert time.monotonic() < until
    found = samples(client)
    assert found["breaker_changes_total", "todos", "opened"] == 1
    assert found["breaker_changes_total", "todos", "closed"] == 1
    lines = [record.message for record in caplog.records if record.name == "bff.http"]
    assert [re.sub(r"\d\.\d", "0.0", line) for line in lines] == [
        "client todos: failed too often, is not asked for 0.0 s",
        "client todos: answers again",
    ]


def test_calls_that_a_breaker_or_a_full_client_refuses_have_outcomes_of_their_own(tmp_path: Path) -> None:
    page = """
    route: GET /api/page
    auth: none
    steps:
      row: {client: todos, get: /row, fallback: null}
      note: {client: notices, get: /note, fallback: null}
    shape: [row, note]
    """
    client = visitor(tmp_path, page, environ={"BFF_METRICS": "1"})
    made = client.application.extensions["bff"].pages["page"].plan.steps
    by_name = {step.name: step.client for step in made}
    todos, notices = by_name["row"], by_name["note"]
    permit = notices.gate.circuit.enter(time.monotonic() + PATIENCE)
    for visit in range(10):
        notices.gate.circuit.failed(permit, visit)
    while todos.gate.enter(first=True):
        pass
    assert client.get("/api/page").json == [None, None]
    found = samples(client)
    assert found["calls_total", "todos", "full"] == 1
    assert found["calls_total", "notices", "breaker"] == 1


def test_pages_that_are_turned_away_are_counted_and_the_counters_are_not(tmp_path: Path) -> None:
    environ = {"BFF_METRICS": "1", "BFF_MAX_PAGES": "1", "BFF_THREADS": "17"}
    opened = threading.Event()
    page = "route: GET /api/page\nauth: none\nsteps: {row: {client: todos, get: /row}}\nshape: row\n"
    with FakeBackend() as backend, ThreadPoolExecutor(1) as pool:
        backend.on("GET /row", after(opened, answer(json=1)))
        client = visitor(tmp_path, page, environ={**environ, "TODOS_URL": backend.url})
        inside = pool.submit(client.application.test_client().get, "/api/page")
        assert backend.wait_for_requests(1)
        try:
            turned_away = client.application.test_client()
            assert [turned_away.get("/api/page").status_code for _ in range(3)] == [503] * 3
            assert samples(client) == {("pages_total", "page", "shed"): 3}
        finally:
            opened.set()
        assert inside.result(PATIENCE).status_code == 200


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


@pytest.mark.parametrize("first", ["app.get('/api/page'); app.get('/metrics')", "app.get('/api/page')"])
def test_worker_processes_are_counted_together_also_those_that_nobody_asks(
    tmp_path: Path, first: str
) -> None:
    (tmp_path / "shared").mkdir()
    visitor(tmp_path, "route: GET /api/page\nauth: none\nshape: 1\n")
    begin = (
        "import os; from bff import create_app; "
        f"app = create_app({str(tmp_path)!r}, environ={{'BFF_METRICS': '1', **os.environ}}).test_client(); "
    )
    environ = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "shared")}
    run = [
        subprocess.run(
            [sys.executable, "-c", begin + script], env=environ, capture_output=True, text=True, check=True
        )
        for script in (first, "app.get('/api/page'); print(app.get('/metrics').text)")
    ]
    assert 'bff_pages_total{outcome="ok",page="page"} 2.0' in run[1].stdout


def total(metrics: Metrics, name: str) -> float:
    found = text_string_to_metric_families(metrics.exposition()[0].decode())
    return sum(one.value for family in found for one in family.samples if one.name == f"{name}_total")


def test_what_threads_count_while_others_read_is_counted_once() -> None:
    metrics = Metrics({})
    times, counters = 200, 4
    begin = threading.Barrier(counters + 1)

    def count() -> None:
        begin.wait(PATIENCE)
        for at in range(times):
            metrics.call_ended(f"client{at % 3}", "2xx", None)

    with ThreadPoolExecutor(counters) as pool:
        counting = [pool.submit(count) for _ in range(counters)]
        begin.wait(PATIENCE)
        seen = [total(metrics, "bff_calls") for _ in range(5)]
        for one in counting:
            one.result(PATIENCE)
    seen.append(total(metrics, "bff_calls"))
    assert seen == sorted(seen)
    assert seen[-1] == times * counters


def test_two_that_are_the_first_of_their_labels_at_once_are_both_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both, labels = threading.Barrier(2), Counter.labels

    def at_once(counter: Counter, *values: str) -> Counter:
        both.wait(PATIENCE)
        return labels(counter, *values)

    monkeypatch.setattr(Counter, "labels", at_once)
    metrics = Metrics({})
    with ThreadPoolExecutor(2) as pool:
        for one in [pool.submit(metrics.handed_over, "todos", "mocked") for _ in range(2)]:
            one.result(PATIENCE)
    assert total(metrics, "bff_hand_overs") == 2


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


@pytest.mark.parametrize("names", ["a", "ab"], ids=["one", "equal"])
def test_tries_on_the_quick_way_are_counted_once_and_leave_it_for_nothing(
    tmp_path: Path, backend: FakeBackend, names: str
) -> None:
    backend.on("GET /a", in_turn(answer(503), answer(json=1), answer(503), answer(404)))
    steps = ", ".join(f"{name}: {{client: todos, get: /a, retries: 1}}" for name in names)
    page = f"route: GET /api/page\nauth: none\nsteps: {{{steps}}}\nshape: [{', '.join(names)}]\n"
    environ = {"BFF_METRICS": "1", "TODOS_URL": backend.url}
    client = visitor(tmp_path, page, environ=environ)
    assert client.get("/api/page").json == [1] * len(names)
    assert client.get("/api/page").status_code == 404
    found = samples(client)
    assert found["calls_total", "todos", "2xx"] == len(names)
    assert found["retries_total", "todos"] == 2
    assert not any("hand_overs" in name for name, *_ in found)


def test_a_folder_of_counters_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    environ = {"BFF_METRICS": "1", "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "nowhere")}
    with pytest.raises(OperatorError) as raised:
        app_of(tmp_path, {"page": "route: GET /api/page\nauth: none\nshape: 1\n"}, environ=environ)
    assert str(raised.value) == "PROMETHEUS_MULTIPROC_DIR: there is no such folder"
