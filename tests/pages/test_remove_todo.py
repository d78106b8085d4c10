"""`remove_todo.yaml`: the owner removes a todo, once."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.pages.backends import Backends
from tests.pages.conftest import (
    ADA,
    ANN,
    ANOTHER_FORM,
    EMPTY,
    ID,
    TOKEN,
    TROUBLE_OF_ONE,
    ended,
    refused,
    row,
)


@pytest.fixture
def good(backends: Backends) -> Backends:
    """A backend that has the todo and removes it."""
    backends.answer("todos", "todos", at=f"records/{ID}", json=row(owner=ANN["id"], helper=ADA["id"]))
    backends.answer("todos", "todos", "DELETE", f"records/{ID}", status=204)
    return backends


def removals(backends: Backends) -> int:
    return sum(call.method == "DELETE" for call in backends.calls())


def test_it_shows_exactly_this(good: Backends, visitor: FlaskClient) -> None:
    page = visitor.delete(f"/api/todos/{ID}")
    assert (page.status_code, page.json) == (200, {"id": ID})


def test_it_asks_exactly_this_with_the_visitors_token(good: Backends, visitor: FlaskClient) -> None:
    visitor.delete(f"/api/todos/{ID}")
    assert good.asked() == [
        (f"DELETE todos: todos/records/{ID}", {}, None),
        (f"GET todos: todos/records/{ID}", {}, None),
    ]
    assert good.tokens() == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    "reply",
    [
        {"json": row(owner=ADA["id"])},
        {"json": row(owner=ADA["id"], helper=ANN["id"])},
        {"json": row()},
    ],
)
def test_what_is_not_the_visitors_is_not_removed(
    good: Backends, visitor: FlaskClient, reply: dict[str, Any]
) -> None:
    good.answer("todos", "todos", at=f"records/{ID}", **reply)
    page = visitor.delete(f"/api/todos/{ID}")
    assert refused(page) == (403, "owned", "Only the owner of a todo can remove it.")
    assert removals(good) == 0


@pytest.mark.parametrize("reply", [*ANOTHER_FORM, {"json": {"items": {"secret": "trouble"}}}])
def test_a_todo_of_another_form_is_not_removed(
    good: Backends, visitor: FlaskClient, reply: dict[str, object]
) -> None:
    good.answer("todos", "todos", at=f"records/{ID}", **reply)
    assert ended(visitor.delete(f"/api/todos/{ID}")) == (502, "bad-reply", "todo")
    assert removals(good) == 0


@pytest.mark.parametrize("trouble", TROUBLE_OF_ONE)
def test_what_cannot_be_read_is_not_removed(good: Backends, visitor: FlaskClient, trouble: str) -> None:
    reply, kind, status = TROUBLE_OF_ONE[trouble]
    good.answer("todos", "todos", at=f"records/{ID}", **reply)
    assert ended(visitor.delete(f"/api/todos/{ID}")) == (status, kind, "todo")
    assert removals(good) == 0


@pytest.mark.parametrize("trouble", ["HTML", "half a JSON"])
def test_what_a_removal_is_answered_with_does_not_matter(
    good: Backends, visitor: FlaskClient, trouble: str
) -> None:
    good.answer("todos", "todos", "DELETE", f"records/{ID}", **TROUBLE_OF_ONE[trouble][0])
    assert visitor.delete(f"/api/todos/{ID}").status_code == 200
    assert removals(good) == 1


@pytest.mark.parametrize(
    "trouble", [name for name, trouble in TROUBLE_OF_ONE.items() if trouble[1] != "not-json"]
)
def test_a_removal_that_fails_is_a_problem_and_is_not_sent_again(
    good: Backends, visitor: FlaskClient, trouble: str
) -> None:
    reply, kind, status = TROUBLE_OF_ONE[trouble]
    good.answer("todos", "todos", "DELETE", f"records/{ID}", **reply)
    assert ended(visitor.delete(f"/api/todos/{ID}")) == (status, kind, "removed")
    assert removals(good) == 1


@pytest.mark.parametrize(("method", "step", "sent"), [("GET", "todo", 0), ("DELETE", "removed", 1)])
def test_a_todo_that_is_not_there_any_more_is_404(
    good: Backends, visitor: FlaskClient, method: str, step: str, sent: int
) -> None:
    good.answer("todos", "todos", method, f"records/{ID}", status=404, json={"message": "secret"})
    assert ended(visitor.delete(f"/api/todos/{ID}")) == (404, "status", step)
    assert removals(good) == sent


@pytest.mark.parametrize("reply", [EMPTY, {"json": {}}, {"json": [{"secret": "trouble"}]}])
def test_what_comes_back_for_a_removal_does_not_matter(
    good: Backends, visitor: FlaskClient, reply: dict[str, Any]
) -> None:
    good.answer("todos", "todos", "DELETE", f"records/{ID}", **reply)
    assert visitor.delete(f"/api/todos/{ID}").json == {"id": ID}


def test_an_id_that_cannot_be_in_an_address_asks_no_backend(backends: Backends, visitor: FlaskClient) -> None:
    assert visitor.delete("/api/todos/a%5Cb").status_code == 404
    assert backends.calls() == []
