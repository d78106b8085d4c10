"""`todo.yaml`: one todo with its comments and people."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.pages.conftest import TROUBLE, Backends, query_of

ADA, LIN = {"id": "personada000000", "name": "Ada"}, {"id": "personlin000000", "name": "林悦"}
TODO = {
    "id": "todo00000000001",
    "title": "买牛奶",
    "note": "2 l",
    "status": "done",
    "due": "",
    "owner": ADA["id"],
    "helper": "",
    "finished": "2026-11-22 10:00:00.000Z",
    "created": "2026-11-20 10:00:00.000Z",
}
COMMENT = {
    "id": "c1",
    "text": "谢谢",
    "created": "2026-11-22 11:00:00.000Z",
    "author": LIN["id"],
    "todo": "x",
}


@pytest.fixture
def good(backends: Backends) -> Backends:
    """Backends that all answer."""
    backends.answer("todos", "todos", suffix="/todo00000000001", json=TODO)
    backends.answer("todos", "comments", json={"items": [COMMENT]})
    backends.answer("people", "people", json={"items": [ADA, LIN | {"email": "hidden"}]})
    return backends


def test_it_shows_exactly_this(good: Backends, visitor: FlaskClient) -> None:
    page = visitor.get("/api/todos/todo00000000001")
    assert page.status_code == 200
    assert page.json == {
        "id": "todo00000000001",
        "title": "买牛奶",
        "note": "2 l",
        "status": "done",
        "due": None,
        "finished": "2026-11-22 10:00:00.000Z",
        "created": "2026-11-20 10:00:00.000Z",
        "owner": ADA,
        "helper": None,
        "comments": [{"id": "c1", "text": "谢谢", "created": COMMENT["created"], "author": LIN}],
        "errors": [],
    }


def test_it_asks_for_the_comments_of_this_todo(good: Backends, visitor: FlaskClient) -> None:
    visitor.get("/api/todos/todo00000000001")
    [asked] = good.calls("comments")
    assert query_of(asked)["filter"] == "todo = 'todo00000000001'"


def test_it_asks_for_the_owner_and_the_authors_at_once(good: Backends, visitor: FlaskClient) -> None:
    visitor.get("/api/todos/todo00000000001")
    [asked] = good.calls("people")
    assert query_of(asked)["filter"] == "id = 'personada000000' || id = 'personlin000000'"


def test_a_todo_that_is_not_there_stays_404(good: Backends, visitor: FlaskClient) -> None:
    good.answer("todos", "todos", suffix="/todo00000000001", status=404, json={"message": "secret trouble"})
    page = visitor.get("/api/todos/todo00000000001")
    assert page.status_code == 404
    assert page.json["type"] == "urn:bff:problem:not-found"
    assert "secret" not in page.text


@pytest.mark.parametrize("trouble", [name for name in TROUBLE if name != "of another form"])
def test_there_is_no_page_without_the_todo(good: Backends, visitor: FlaskClient, trouble: str) -> None:
    reply, kind, status = TROUBLE[trouble]
    good.answer("todos", "todos", suffix="/todo00000000001", **reply)
    page = visitor.get("/api/todos/todo00000000001")
    assert (page.status_code, page.json["failure"], page.json["step"]) == (status, kind, "todo")
    assert "secret" not in page.text


@pytest.mark.parametrize("trouble", TROUBLE)
def test_it_lives_without_its_comments(good: Backends, visitor: FlaskClient, trouble: str) -> None:
    reply, kind, status = TROUBLE[trouble]
    good.answer("todos", "comments", **reply)
    page = visitor.get("/api/todos/todo00000000001")
    assert page.status_code == 200
    assert page.headers["X-Page-Partial"] == "comments"
    assert (page.json["comments"], page.json["owner"]) == ([], ADA)
    [error] = page.json["errors"]
    assert (error["step"], error["kind"], error["status"]) == ("comments", kind, status)
    assert "secret" not in page.text


@pytest.mark.parametrize("trouble", TROUBLE)
def test_it_lives_without_names(good: Backends, visitor: FlaskClient, trouble: str) -> None:
    reply, kind, status = TROUBLE[trouble]
    good.answer("people", "people", **reply)
    page = visitor.get("/api/todos/todo00000000001")
    assert page.status_code == 200
    assert (page.json["owner"], page.json["comments"][0]["author"]) == (None, None)
    [error] = page.json["errors"]
    assert (error["step"], error["kind"], error["status"]) == ("people", kind, status)
    assert "secret" not in page.text


def test_a_todo_nobody_commented_has_no_comments(good: Backends, visitor: FlaskClient) -> None:
    good.answer("todos", "comments", json={"items": []})
    page = visitor.get("/api/todos/todo00000000001")
    assert (page.json["comments"], page.json["errors"]) == ([], [])
