"""A page of two writes that can be taken back, and what its problem says of them."""

from __future__ import annotations

from typing import Any

from tests.fakes import FakeBackend, answer

LISTS = ("done", "undone", "undo_failed", "unknown")
TWO = """
    route: POST /api/page
    auth: none
    deadline: 10s
    steps:
      first:
        client: todos
        post: /first
        undo:
          delete: /first/{first.id}
      second:
        client: people
        post: /second
        undo:
          client: notices
          post: /second/undo
          query:
            after: first.id
          headers:
            X-Status: str(reply.status)
          body:
            id: reply.body.id
      last:
        client: todos
        get: /last
        retries: 0
    shape: last
    """
ONE = """
    route: POST /api/page
    auth: none
    steps:
      first:
        client: todos
        post: /first
        undo:
          delete: /first/{first.id}
"""


def lists(found: Any) -> list[list[str]]:
    return [found.json[name] for name in LISTS]


def write_two(backend: FakeBackend) -> None:
    backend.on("POST /first", answer(201, json={"id": "f1"}))
    backend.on("POST /second", answer(201, json={"id": "s1"}))
    backend.on("DELETE /first/f1", answer(204))
    backend.on("POST /second/undo", answer(json={}))
