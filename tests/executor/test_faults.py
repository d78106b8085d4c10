"""Backends that misbehave: a clear problem, no leak, no growth, and the next page is right."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

from tests.executor.recipes import Make
from tests.fakes import FakeBackend, answer, close, drip, flood, half, half_chunked, hang, head

PAGE = """
    route: GET /api/page
    auth: none
    deadline: 400ms
    steps:
      row:
        client: todos
        get: /row
        retries: 0
    shape:
      row: row
    """
SLACK = 0.2


@pytest.mark.parametrize(
    ("script", "status", "failure"),
    [
        (hang, 504, "timeout"),
        (drip(b""), 504, "timeout"),
        (drip(head(200, {"Content-Length": "1000"})), 504, "timeout"),
        (drip(head(200, {"Transfer-Encoding": "chunked"}), b"1\r\n \r\n"), 504, "timeout"),
        (close, 502, "refused"),
        (half, 502, "refused"),
        (half_chunked, 502, "refused"),
        (answer(body=b"<!doctype html><h1>secret"), 502, "not-json"),
        (answer(body=b'{"secret": [1, 2'), 502, "not-json"),
        (answer(body=b"[" * 101 + b"]" * 101), 502, "too-large"),
        (flood(50 * 2**20, announced=True), 502, "too-large"),
        (flood(50 * 2**20, announced=False), 502, "too-large"),
        (answer(302, headers={"Location": "http://127.0.0.1:1/secret"}), 502, "status"),
        (answer(301, headers={"Location": "/row"}), 502, "status"),
        (answer(500, body=b"secret trace"), 502, "status"),
        (answer(401, body=b"secret"), 502, "status"),
        (answer(403, body=b"secret"), 502, "status"),
        (answer(400, body=b"secret"), 502, "status"),
    ],
)
def test_a_fault_is_a_clear_problem_in_time_and_the_next_page_is_right(
    page: Make, backend: FakeBackend, script: Any, status: int, failure: str
) -> None:
    backend.on("GET /row", script, answer(json={"id": 1}))
    site = page(PAGE)
    begun = time.monotonic()
    found = site.get("/api/page")
    assert time.monotonic() - begun < 0.4 + SLACK + (1.0 if failure == "too-large" else 0.0)
    assert (found.status_code, found.json["failure"], found.json["step"]) == (status, failure, "row")
    assert found.mimetype == "application/problem+json"
    assert "secret" not in found.text and "127.0.0.1" not in found.text
    assert site.get("/api/page").json == {"row": {"id": 1}}


def test_a_backend_that_is_down_is_502(page: Make, backend: FakeBackend) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    found = page(PAGE, environ={"TODOS_URL": f"http://127.0.0.1:{port}"}).get("/api/page")
    assert (found.status_code, found.json["failure"]) == (502, "refused")
    assert found.json["detail"] == "'row' could not be reached: it takes no connections."
    assert str(port) not in found.text


def test_a_cookie_that_a_backend_sets_goes_nowhere(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row", answer(json={}, headers={"Set-Cookie": "spy=1"}))
    site = page(PAGE.replace("row: row", "row: row") + "")
    for _ in range(3):
        found = site.get("/api/page")
        assert "Set-Cookie" not in found.headers
    assert all("cookie" not in request.headers for request in backend.requests)


def test_a_redirect_is_not_followed(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row", answer(307, headers={"Location": "/other"}))
    assert page(PAGE).get("/api/page").status_code == 502
    assert [request.target for request in backend.requests] == ["/row"]


def test_a_400_is_422_when_the_body_came_from_the_visitor(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /row", answer(400))
    recipe = """
    route: POST /api/page
    auth: none
    input:
      body:
        type: object
        properties:
          title: {type: string}
    steps:
      draft:
        value:
          title: strip(body.title)
      row:
        client: todos
        post: /row
        body: draft
    shape: row
    """
    assert page(recipe).post("/api/page", json={"title": "a"}).status_code == 422


def test_replies_over_the_bound_of_a_page_fail_it(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /a", answer(json=["x" * 40_000]))
    backend.on("GET /b", answer(json=["x" * 40_000]))
    recipe = """
    route: GET /api/page
    auth: none
    steps:
      a:
        client: todos
        get: /a
      b:
        client: todos
        get: /b?x={1}
        when: len(a) > 0
    shape: len(b)
    """.replace("?x={1}", "")
    found = page(recipe, environ={"BFF_MAX_REPLIES": "64 KiB"}).get("/api/page")
    assert found.json["failure"] == "limit"
    assert found.status_code == 500
