"""`batch` and `each`: many requests of one step, in chunks or one for each item."""

from __future__ import annotations

import threading
from typing import Any

from tests.executor.recipes import HELPERS, Make, paths, recipe_of
from tests.fakes import FakeBackend, answer, together


def test_a_hundred_todos_with_thirty_helpers_make_one_request_for_people(
    page: Make, backend: FakeBackend
) -> None:
    backend.on("GET /todos", answer(json=[{"helper_id": at % 30} for at in range(100)]))
    backend.on("GET /people", answer(json=[{"id": at, "name": f"p{at}"} for at in range(30)]))
    backend.on("GET /notice", answer(json={}))
    assert page(HELPERS).get("/api/page").json["names"] == [f"p{at % 30}" for at in range(100)]
    asked = [request.target for request in backend.requests if request.path == "/people"]
    assert asked == ["/people?" + "&".join(f"id={at}" for at in range(30))]


def test_no_helpers_make_no_request(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /todos", answer(json=[{"helper_id": None}, {"helper_id": ""}, {}]))
    backend.on("GET /notice", answer(json={}))
    assert page(HELPERS).get("/api/page").json["names"] == [None, None, None]
    assert sorted(paths(backend)) == ["GET /notice", "GET /todos"]


def test_a_batch_over_its_size_is_cut_and_its_chunks_overlap(page: Make, backend: FakeBackend) -> None:
    def people(received: Any, wire: Any) -> None:
        ids = [int(part.removeprefix("id=")) for part in received.target.partition("?")[2].split("&")]
        answer(json=[{"id": one, "name": f"p{one}"} for one in reversed(ids)])(received, wire)

    backend.on("GET /todos", answer(json=[{"helper_id": at} for at in range(120)]))
    backend.on("GET /people", together(3, people))
    backend.on("GET /notice", answer(json={}))
    assert page(HELPERS).get("/api/page").json["names"] == [f"p{at}" for at in range(120)]
    assert len([path for path in paths(backend) if "/people" in path]) == 3


def test_a_failed_chunk_fails_the_batch(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /todos", answer(json=[{"helper_id": at} for at in range(60)]))
    backend.on("GET /people", answer(404), answer(json=[]))
    backend.on("GET /notice", answer(json={}))
    found = page(HELPERS).get("/api/page")
    assert found.headers["X-Page-Partial"] == "helpers"
    assert found.json["names"] == [None] * 60


EACH = recipe_of(
    """
      rows:
        each: id in body.ids if id > 0
        client: todos
        get: /rows/{id}
        take: reply.body.name
        retries: 0
        fallback:
          id: id
          failed: error.kind
          status: error.status
    """,
    """
      rows: rows
      errors: "[failed.item for failed in errors]"
    """,
    route="POST /api/page",
    more="""
      input:
        body:
          type: object
          properties:
            ids:
              type: array
              maxItems: 100
              items: {type: integer}
    """,
)


def test_each_makes_a_request_per_item_side_by_side_with_results_in_order(
    page: Make, backend: FakeBackend
) -> None:
    for at in range(1, 6):
        backend.on(f"GET /rows/{at}", answer(json={"name": f"n{at}"}))
    found = page(EACH).post("/api/page", json={"ids": [3, 1, -1, 5, 2, 4]})
    assert found.json == {"rows": ["n3", "n1", "n5", "n2", "n4"], "errors": []}


def test_each_runs_no_more_at_a_time_than_it_may(page: Make, backend: FakeBackend) -> None:
    together_now, most, lock = 0, 0, threading.Lock()

    def row(received: Any, wire: Any) -> None:
        nonlocal together_now, most
        with lock:
            together_now += 1
            most = max(most, together_now)
        answer(json={"name": "x"})(received, wire)
        with lock:
            together_now -= 1

    for at in range(1, 21):
        backend.on(f"GET /rows/{at}", row)
    recipe = EACH.replace("client: todos", "client: todos\n    concurrency: 3")
    assert page(recipe).post("/api/page", json={"ids": list(range(1, 21))}).json["rows"] == ["x"] * 20
    assert most <= 3


def test_the_fallback_of_each_is_per_item_and_sees_the_item_and_the_error(
    page: Make, backend: FakeBackend
) -> None:
    backend.on("GET /rows/1", answer(json={"name": "n1"}))
    backend.on("GET /rows/2", answer(404))
    found = page(EACH).post("/api/page", json={"ids": [1, 2]})
    assert found.json == {"rows": ["n1", {"id": 2, "failed": "status", "status": 404}], "errors": [1]}
    assert found.headers["X-Page-Partial"] == "rows"


def test_each_over_null_makes_no_request(page: Make, backend: FakeBackend) -> None:
    assert page(EACH).post("/api/page", json={}).json == {"rows": [], "errors": []}
    assert backend.requests == []


def test_each_over_too_many_items_is_refused_unsent(page: Make, backend: FakeBackend) -> None:
    found = page(EACH, environ={"BFF_MAX_EACH": "2"}).post("/api/page", json={"ids": [1, 2, 3]})
    assert found.status_code == 422
    assert found.json == {
        "type": "urn:bff:problem:too-many-items",
        "title": "This asks for too much at once",
        "status": 422,
        "detail": "'rows' goes over 3 items; one step may go over 2.",
        "instance": found.headers["X-Request-ID"],
        "step": "rows",
        "failure": "limit",
        "retryable": False,
    }
    assert backend.requests == []


def test_each_over_too_many_items_of_a_backend_is_our_own_problem(page: Make, backend: FakeBackend) -> None:
    recipe = recipe_of(
        """
          ids: {client: todos, get: /ids}
          rows: {each: id in ids, client: todos, get: "/rows/{id}"}
        """,
        "rows",
    )
    backend.on("GET /ids", answer(json=[1, 2, 3]))
    found = page(recipe, environ={"BFF_MAX_EACH": "2"}).get("/api/page")
    assert (found.status_code, found.json["type"]) == (500, "urn:bff:problem:over-bound")
    assert found.json["title"] == "This page is too large to make"


def test_a_page_over_its_requests_fails(page: Make, backend: FakeBackend) -> None:
    for at in range(1, 6):
        backend.on(f"GET /rows/{at}", answer(json={"name": "x"}))
    found = page(EACH, environ={"BFF_MAX_REQUESTS": "3"}).post("/api/page", json={"ids": [1, 2, 3, 4, 5]})
    kinds = [row["failed"] for row in found.json["rows"] if isinstance(row, dict)]
    assert kinds == ["limit", "limit"]
