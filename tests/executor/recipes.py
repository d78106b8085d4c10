"""Recipes as the tests of the executor write them, and what came of their pages."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.fakes import FakeBackend

Make = Callable[..., FlaskClient]


def recipe_of(
    steps: str = "",
    shape: str = "",
    *,
    route: str = "GET /api/page",
    deadline: str = "10s",
    more: str = "",
) -> str:
    """A page that anybody may see, with time enough for a busy machine; `more` holds keys that others do without.

    Each part may be indented as it likes.
    """
    head = f"route: {route}\nauth: none\ndeadline: {deadline}\n{_text(more)}\n"
    parts = {"steps": steps, "shape": shape}
    return head + "".join(f"{key}:{_value(text)}\n" for key, text in parts.items() if text)


def _text(part: str) -> str:
    return textwrap.dedent(part).strip("\n")


def _value(part: str) -> str:
    """What stands behind the name of a key: a line, or a block below it."""
    text = _text(part)
    return f" {text}" if "\n" not in part else "\n" + textwrap.indent(text, "  ")


def reading(rest: str, shape: str, verb: str = "get") -> str:
    """A page of one step `row`, and of one expression."""
    steps = f"""
      row:
        client: todos
        {verb}: /row
        {rest}
    """
    route = "GET /api/page" if verb == "get" else "POST /api/page"
    return recipe_of(steps, f"{{page: {json.dumps(shape)}}}", route=route)


HELPERS = recipe_of(
    """
      todos:
        client: todos
        get: /todos
      helpers:
        client: people
        get: /people
        batch: ids in (todo.helper_id for todo in todos)
        query:
          id: ids
        key_by: id
        fallback: {}
      notice:
        client: notices
        get: /notice
        timeout: 9s
        fallback: null
    """,
    """
      names:
        each: todo in todos
        item: helpers[todo.helper_id].name
      notice: notice.text
    """,
)
"""Todos, who helps with them, and beside both a notice that the page can do without."""


def paths(backend: FakeBackend) -> list[str]:
    """What the backend was asked, in order."""
    return [f"{request.method} {request.target}" for request in backend.requests]


def steps_in_log(caplog: pytest.LogCaptureFixture) -> dict[str, dict[str, Any]]:
    """What the page's line says of each step, without times."""
    lines = [json.loads(record.message) for record in caplog.records if record.name == "bff.page"]
    steps: dict[str, dict[str, Any]] = lines[-1]["steps"]
    return {name: {key: part for key, part in step.items() if key != "ms"} for name, step in steps.items()}
