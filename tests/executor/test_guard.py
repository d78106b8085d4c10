"""Guards: the page goes on where they are exactly true."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from tests.executor.recipes import Make, paths, recipe_of
from tests.fakes import FakeBackend, answer

GUARDED = recipe_of(
    """
      row:
        client: todos
        get: /row
      open:
        require: row.open
        fail:
          status: 409
          title: f"Too late"
          detail: f"{row.name} is closed."
          errors:
            - pointer: f"#/body"
              detail: f"closed"
      changed:
        client: todos
        post: /row
        body:
          done: true
    """,
    """
      changed: changed
    """,
    route="POST /api/page",
)


def test_a_guard_that_holds_lets_the_write_through(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row", answer(json={"open": True}))
    backend.on("POST /row", answer(json={"id": 1}))
    assert page(GUARDED).post("/api/page").json == {"changed": {"id": 1}}
    assert paths(backend) == ["GET /row", "POST /row"]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("private", "a text"),
        (2, "a number"),
        ([1], "a list"),
        ({"a": 1}, "an object"),
        (False, ""),
        (None, ""),
    ],
)
def test_the_log_says_where_something_is_there_that_is_not_true(
    page: Make, backend: FakeBackend, caplog: pytest.LogCaptureFixture, value: Any, kind: str
) -> None:
    backend.on("GET /row", answer(json={"open": value, "name": "Tea"}))
    with caplog.at_level(logging.INFO):
        found = page(GUARDED).post("/api/page")
    cause = json.loads(caplog.messages[-1]).get("cause", "")
    why = (
        f"guard open: 'require' gives {kind}, and nothing but true holds: write … is not None, or compare it"
    )
    assert cause == (why if kind else "")
    assert "private" not in caplog.text + found.text


@pytest.mark.parametrize("value", [False, None, 1, "true", [True], {}])
def test_a_guard_that_is_not_exactly_true_ends_the_page_before_the_write(
    page: Make, backend: FakeBackend, value: Any
) -> None:
    backend.on("GET /row", answer(json={"open": value, "name": "Tea"}))
    found = page(GUARDED).post("/api/page")
    assert found.status_code == 409
    problem = {name: member for name, member in found.json.items() if name != "instance"}
    assert problem == {
        "type": "urn:bff:problem:requirement-failed",
        "title": "Too late",
        "status": 409,
        "detail": "Tea is closed.",
        "step": "open",
        "errors": [{"pointer": "#/body", "detail": "closed"}],
    }
    assert paths(backend) == ["GET /row"]
