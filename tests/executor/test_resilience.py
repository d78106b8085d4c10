"""Pages while a backend is late, failing or full: as fast as their recipe says."""

from __future__ import annotations

import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.executor.recipes import Make, recipe_of
from tests.fakes import PATIENCE, FakeBackend, Received, Wire, after, answer, hang

OPTIONAL = recipe_of(
    """
      row:
        client: todos
        get: /row
      notice:
        client: notices
        get: /notice
        timeout: 100ms
        retries: 0
        fallback: null
    """,
    """
      row: row
      notice: notice
      why: "[[failed.kind, failed.detail, failed.retryable] for failed in errors]"
    """,
)
SPARED = "'notice' is being spared after failures."
QUICKLY = {
    "notices": "breaker=Breaker(failures=3, rest='60s')",
    "todos": "timeout='9s', breaker=Breaker(failures=3)",
}


def required(*keys: str, path: str = "/api/page") -> str:
    """A page that cannot do without its one step."""
    of_step = "\n        ".join(keys or ["retries: 0"])
    steps = f"""
      row:
        client: todos
        get: /row
        {of_step}
    """
    return recipe_of(steps, "row", route=f"GET {path}")


def times_asked(backend: FakeBackend, path: str) -> int:
    return len([request for request in backend.requests if request.path == path])


@pytest.mark.parametrize("script", [hang, answer(503), answer(500)], ids=["hangs", "503", "500"])
def test_a_page_with_a_fallback_stops_asking_a_backend_that_fails(
    page: Make, backend: FakeBackend, script: Any
) -> None:
    backend.on("GET /row", answer(json=1))
    backend.on("GET /notice", script)
    site = page(OPTIONAL, clients=QUICKLY)
    visits = 0
    # On a busy machine a try may not begin within its time-out, which tells nothing of the backend.
    while site.get("/api/page").json["why"] != [["breaker", SPARED, True]]:
        visits += 1
        assert visits < 30
    assert visits >= 3
    seconds = []
    for _ in range(11):
        begun = time.monotonic()
        found = site.get("/api/page")
        seconds.append(time.monotonic() - begun)
        assert found.json == {"row": 1, "notice": None, "why": [["breaker", SPARED, True]]}
        assert found.headers["X-Page-Partial"] == "notice"
    assert times_asked(backend, "/notice") <= visits
    assert statistics.median(seconds) < 0.1  # less than the time-out, for which nobody waits any more


def test_a_page_waits_for_a_hanging_backend_as_long_as_its_time_out(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row", answer(json=1))
    backend.on("GET /notice", hang)
    site = page(OPTIONAL, clients={"notices": "breaker=None", "todos": "timeout='9s'"})
    seconds = []
    for _ in range(9):
        begun = time.monotonic()
        found = site.get("/api/page").json
        seconds.append(time.monotonic() - begun)
        assert (found["row"], found["notice"]) == (1, None)
    assert min(seconds) >= 0.1
    assert statistics.median(seconds) < 0.3  # and not for the page's deadline of 10 s


def test_a_required_step_of_a_spared_backend_is_503_with_retry_after(
    page: Make, backend: FakeBackend
) -> None:
    backend.on("GET /row", answer(500))
    site = page(required(), clients=QUICKLY)
    assert [site.get("/api/page").status_code for _ in range(3)] == [502, 502, 502]
    found = site.get("/api/page")
    assert (found.status_code, found.json["type"]) == (503, "urn:bff:problem:backend-unavailable")
    assert (found.json["failure"], found.json["step"], found.json["retryable"]) == ("breaker", "row", True)
    assert 1 <= int(found.headers["Retry-After"]) <= 5
    assert times_asked(backend, "/row") == 3


def test_a_visitor_s_mistakes_leave_the_page_to_others(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row", *[answer(404)] * 30, answer(json=1))
    site = page(required(), clients=QUICKLY)
    assert {site.get("/api/page").status_code for _ in range(30)} == {404}
    assert site.get("/api/page").json == 1


def test_a_full_client_is_503_with_retry_after_and_a_fallback_where_there_is_one(
    page: Make, backend: FakeBackend
) -> None:
    released = threading.Event()
    backend.on("GET /row", after(released, answer(json=1)))
    one = {"todos": "concurrency=1, timeout='10s'"}
    optional = required("fallback: {left: error.kind}", path="/api/optional")
    site = page({"page": required(), "optional": optional}, clients=one)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(site.application.test_client().get, "/api/page")
        assert backend.wait_for_requests(1)
        try:
            begun = time.monotonic()
            full, partial = site.get("/api/page"), site.get("/api/optional")
            assert time.monotonic() - begun < 2
        finally:
            released.set()
        assert first.result(PATIENCE).json == 1
    assert (full.status_code, full.headers["Retry-After"]) == (503, "1")
    assert full.json["detail"] == "'row' was not asked: too many calls to it are under way."
    assert (partial.status_code, partial.json) == (200, {"left": "breaker"})
    assert site.get("/api/page").json == 1


@pytest.mark.parametrize("clause", ["each: id in range(20)", "batch: id in range(20)\n        batch_size: 1"])
def test_a_page_that_wants_more_than_the_bound_gets_all_of_it(
    page: Make, backend: FakeBackend, clause: str
) -> None:
    most, now, lock = 0, 0, threading.Lock()

    def row(received: Received, wire: Wire) -> None:
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        with lock:
            now -= 1
        answer(json=[received.target])(received, wire)

    backend.on("GET /row", row)
    recipe = required("retries: 0", clause, "query: {id: id}")
    found = page(recipe, clients={"todos": "concurrency=2"}).get("/api/page")
    assert found.status_code == 200
    assert len(found.json) == 20
    assert most <= 2


def test_equal_steps_of_a_page_ask_once(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row", answer(json={"id": 1}))
    recipe = recipe_of(
        """
      a: {client: todos, get: /row}
      b: {client: todos, get: /row}
      c: {client: todos, get: /row, each: "x in [1, 2, 3]"}
      other: {client: people, get: /row}
        """,
        "[a.id, b.id, len(c), other.id]",
    )
    assert page(recipe).get("/api/page").json == [1, 1, 3, 1]
    assert times_asked(backend, "/row") == 2


def test_a_late_read_is_helped_by_its_second_copy(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row", hang, answer(json=1))
    recipe = required("retries: 0", "hedge: 20ms")
    found = page(recipe, clients={"todos": "timeout='10s'"}).get("/api/page")
    assert (found.status_code, found.json) == (200, 1)
    assert times_asked(backend, "/row") == 2


@pytest.mark.parametrize(
    "clause", ["each: id in [1, 2]", "batch: id in [1, 2]\n        batch_size: 1", "when: true"]
)
def test_a_hedge_goes_with_every_other_key(page: Make, backend: FakeBackend, clause: str) -> None:
    backend.on("GET /row", answer(503), answer(json=[1]))
    keys = [clause, "hedge: 1s", "timeout: 2s", "cache: 1s", "fallback: []", "on_status: {404: []}"]
    assert page(required("retries: 2", *keys)).get("/api/page").status_code == 200


def test_a_hundred_pages_on_a_hanging_backend_take_its_time_out_until_it_is_spared(
    page: Make, backend: FakeBackend
) -> None:
    backend.on("GET /row", answer(json=1))
    backend.on("GET /notice", hang)
    app = page(OPTIONAL, clients=QUICKLY).application
    all_in = threading.Barrier(8)

    def visit() -> list[int]:
        visitor = app.test_client()
        all_in.wait(PATIENCE)
        return [visitor.get("/api/page").status_code for _ in range(12)]

    begun = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(visit) for _ in range(8)]
        statuses = {status for future in futures for status in future.result(PATIENCE)}
    assert statuses == {200}
    # Each at its time-out would be 96 requests; all spare it after the first ones.
    assert times_asked(backend, "/notice") <= 8 * 6
    assert time.monotonic() - begun < PATIENCE
