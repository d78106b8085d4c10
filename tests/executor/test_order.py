"""Writes run as they are written, and what a page says of them when it ends."""

from __future__ import annotations

from tests.clock import Clock, too_late
from tests.executor.recipes import Make, paths, recipe_of
from tests.fakes import FakeBackend, answer, together

WRITES = recipe_of(
    """
      before:
        client: todos
        get: /before
      first:
        client: todos
        post: /first
        body: {}
      second:
        client: todos
        post: /second
        body: {}
      after:
        client: todos
        get: /after
        retries: 0
    """,
    "[before.x, first.x, second.x, after.x]",
    route="POST /api/page",
)


def test_writes_run_in_the_order_written_and_reads_below_wait_for_them(
    page: Make, backend: FakeBackend
) -> None:
    for method, path in (("GET", "before"), ("POST", "first"), ("POST", "second"), ("GET", "after")):
        backend.on(f"{method} /{path}", answer(json={"x": path}))
    assert page(WRITES).post("/api/page").json == ["before", "first", "second", "after"]
    assert paths(backend) == ["GET /before", "POST /first", "POST /second", "GET /after"]


def test_a_required_read_above_that_fails_keeps_the_write_from_being_sent(
    page: Make, backend: FakeBackend
) -> None:
    backend.on("GET /before", answer(404))
    assert page(WRITES).post("/api/page").status_code == 404
    assert paths(backend) == ["GET /before"]


def test_a_page_that_fails_after_writes_says_what_was_done(page: Make, backend: FakeBackend) -> None:
    for method, path in (("GET", "before"), ("POST", "first"), ("POST", "second")):
        backend.on(f"{method} /{path}", answer(json={}))
    backend.on("GET /after", answer(500))
    found = page(WRITES).post("/api/page")
    assert (found.status_code, found.json["step"]) == (502, "after")
    assert (found.json["done"], found.json["unknown"]) == (["first", "second"], [])


def test_a_write_whose_reply_never_comes_is_unknown_and_not_repeated(
    page: Make, backend: FakeBackend, clock: Clock
) -> None:
    backend.on("GET /before", answer(json={}))
    backend.on("POST /first", too_late(clock, 1))
    found = page(WRITES.replace("post: /first", "post: /first\n    timeout: 200ms")).post("/api/page")
    assert (found.status_code, found.json["step"]) == (504, "first")
    assert (found.json["done"], found.json["unknown"]) == ([], ["first"])
    assert paths(backend) == ["GET /before", "POST /first"]


def test_a_post_that_only_reads_is_no_barrier(page: Make, backend: FakeBackend) -> None:
    script = together(2, answer(json={"x": 1}))
    backend.on("POST /a", script)
    backend.on("POST /b", script)
    recipe = recipe_of(
        """
      a:
        client: todos
        post: /a
        safe: true
        timeout: 14s
        body: {}
      b:
        client: todos
        post: /b
        safe: true
        timeout: 14s
        body: {}
        """,
        "[a.x, b.x]",
        deadline="15s",
    )
    assert page(recipe).get("/api/page").json == [1, 1]
