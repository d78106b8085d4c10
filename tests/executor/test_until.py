"""`until`: the same read again until it is done."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from bff import create_app
from bff.http import Broken, Reply
from tests.clock import Clock
from tests.executor.recipes import Make, paths, recipe_of, steps_in_log
from tests.fakes import FakeBackend, after, answer, hang, together
from tests.http.calling import OnClock
from tests.project import write_project

READY = "{done: \"reply.body.state == 'ready'\", every: 300ms, within: 2s}"
SOON = "{done: \"reply.body.state == 'ready'\", every: 20ms, within: 4s}"
JSON = {"content-type": "application/json"}


def waiting(until: str = READY, *keys: str, shape: str = "{job: job, errors: errors}", **more: Any) -> str:
    """A page of one step that is asked until it is done."""
    lines = "\n        ".join([f"until: {until}", *keys])
    steps = f"""
      job:
        client: todos
        get: /job
        retries: 0
        {lines}
    """
    return recipe_of(steps, shape, **more)


def state(name: str, status: int = 200, **headers: str) -> Reply:
    return Reply(status, {**JSON, **headers}, b'{"state": "%s", "n": 7}' % name.encode())


RUNNING, DONE = state("running"), state("ready")


class Timed(OnClock):
    """Notes when each try began, counted from the first."""

    def __init__(self, clock: Clock, *outcomes: Reply | Broken | None) -> None:
        super().__init__(clock, *outcomes)
        self.moments: list[float] = []

    def start(self, request: Any) -> Any:
        self.moments.append(self.clock.monotonic)
        return super().start(request)

    @property
    def begun(self) -> list[float]:
        return [round(moment - self.moments[0], 3) for moment in self.moments]


@pytest.fixture
def clock() -> Iterator[Clock]:
    found = Clock()
    yield found
    found.close()


def visit(root: Path, transport: OnClock, recipe: str, **clients: str) -> FlaskClient:
    return create_app(
        write_project(root, {"page": recipe}, clients=clients), environ={}, transport=transport
    ).test_client()


def test_it_is_asked_again_until_it_is_done(page: Make, backend: FakeBackend, ways: dict[str, str]) -> None:
    running, done = answer(202, json={"state": "running"}), answer(json={"state": "ready", "n": 7})
    backend.on("GET /job", running, running, done)
    found = page(waiting(SOON, "take: reply.body.n"), ways).get("/api/page")
    assert found.json == {"job": 7, "errors": []}
    assert paths(backend) == ["GET /job"] * 3


@pytest.mark.parametrize("keys", [(), ("take: reply.body",)])
def test_what_is_done_by_a_list_that_is_none_is_of_another_form(
    page: Make, backend: FakeBackend, keys: tuple[str, ...]
) -> None:
    backend.on("GET /job", answer(json={"parts": [{"done": False}]}), answer(json={"parts": "none"}))
    until = SOON.replace("reply.body.state == 'ready'", "all(one.done for one in reply.body.parts)")
    found = page(waiting(until, *keys)).get("/api/page")
    assert (found.status_code, found.json["failure"]) == (502, "bad-reply")
    assert found.json["detail"] == "'job' answered with JSON of another form: reply.body.parts is not a list."
    assert paths(backend) == ["GET /job"] * 2


def test_between_two_requests_it_waits_on_the_clock(tmp_path: Path, clock: Clock) -> None:
    transport = Timed(clock, RUNNING, RUNNING, RUNNING, DONE)
    assert visit(tmp_path, transport, waiting()).get("/api/page").json["job"] == {"state": "ready", "n": 7}
    assert transport.begun == [0, 0.3, 0.6, 0.9]


def test_it_waits_as_long_as_its_backend_asks_for_where_that_is_longer(tmp_path: Path, clock: Clock) -> None:
    slow, quick = state("running", 202, **{"retry-after": "1"}), state("running", 202, **{"retry-after": "0"})
    transport = Timed(clock, slow, quick, DONE)
    assert visit(tmp_path, transport, waiting()).get("/api/page").status_code == 200
    assert transport.begun == [0, 1.0, 1.3]


def test_what_is_not_done_in_its_time_fails_when_no_further_request_can_be_made(
    tmp_path: Path, clock: Clock
) -> None:
    begun = clock.monotonic
    transport = Timed(clock, *[RUNNING] * 20)
    found = visit(tmp_path, transport, waiting()).get("/api/page")
    assert transport.begun == [0, 0.3, 0.6, 0.9, 1.2, 1.5, 1.8]
    assert clock.monotonic - begun == pytest.approx(1.8)
    assert (found.status_code, found.json["failure"], found.json["retryable"]) == (504, "timeout", True)
    assert found.json["detail"] == "'job' was not done in time."


def test_the_log_says_that_it_was_not_done(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "bff.page")
    visit(tmp_path, Timed(clock, *[RUNNING] * 20), waiting(READY, "fallback: null")).get("/api/page")
    assert steps_in_log(caplog)["job"] == {
        "outcome": "fallback",
        "requests": 7,
        "kind": "timeout",
        "reason": "not-done",
    }


def test_a_wait_that_its_backend_asks_for_is_not_begun_where_it_is_too_long(
    tmp_path: Path, clock: Clock
) -> None:
    begun = clock.monotonic
    transport = Timed(clock, state("running", **{"retry-after": "60"}))
    assert visit(tmp_path, transport, waiting()).get("/api/page").status_code == 504
    assert clock.monotonic == begun


def test_a_request_has_its_own_time_and_no_more_than_is_left(tmp_path: Path, clock: Clock) -> None:
    transport = Timed(clock, RUNNING, RUNNING, RUNNING, None)
    until = READY.replace("300ms", "600ms")
    found = visit(tmp_path, transport, waiting(until, "timeout: 500ms")).get("/api/page")
    left = [
        round(flight.request.until - moment, 3)
        for flight, moment in zip(transport.flights, transport.moments, strict=True)
    ]
    assert left == [0.5, 0.5, 0.5, 0.2]
    assert found.json["detail"] == "'job' did not answer in time."


def test_the_page_may_have_less_time_than_it(tmp_path: Path, clock: Clock) -> None:
    steps = """
      before:
        client: people
        get: /before
        timeout: 1500ms
        fallback: null
      job:
        client: todos
        get: /job
        query: {of: before}
        until: {done: reply.body.done, every: 300ms, within: 2s}
    """
    transport = Timed(clock, None, *[RUNNING] * 9)
    found = visit(tmp_path, transport, recipe_of(steps, "job", deadline="2s")).get("/api/page")
    assert transport.begun == [0, 1.5, 1.8]
    assert found.json["detail"] == "'job' was not done in time."


# --- what ends it ----------------------------------------------------------------------------------------------


def test_a_failure_ends_it(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /job", answer(json={"state": "running"}), answer(500))
    found = page(waiting(SOON)).get("/api/page")
    assert (found.status_code, found.json["failure"]) == (502, "status")


def test_an_answer_by_its_status_ends_it(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /job", answer(json={"state": "running"}), answer(410, json={"state": "running"}))
    found = page(waiting(SOON, "on_status: {410: f'gone'}")).get("/api/page")
    assert found.json["job"] == "gone"


def test_what_ok_does_not_accept_is_a_failure_and_not_looked_at(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /job", answer(json={"state": "running"}), answer(json={"state": "ready", "bad": True}))
    found = page(waiting(SOON, "ok: not reply.body.bad")).get("/api/page")
    assert found.json["detail"] == "'job' answered with a failure."


def test_what_ok_accepts_is_looked_at_whatever_its_status(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /job", answer(404, json={"state": "none"}), answer(json={"state": "ready"}))
    found = page(waiting(SOON, "ok: reply.status == 404 or reply.status == 200")).get("/api/page")
    assert found.json["job"] == {"state": "ready"}


def test_until_it_is_done_a_reply_need_not_be_what_the_page_reads(page: Make, backend: FakeBackend) -> None:
    result = {"state": "ready", "result": {"items": [{"name": "a"}]}}
    backend.on(
        "GET /job",
        answer(202),
        answer(body=b"<html>"),
        answer(json=[1]),
        answer(json={}),
        answer(json=result),
    )
    recipe = waiting(
        SOON,
        "take: reply.body.result.items",
        "needs: ['[*].name']",
        shape='{names: "[row.name for row in job]"}',
    )
    assert page(recipe).get("/api/page").json == {"names": ["a"]}
    backend.on("GET /job", answer(202), answer(json={"state": "ready"}))
    found = page(recipe).get("/api/page")
    detail = "'job' answered with JSON of another form: reply.body.result is absent."
    assert (found.json["failure"], found.json["detail"]) == ("bad-reply", detail)


def test_it_may_be_told_by_its_status_alone(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /job", answer(202), answer(200, json={"n": 1}))
    until = "{done: reply.status == 200, every: 20ms, within: 4s}"
    assert page(waiting(until)).get("/api/page").json["job"] == {"n": 1}


def test_a_function_that_fails_ends_it(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /job", answer(json={"state": "running"}))
    functions = {"functions": "def is_done(body):\n    raise RuntimeError(body)\n"}
    until = "{done: is_done(reply.body), every: 20ms, within: 4s}"
    found = page(waiting(until), functions=functions).get("/api/page")
    assert (found.status_code, found.json["failure"]) == (500, "function")


# --- asking again is no retry -----------------------------------------------------------------------------


def test_asking_again_takes_nothing_from_the_budget_of_retries(tmp_path: Path, clock: Clock) -> None:
    transport = Timed(clock, *[RUNNING] * 60, DONE)
    recipe = waiting(READY.replace("300ms", "20ms"))
    assert visit(tmp_path, transport, recipe).get("/api/page").status_code == 200
    assert len(transport.flights) == 61


def test_each_request_has_its_own_retries(tmp_path: Path, clock: Clock) -> None:
    transport = Timed(clock, RUNNING, Reply(503), RUNNING, Reply(503), DONE)
    recipe = waiting().replace("retries: 0", "retries: 1")
    assert visit(tmp_path, transport, recipe).get("/api/page").status_code == 200


def test_replies_that_are_not_done_are_no_failures_of_the_backend(tmp_path: Path, clock: Clock) -> None:
    transport = Timed(clock, *[RUNNING] * 20)
    client = visit(tmp_path, transport, waiting(), todos="breaker=Breaker(failures=1)")
    assert client.get("/api/page").status_code == 504
    transport.outcomes = [DONE]
    assert client.get("/api/page").status_code == 200


def test_the_requests_of_a_page_bound_it(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /job", answer(json={"state": "running"}))
    found = page(waiting(READY.replace("300ms", "20ms")), {"BFF_MAX_REQUESTS": "5"}).get("/api/page")
    assert (found.status_code, found.json["failure"]) == (500, "limit")
    assert len(backend.requests) == 5


# --- beside other steps ------------------------------------------------------------------------------------------


def test_others_are_asked_and_answered_while_it_waits(page: Make, backend: FakeBackend) -> None:
    beside = threading.Event()

    def begun(received: Any, wire: Any) -> None:
        beside.set()
        answer(json={"text": "b"})(received, wire)

    backend.on("GET /job", answer(json={"state": "running"}), after(beside, answer(json={"state": "ready"})))
    backend.on("GET /first", answer(json={"id": 1}))
    backend.on("GET /second", begun)
    steps = f"""
      job:
        client: todos
        get: /job
        until: {SOON}
      first:
        client: people
        get: /first
      second:
        client: notices
        get: /second
        query: {{id: first.id}}
    """
    found = page(recipe_of(steps, "{state: job.state, text: second.text}")).get("/api/page")
    assert found.json == {"state": "ready", "text": "b"}


def test_each_item_is_asked_until_it_is_done_by_itself(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /ids", answer(json=["a", "b", "c"]))
    second = together(2, answer(json={"state": "ready", "n": 2}))
    for one in ("a", "b"):
        backend.on(f"GET /jobs/{one}", answer(json={"state": "running"}), second)
    backend.on("GET /jobs/c", answer(json={"state": "running"}), answer(500))
    steps = f"""
      ids:
        client: people
        get: /ids
      jobs:
        each: id in ids
        client: todos
        get: /jobs/{{id}}
        retries: 0
        take: reply.body.n
        until: {SOON}
        fallback: error.status
    """
    found = page(recipe_of(steps, "jobs")).get("/api/page")
    assert found.json == [2, 2, 500]
    assert found.headers["X-Page-Partial"] == "jobs"


def test_a_write_above_is_not_repeated_and_what_stands_below_waits(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /jobs", answer(202, json={"id": "j1"}))
    backend.on("GET /jobs/j1", answer(json={"state": "running"}), answer(json={"state": "ready"}))
    backend.on("POST /use", answer(201, json={"ok": True}))
    steps = f"""
      made:
        client: todos
        post: /jobs
      job:
        client: todos
        get: /jobs/{{made.id}}
        until: {SOON}
      used:
        client: people
        post: /use
    """
    found = page(recipe_of(steps, "{ok: used.ok, state: job.state}", route="POST /api/page")).post(
        "/api/page"
    )
    assert found.json == {"ok": True, "state": "ready"}
    assert paths(backend) == ["POST /jobs", "GET /jobs/j1", "GET /jobs/j1", "POST /use"]


def test_what_is_never_done_takes_the_write_above_it_back(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /jobs", answer(202, json={"id": "j1"}))
    backend.on("GET /jobs/j1", answer(json={"state": "running"}))
    backend.on("DELETE /jobs/j1", answer(204))
    steps = """
      made:
        client: todos
        post: /jobs
        undo: {delete: "/jobs/{made.id}"}
      job:
        client: todos
        get: /jobs/{made.id}
        until: {done: "reply.body.state == 'ready'", every: 20ms, within: 100ms}
    """
    found = page(recipe_of(steps, "job", route="POST /api/page")).post("/api/page")
    assert (found.status_code, found.json["undone"], found.json["done"]) == (504, ["made"], [])


def test_a_page_that_ends_while_it_waits_asks_no_more(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /job", answer(json={"state": "running"}))
    backend.on("GET /beside", answer(500))
    steps = """
      job:
        client: todos
        get: /job
        until: {done: "reply.body.state == 'ready'", every: 5s, within: 9s}
      beside:
        client: notices
        get: /beside
        retries: 0
    """
    found = page(recipe_of(steps, "{job: job, beside: beside}")).get("/api/page")
    assert (found.status_code, found.json["step"]) == (502, "beside")
    assert paths(backend).count("GET /job") <= 1


def test_in_lines_it_comes_when_it_is_done(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /first", answer(json={"text": "f"}))
    backend.on("GET /job", answer(json={"state": "running"}), answer(json={"state": "ready"}))
    steps = f"""
      first:
        client: people
        get: /first
      job:
        client: todos
        get: /job
        defer: true
        fallback: null
        until: {SOON}
    """
    recipe = recipe_of(steps, "{first: first.text, state: job.state}")
    headers = {"Accept": "application/x-ndjson"}
    lines = page(recipe).get("/api/page", headers=headers).text.splitlines()
    assert '"state":null' in lines[0]
    assert '"ready"' in lines[-1] or '"ready"' in lines[-2]


def test_a_visitor_who_leaves_gives_the_wait_up(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /first", answer(json={"text": "f"}))
    backend.on("GET /job", answer(json={"state": "running"}))
    steps = """
      first:
        client: people
        get: /first
      job:
        client: todos
        get: /job
        defer: true
        fallback: null
        until: {done: "reply.body.state == 'ready'", every: 5s, within: 9s}
    """
    recipe = recipe_of(steps, "{first: first.text, state: job.state}")
    found = page(recipe).get("/api/page", headers={"Accept": "application/x-ndjson"}, buffered=False)
    body = found.iter_encoded()
    next(body)
    found.close()
    assert paths(backend).count("GET /job") <= 1


def test_it_hangs_no_longer_than_its_time(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /job", answer(json={"state": "running"}), hang)
    until = "{done: reply.body.done, every: 20ms, within: 300ms}"
    found = page(waiting(until, "fallback: error.kind")).get("/api/page")
    assert found.json["job"] == "timeout"
