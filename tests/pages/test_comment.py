"""`comment.yaml`: whoever may see a todo may say something about it, once."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from bff.executor import KeySource
from tests.pages.backends import Backends, id_of
from tests.pages.conftest import (
    ADA,
    ANN,
    ID,
    MARK,
    REPEATED,
    TAKEN,
    TOKEN,
    TROUBLE_OF_ONE,
    TROUBLE_OF_WHAT_IS_READ,
    ended,
    mistakes,
    row,
)

MADE = {"id": "c1", "text": "谢谢", "created": "2026-11-22 11:00:00.000Z", "author": ANN["id"], "todo": ID}
PATH = f"/api/todos/{ID}/comments"


@pytest.fixture
def good(backends: Backends) -> Backends:
    """A backend that has the todo and takes the comment."""
    backends.answer("todos", "todos", at=f"records/{ID}", json=row(owner=ADA["id"], helper=ANN["id"]))
    backends.answer("todos", "comments", "POST", json=MADE)
    return backends


def test_it_shows_exactly_this(good: Backends, visitor: FlaskClient) -> None:
    page = visitor.post(PATH, json={"text": "谢谢"})
    assert page.status_code == 201
    assert page.json == {"id": "c1", "text": "谢谢", "created": "2026-11-22 11:00:00.000Z", "author": ANN}


def test_it_asks_exactly_this_with_the_visitors_token(good: Backends, visitor: FlaskClient) -> None:
    visitor.post(PATH, json={"text": " 谢谢\n", "author": ADA["id"], "todo": "x"})
    assert good.asked() == [
        (f"GET todos: todos/records/{ID}", {}, None),
        ("POST todos: comments/records", {}, {"todo": ID, "author": ANN["id"], "text": "谢谢"}),
    ]
    assert good.tokens() == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize("trouble", TROUBLE_OF_ONE)
def test_nothing_is_said_about_a_todo_that_cannot_be_read(
    good: Backends, visitor: FlaskClient, trouble: str
) -> None:
    reply, kind, status = TROUBLE_OF_ONE[trouble]
    good.answer("todos", "todos", at=f"records/{ID}", **reply)
    assert ended(visitor.post(PATH, json={"text": "x"})) == (status, kind, "todo")
    assert good.calls("comments") == []


def test_a_todo_that_is_not_there_stays_404(good: Backends, visitor: FlaskClient) -> None:
    good.answer("todos", "todos", at=f"records/{ID}", status=404, json={"message": "secret"})
    assert ended(visitor.post(PATH, json={"text": "x"})) == (404, "status", "todo")
    assert good.calls("comments") == []


@pytest.mark.parametrize("trouble", TROUBLE_OF_ONE)
def test_a_comment_that_fails_is_a_problem_and_is_never_made_twice(
    good: Backends, visitor: FlaskClient, trouble: str
) -> None:
    reply, kind, status = TROUBLE_OF_ONE[trouble]
    good.answer("todos", "comments", "POST", **reply)
    assert ended(visitor.post(PATH, json={"text": "x"})) == (status, kind, "created")
    assert len(good.calls("comments")) == (2 if trouble in REPEATED else 1)
    assert len(good.keys("comments")) == 1


def test_a_comment_that_an_earlier_try_has_made_is_read_and_is_the_answer(
    good: Backends, visitor: FlaskClient
) -> None:
    good.answer("todos", "comments", "POST", **TAKEN)
    made = id_of(KeySource(MARK, f"POST {PATH}", "key-1").key("created", None))
    good.answer("todos", "comments", at=f"records/{made}", json=MADE | {"id": made})
    page = visitor.post(PATH, json={"text": "谢谢"}, headers={"Idempotency-Key": "key-1"})
    assert (page.status_code, page.json["id"], page.json["text"]) == (201, made, "谢谢")


@pytest.mark.parametrize("trouble", TROUBLE_OF_WHAT_IS_READ)
def test_a_comment_that_was_made_and_cannot_be_read_is_a_problem(
    good: Backends, visitor: FlaskClient, trouble: str
) -> None:
    reply, kind, status = TROUBLE_OF_WHAT_IS_READ[trouble]
    good.answer("todos", "comments", "POST", **TAKEN)
    made = id_of(KeySource(MARK, f"POST {PATH}", "key-1").key("created", None))
    good.answer("todos", "comments", at=f"records/{made}", **reply)
    page = visitor.post(PATH, json={"text": "谢谢"}, headers={"Idempotency-Key": "key-1"})
    assert ended(page) == (status, kind, "before")


def test_what_the_backend_does_not_accept_is_422(good: Backends, visitor: FlaskClient) -> None:
    good.answer("todos", "comments", "POST", status=400, json={"message": "secret"})
    assert ended(visitor.post(PATH, json={"text": "x"})) == (422, "status", "created")


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["#/body/text"]),
        ({"text": ""}, ["#/body/text"]),
        ({"text": " \n"}, ["#/body/text"]),
        ({"text": "x" * 2001}, ["#/body/text"]),
        ({"text": None}, ["#/body/text"]),
        ([], ["#/body"]),
    ],
)
def test_all_mistakes_are_named_and_no_backend_is_asked(
    backends: Backends, visitor: FlaskClient, body: object, pointers: list[str]
) -> None:
    assert sorted(set(mistakes(visitor.post(PATH, json=body)))) == pointers
    assert backends.calls() == []


def test_an_id_that_cannot_be_in_an_address_asks_no_backend(backends: Backends, visitor: FlaskClient) -> None:
    assert visitor.post("/api/todos/a%5Cb/comments", json={"text": "x"}).status_code == 404
    assert backends.calls() == []
