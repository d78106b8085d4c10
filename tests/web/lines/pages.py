"""A page with parts that come later, and its lines as a visitor reads them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient

Make = Callable[..., FlaskClient]
LINES = {"Accept": "application/x-ndjson"}
PAGE = """
    route: GET /api/page
    auth: none
    deadline: 10s
    steps:
      todos: {client: todos, get: /todos}
      people:
        client: people
        get: /people
        batch: id in [todo.owner for todo in todos]
        query: {id: id}
        key_by: id
        timeout: 9s
        fallback: {}
        defer: true
      notice: {client: notices, get: /notice, timeout: 9s, fallback: null, defer: true}
    shape:
      todos:
        each: todo in todos
        item:
          id: todo.id
          owner: people[todo.owner].name
      notice: notice.text
      errors: errors
    """
TODOS = [{"id": 1, "owner": "a"}, {"id": 2, "owner": "b"}]
PEOPLE = [{"id": "a", "name": "Ann"}, {"id": "b", "name": "Bob"}]


def lines(client: FlaskClient, path: str = "/api/page") -> list[dict[str, Any]]:
    with client.get(path, headers=LINES) as found:
        assert (found.status_code, found.mimetype) == (200, "application/x-ndjson"), found.text
        return [json.loads(line) for line in found.text.splitlines()]
