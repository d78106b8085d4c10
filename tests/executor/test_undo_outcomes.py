"""What became of each write: done, unknown or never sent, and which of them are taken back."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.clock import Clock, too_late
from tests.executor.recipes import Make, paths
from tests.executor.undoing import LISTS, ONE, lists
from tests.fakes import PATIENCE, FakeBackend, Received, Wire, answer, close


@pytest.mark.parametrize(
    ("extra", "script", "expected"),
    [
        # Answered outside 2xx and accepted: it was there already, so it is not ours to take away.
        ("on_status: {409: {id: \"'f1'\"}}", answer(409), None),
        ("ok: reply.status == 409", answer(409, json={"id": "f1"}), None),
        # 2xx, and the recipe says that it is no success.
        ("ok: not reply.body.errors", answer(200, json={"id": "f1", "errors": ["no"]}), None),
        # 2xx through on_status is done.
        ("on_status: {202: {id: \"'f1'\"}}", answer(202), "undone"),
        # Done, with a body that nobody can read: the step falls back, the write has happened.
        ("fallback: {id: \"'f1'\"}", answer(201, body=b"<html>"), "undone"),
    ],
)
def test_what_counts_as_done(
    page: Make, backend: FakeBackend, extra: str, script: Any, expected: str | None
) -> None:
    backend.on("POST /first", script)
    backend.on("DELETE /first/f1", answer(204))
    recipe = ONE + f"        {extra}\n      last: {{client: todos, get: /last}}\n    shape: [first, last]\n"
    found = page(recipe).post("/api/page")
    assert found.status_code in (404, 502)
    if expected is None:
        assert not set(LISTS) & set(found.json)
        assert not any(path.startswith("DELETE") for path in paths(backend))
    else:
        assert found.json[expected] == ["first"]


UNKNOWN = """
    route: POST /api/page
    auth: none
    input:
      body:
        type: object
        properties:
          id: {type: string}
    steps:
      first:
        client: todos
        post: /first
        timeout: 300ms
        body: body
        undo:
          delete: /first/{WHAT}
      last: {client: todos, get: /last}
    shape: [first, last]
    """


@pytest.mark.parametrize("hangs", [True, False])
def test_an_unknown_write_is_taken_back_where_its_undo_needs_no_reply(
    page: Make, backend: FakeBackend, clock: Clock, *, hangs: bool
) -> None:
    backend.on("POST /first", too_late(clock, 1) if hangs else close)
    backend.on("DELETE /first/mine", answer(204))
    found = page(UNKNOWN.replace("WHAT", "body.id")).post("/api/page", json={"id": "mine"})
    assert lists(found) == [[], ["first"], [], ["first"]]
    assert paths(backend) == ["POST /first", "DELETE /first/mine"]


@pytest.mark.parametrize("what", ["first.id", "reply.body.id", "default(reply.body.id, body.id)"])
def test_an_unknown_write_is_left_alone_where_its_undo_needs_the_reply(
    page: Make, backend: FakeBackend, clock: Clock, what: str
) -> None:
    backend.on("POST /first", too_late(clock, 1))
    found = page(UNKNOWN.replace("WHAT", what)).post("/api/page", json={"id": "mine"})
    assert lists(found) == [[], [], [], ["first"]]
    assert paths(backend) == ["POST /first"]


def test_a_write_that_never_left_is_neither_done_nor_unknown(page: Make, backend: FakeBackend) -> None:
    found = page(UNKNOWN.replace("WHAT", "body.id"), environ={"TODOS_URL": "http://127.0.0.1:9"}).post(
        "/api/page", json={"id": "mine"}
    )
    assert (found.status_code, found.json["failure"]) == (502, "refused")
    assert not set(LISTS) & set(found.json)


EACH = """
    route: POST /api/page
    auth: none
    deadline: 10s
    steps:
      made:
        each: title in ['a', 'b', 'c', 'd']
        concurrency: CONCURRENCY
        client: todos
        post: /made
        timeout: 9s
        body:
          title: title
        undo:
          delete: /made/{made.id}
          query:
            title: title
            status: reply.status
    shape: made
    """


def test_the_finished_items_of_an_each_are_taken_back_newest_first(page: Make, backend: FakeBackend) -> None:
    def make(received: Received, wire: Wire) -> None:
        title = received.json()["title"]
        answer(500 if title == "d" else 201, json={"id": f"id-{title}"})(received, wire)

    backend.on("POST /made", make)
    for title in "abc":
        backend.on(f"DELETE /made/id-{title}", answer(204))
    found = page(EACH.replace("CONCURRENCY", "1")).post("/api/page")
    assert (found.status_code, found.json["step"]) == (502, "made")
    assert lists(found) == [[], ["made"], [], []]
    assert found.json["items"] == {"made": {"undone": 3}}
    assert paths(backend)[4:] == [f"DELETE /made/id-{title}?title={title}&status=201" for title in "cba"]


def test_the_undos_of_an_each_run_side_by_side_as_its_requests_did(page: Make, backend: FakeBackend) -> None:
    side_by_side = threading.Barrier(3)

    def make(received: Received, wire: Wire) -> None:
        title = received.json()["title"]
        answer(500 if title == "d" else 201, json={"id": "x"})(received, wire)

    def unmake(received: Received, wire: Wire) -> None:
        side_by_side.wait(PATIENCE)
        answer(204)(received, wire)

    backend.on("POST /made", make)
    backend.on("DELETE /made/x", unmake)
    assert page(EACH.replace("CONCURRENCY", "4")).post("/api/page").json["items"] == {"made": {"undone": 3}}


def test_the_items_of_an_each_are_counted_by_what_became_of_them(page: Make, backend: FakeBackend) -> None:
    def make(received: Received, wire: Wire) -> None:
        title = received.json()["title"]
        if title == "d":
            close(received, wire)
        else:
            answer(201, json={"id": title})(received, wire)

    backend.on("POST /made", make)
    backend.on("DELETE /made/a", answer(204))
    backend.on("DELETE /made/b", answer(500))
    backend.on("DELETE /made/c", answer(204))
    found = page(EACH.replace("CONCURRENCY", "1")).post("/api/page")
    assert lists(found) == [[], ["made"], ["made"], ["made"]]
    assert found.json["items"] == {"made": {"undone": 2, "undo_failed": 1, "unknown": 1}}
