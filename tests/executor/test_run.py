"""Running a page: what overlaps, what waits, what is made, and how it ends."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from tests.executor.recipes import HELPERS, Make, recipe_of
from tests.fakes import PATIENCE, FakeBackend, after, answer, hang, in_turn


def test_requests_that_wait_for_nothing_are_under_way_at_once(page: Make, backend: FakeBackend) -> None:
    all_in = threading.Barrier(3)

    def together_then(_: Any, wire: Any) -> None:
        all_in.wait(PATIENCE)
        answer(json=[])(_, wire)

    for path in ("/a", "/b", "/c"):
        backend.on(f"GET {path}", together_then)
    steps = "".join(f"\n{name}: {{client: todos, get: /{name}, timeout: 9s}}" for name in "abc")
    assert page(recipe_of(steps, "[a, b, c]")).get("/api/page").json == [[], [], []]


def test_a_step_starts_when_its_own_inputs_are_there_while_another_hangs(
    page: Make, backend: FakeBackend
) -> None:
    helpers_asked = threading.Event()

    def people(received: Any, wire: Any) -> None:
        helpers_asked.set()
        answer(json=[{"id": 1, "name": "Ann"}])(received, wire)

    backend.on("GET /todos", answer(json=[{"helper_id": 1}]))
    backend.on("GET /people", people)
    # The notice answers only once the helpers were asked: with waves this page would never end well.
    backend.on("GET /notice", after(helpers_asked, answer(json={})))
    found = page(HELPERS).get("/api/page")
    assert found.json == {"names": ["Ann"], "notice": None}
    assert "X-Page-Partial" not in found.headers


def test_a_hanging_request_with_a_fallback_costs_its_own_time_out(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /todos", answer(json=[]))
    backend.on("GET /notice", hang)
    begun = time.monotonic()
    found = page(HELPERS.replace("timeout: 9s", "timeout: 100ms")).get("/api/page")
    assert time.monotonic() - begun < 5  # the page's deadline is 10 s
    assert (found.status_code, found.headers["X-Page-Partial"]) == (200, "notice")


def test_the_page_deadline_and_request_id_go_to_the_backend(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row", answer(json={}))
    recipe = recipe_of("\nrow: {client: todos, get: /row}", "row", deadline="3s")
    page(recipe).get("/api/page", headers={"X-Request-ID": "r-1"})
    (request,) = backend.requests
    assert request.headers["x-request-id"] == "r-1"
    assert 0 < int(request.headers["x-request-deadline-ms"]) <= 3000


def test_a_project_function_that_raises_is_500_with_its_place_in_the_log(
    page: Make, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    recipe = recipe_of(shape="broken(1)")
    functions = {"functions": "def broken(x):\n    raise RuntimeError('hush')\n"}
    found = page(recipe, functions=functions).get("/api/page")
    assert (found.status_code, found.json["type"]) == (500, "urn:bff:problem:internal")
    assert "hush" not in found.text
    assert "functions.py:2" in caplog.text


def test_an_answer_over_its_bound_is_500_and_the_log_says_which(
    page: Make, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    recipe = recipe_of(shape="'[range(1000) for i in range(1000)]'")
    found = page(recipe, environ={"BFF_MAX_ANSWER": "64 KiB"}).get("/api/page")
    assert (found.status_code, found.json["type"]) == (500, "urn:bff:problem:over-bound")
    assert "over the bound: answer" in caplog.text


def test_what_ends_together_with_what_ends_the_page_is_let_go(page: Make, backend: FakeBackend) -> None:
    steps = "".join(f"\n{name}: {{client: todos, get: /{name}, retries: 0}}" for name in "abc")
    asked = page(recipe_of(steps, "[a, b, c]"))
    for _ in range(20):
        for path in ("/a", "/b", "/c"):
            backend.on(f"GET {path}", in_turn(answer(404)))
        assert asked.get("/api/page").status_code == 404
    client = asked.application.extensions["bff"].clients["todos"]
    assert client.gate._taken == 0


@pytest.mark.parametrize(("verb", "method"), [("get", "GET"), ("post", "POST")])
def test_a_page_that_has_failed_sends_nothing_that_waited_for_a_place(
    page: Make, backend: FakeBackend, ways: dict[str, str], verb: str, method: str
) -> None:
    recipe = recipe_of(
        f"""
          rows:
            client: todos
            each: at in [1, 2, 3]
            {verb}: /rows/{{at}}
            retries: 0
        """,
        "len(rows)",
        route=f"{method} /api/page",
    )
    for at in (1, 2, 3):
        backend.on(f"{method} /rows/{at}", answer(409))
    asked = page(recipe, ways, clients={"todos": "concurrency=1"})
    found = asked.open("/api/page", method=method)
    assert found.status_code == 409
    assert [request.path for request in backend.requests] == ["/rows/1"]
    assert asked.application.extensions["bff"].clients["todos"].gate._taken == 0
