"""The time that undos have, and writes that are still under way when their page ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bff import create_app
from bff.http import Reply, Try
from tests.executor.recipes import Make
from tests.executor.undoing import TWO, lists, write_two
from tests.fakes import PATIENCE, FakeBackend, Received, Wire, answer, hang
from tests.project import write_project


def test_undos_have_two_seconds_of_their_own_after_the_page_is_over(page: Make, backend: FakeBackend) -> None:
    write_two(backend)
    backend.on("GET /last", hang)
    found = page(TWO.replace("deadline: 10s", "deadline: 400ms")).post("/api/page")
    assert (found.status_code, found.json["step"]) == (504, "last")
    assert lists(found) == [[], ["first", "second"], [], []]
    left = [int(request.headers["x-request-deadline-ms"]) for request in backend.requests[3:]]
    assert all(300 < milliseconds <= 2000 for milliseconds in left)


def test_a_hanging_undo_takes_its_share_of_the_time_and_not_that_of_the_others(
    page: Make, backend: FakeBackend
) -> None:
    write_two(backend)
    backend.on("GET /last", answer(500))
    backend.on("POST /second/undo", hang)
    begun = time.monotonic()
    clients = dict.fromkeys(("people", "todos", "notices"), 'timeout="9s"')
    found = page(TWO, clients=clients).post("/api/page")
    assert lists(found) == [[], ["first"], ["second"], []]
    assert time.monotonic() - begun < 2.5


def test_a_write_under_way_when_the_page_ends_is_waited_for_and_taken_back(
    page: Make, backend: FakeBackend
) -> None:
    asked = threading.Event()

    def written(received: Received, wire: Wire) -> None:
        asked.set()
        # Answers only when the read beside it has ended the page.
        failed.wait(PATIENCE)
        answer(201, json={"id": "f1"})(received, wire)

    def fails(received: Received, wire: Wire) -> None:
        asked.wait(PATIENCE)
        answer(500)(received, wire)
        failed.set()

    failed = threading.Event()
    backend.on("POST /first", written)
    backend.on("GET /beside", fails)
    backend.on("DELETE /first/f1", answer(204))
    recipe = """
    route: POST /api/page
    auth: none
    deadline: 10s
    steps:
      beside:
        client: people
        get: /beside
        timeout: 9s
        retries: 0
        fallback: broken(error.status)
      first:
        client: todos
        post: /first
        timeout: 9s
        undo:
          delete: /first/{first.id}
      last: {client: todos, get: /last}
    shape: [beside, first, last]
    """
    functions = {"functions": "def broken(x):\n    raise RuntimeError('boom')\n"}
    found = page(recipe, functions=functions).post("/api/page")
    assert found.status_code == 500
    assert lists(found) == [[], ["first"], [], []]


@dataclass(eq=False)
class Landed:
    """A try that has its outcome from the start."""

    outcome: Reply
    sent: bool = True
    held: bool = False


class AllAtOnce:
    """A transport whose tries end together, in the order that they were started."""

    def __init__(self, replies: dict[str, Reply]) -> None:
        self.replies = replies
        self.asked: list[str] = []

    def start(self, request: Try) -> Landed:
        line = f"{request.method} {request.url.partition('.test')[2]}"
        self.asked.append(line)
        return Landed(self.replies[line])

    def wait(self, started: Collection[Any], until: float) -> list[Any]:
        return list(started)

    def abandon(self, started: Any) -> None:
        raise AssertionError("nothing is given up here")


def test_a_write_that_ended_together_with_what_ends_the_page_is_taken_back(tmp_path: Path) -> None:
    recipe = """
    route: POST /api/page
    auth: none
    steps:
      beside:
        client: people
        get: /beside
        retries: 0
        fallback: broken(error.status)
      first:
        client: todos
        post: /first
        undo:
          delete: /first/{reply.body.id}
      last: {client: todos, get: /last}
    shape: [beside, first, last]
    """
    transport = AllAtOnce(
        {
            "GET /beside": Reply(500),
            "POST /first": Reply(201, raw=b'{"id": "f1"}'),
            "DELETE /first/f1": Reply(204),
        }
    )
    functions = {"functions": "def broken(x):\n    raise RuntimeError('boom')\n"}
    root = write_project(tmp_path, {"page": recipe}, functions=functions)
    found = create_app(root, environ={}, transport=transport).test_client().post("/api/page")
    assert found.status_code == 500
    assert lists(found) == [[], ["first"], [], []]
    assert transport.asked == ["GET /beside", "POST /first", "DELETE /first/f1"]
