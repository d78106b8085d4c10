"""`add_todo.yaml`: one write, sent once, and a message to the helper."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from bff.executor import KeySource
from tests.pages.backends import Backends, id_of
from tests.pages.conftest import (
    ADA,
    ANN,
    EMPTY,
    ID,
    MARK,
    REPEATED,
    TAKEN,
    TOKEN,
    TROUBLE_OF_ONE,
    TROUBLE_OF_WHAT_IS_READ,
    ended,
    missing,
    mistakes,
    row,
)

GIVEN = {"title": "买牛奶", "note": "2 l", "due": "2026-12-24", "helper": ADA["id"]}
SHOWN = {
    "id": ID,
    "title": "买牛奶",
    "note": "2 l",
    "status": "open",
    "due": "2026-12-24",
    "finished": None,
    "created": "2026-11-20 10:00:00.000Z",
    "updated": "2026-11-21 10:00:00.000Z",
    "owner": ANN,
    "helper": ADA,
    "errors": [],
}
BARE = {"title": "x", "note": "", "due": "", "helper": "", "owner": ANN["id"], "status": "open"}


@pytest.fixture
def good(backends: Backends) -> Backends:
    """Backends that take the todo and the message, and know the helper."""
    made = row(note="2 l", due="2026-12-24 00:00:00.000Z", owner=ANN["id"], helper=ADA["id"])
    backends.answer("todos", "todos", "POST", json=made)
    backends.answer("todos", "messages", "POST", json={"id": "m"})
    backends.answer("people", "people", at=f"records/{ADA['id']}", json=ADA | {"email": "hidden"})
    return backends


def test_it_shows_exactly_this_and_its_address(good: Backends, visitor: FlaskClient) -> None:
    page = visitor.post("/api/todos", json=GIVEN)
    assert (page.status_code, page.json) == (201, SHOWN)
    assert page.headers["Location"] == f"/api/todos/{ID}"
    assert "X-Page-Partial" not in page.headers


def test_it_asks_exactly_this_with_the_visitors_token(good: Backends, visitor: FlaskClient) -> None:
    visitor.post("/api/todos", json=GIVEN)
    message = {"recipient": ADA["id"], "sender": ANN["id"], "todo": ID, "text": "买牛奶"}
    assert good.asked() == [
        (f"GET people: people/records/{ADA['id']}", {}, None),
        ("POST todos: messages/records", {}, message),
        ("POST todos: todos/records", {}, GIVEN | {"owner": ANN["id"], "status": "open"}),
    ]
    assert good.tokens() == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ({"title": " x "}, {}),
        ({"title": "x", "due": None, "helper": None, "note": ""}, {}),
        ({"title": "x", "note": " n ", "due": "2026-12-24"}, {"note": " n ", "due": "2026-12-24"}),
        ({"title": "x", "status": "done", "owner": "me", "id": "i", "finished": "2020-01-01"}, {}),
    ],
)
def test_it_sends_what_the_schema_lists_and_nothing_else(
    good: Backends, visitor: FlaskClient, body: dict[str, Any], sent: dict[str, Any]
) -> None:
    assert visitor.post("/api/todos", json=body).status_code == 201
    assert good.asked("todos") == [("POST todos: todos/records", {}, BARE | sent)]


def test_without_a_helper_nobody_is_asked_for_and_told(good: Backends, visitor: FlaskClient) -> None:
    good.answer("todos", "todos", "POST", json=row(owner=ANN["id"]))
    page = visitor.post("/api/todos", json={"title": "买牛奶"})
    assert page.json == SHOWN | {"note": "", "due": None, "helper": None}
    assert [line for line, _, _ in good.asked()] == ["POST todos: todos/records"]


def test_who_helps_themselves_is_not_told(good: Backends, visitor: FlaskClient) -> None:
    good.answer("todos", "todos", "POST", json=row(owner=ANN["id"], helper=ANN["id"]))
    good.answer("people", "people", at=f"records/{ANN['id']}", json=ANN)
    page = visitor.post("/api/todos", json={"title": "x", "helper": ANN["id"]})
    assert (page.status_code, page.json["helper"]) == (201, ANN)
    assert good.calls("messages") == []


@pytest.mark.parametrize("trouble", TROUBLE_OF_ONE)
def test_a_todo_that_is_not_made_is_a_problem_and_is_never_made_twice(
    good: Backends, visitor: FlaskClient, trouble: str
) -> None:
    reply, kind, status = TROUBLE_OF_ONE[trouble]
    good.answer("todos", "todos", "POST", **reply)
    assert ended(visitor.post("/api/todos", json=GIVEN)) == (status, kind, "created")
    assert len(good.calls()) == len(good.calls("todos")) == (2 if trouble in REPEATED else 1)
    assert len(good.keys()) == 1


def test_a_todo_that_an_earlier_try_has_made_is_read_and_is_the_answer(
    good: Backends, visitor: FlaskClient
) -> None:
    good.answer("todos", "todos", "POST", **TAKEN)
    good.answer("todos", "messages", "POST", **TAKEN)
    made = id_of(KeySource(MARK, "POST /api/todos", "key-1").key("created", None))
    kept = row(id=made, note="2 l", due="2026-12-24 00:00:00.000Z", owner=ANN["id"], helper=ADA["id"])
    good.answer("todos", "todos", at=f"records/{made}", json=kept)
    page = visitor.post("/api/todos", json=GIVEN, headers={"Idempotency-Key": "key-1"})
    assert (page.status_code, page.json) == (201, SHOWN | {"id": made})
    assert page.headers["Location"] == f"/api/todos/{made}"


@pytest.mark.parametrize("trouble", TROUBLE_OF_WHAT_IS_READ)
def test_a_todo_that_was_made_and_cannot_be_read_is_a_problem(
    good: Backends, visitor: FlaskClient, trouble: str
) -> None:
    reply, kind, status = TROUBLE_OF_WHAT_IS_READ[trouble]
    good.answer("todos", "todos", "POST", **TAKEN)
    made = id_of(KeySource(MARK, "POST /api/todos", "key-1").key("created", None))
    good.answer("todos", "todos", at=f"records/{made}", **reply)
    page = visitor.post("/api/todos", json=GIVEN, headers={"Idempotency-Key": "key-1"})
    assert ended(page) == (status, kind, "before")
    assert good.calls("messages") == []


def test_what_the_backend_does_not_accept_is_422(good: Backends, visitor: FlaskClient) -> None:
    data = {"helper": {"message": "secret trouble"}}
    good.answer("todos", "todos", "POST", status=400, json={"data": data})
    page = visitor.post("/api/todos", json=GIVEN)
    assert ended(page) == (422, "status", "created")
    assert page.json["type"] == "urn:bff:problem:unprocessable"
    assert len(good.calls()) == 1


@pytest.mark.parametrize("trouble", TROUBLE_OF_ONE)
def test_the_todo_stands_without_the_message(good: Backends, visitor: FlaskClient, trouble: str) -> None:
    reply, kind, status = TROUBLE_OF_ONE[trouble]
    good.answer("todos", "messages", "POST", **reply)
    page = visitor.post("/api/todos", json=GIVEN)
    assert missing(page) == [("told", kind, status, [])]
    assert (page.status_code, page.json | {"errors": []}) == (201, SHOWN)
    assert len(good.calls("messages")) == (2 if trouble in REPEATED else 1)
    assert len(good.keys("messages")) == 1


@pytest.mark.parametrize("reply", [EMPTY, {"json": {"items": {}}}, {"body": "null"}])
def test_what_comes_back_for_the_message_does_not_matter(
    good: Backends, visitor: FlaskClient, reply: dict[str, Any]
) -> None:
    good.answer("todos", "messages", "POST", **reply)
    page = visitor.post("/api/todos", json=GIVEN)
    assert (page.status_code, page.json) == (201, SHOWN)


@pytest.mark.parametrize("trouble", TROUBLE_OF_ONE)
def test_the_todo_stands_without_the_helpers_name(good: Backends, visitor: FlaskClient, trouble: str) -> None:
    reply, kind, status = TROUBLE_OF_ONE[trouble]
    good.answer("people", "people", at=f"records/{ADA['id']}", **reply)
    page = visitor.post("/api/todos", json=GIVEN)
    assert missing(page) == [("helper", kind, status, ["helper"])]
    assert (page.status_code, page.json | {"errors": []}) == (201, SHOWN | {"helper": None})
    assert len(good.calls("messages")) == 1


def test_a_message_and_a_name_can_be_missing_together(good: Backends, visitor: FlaskClient) -> None:
    good.answer("todos", "messages", "POST", status=500)
    good.answer("people", "people", at=f"records/{ADA['id']}", status=500)
    page = visitor.post("/api/todos", json=GIVEN)
    assert page.status_code == 201
    assert set(page.headers["X-Page-Partial"].split(", ")) == {"told", "helper"}


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["#/body/title"]),
        ({"title": ""}, ["#/body/title"]),
        ({"title": " \t"}, ["#/body/title"]),
        (
            {"title": "x" * 201, "note": "x" * 5001, "due": "soon", "helper": "x"},
            ["#/body/due", "#/body/helper", "#/body/note", "#/body/title"],
        ),
        (
            {"title": None, "note": None, "due": 5, "helper": ["x"]},
            ["#/body/due", "#/body/helper", "#/body/note", "#/body/title"],
        ),
        ([], ["#/body"]),
    ],
)
def test_all_mistakes_are_named_and_no_backend_is_asked(
    backends: Backends, visitor: FlaskClient, body: object, pointers: list[str]
) -> None:
    assert sorted(set(mistakes(visitor.post("/api/todos", json=body)))) == pointers
    assert backends.calls() == []


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"data": "{", "content_type": "application/json"}, 400),
        ({"data": "title=x", "content_type": "application/x-www-form-urlencoded"}, 415),
        ({"data": '{"title": "' + "x" * 1_100_000 + '"}', "content_type": "application/json"}, 413),
        ({}, 415),
    ],
)
def test_a_body_that_cannot_be_read_asks_no_backend(
    backends: Backends, visitor: FlaskClient, sent: dict[str, Any], status: int
) -> None:
    page = visitor.post("/api/todos", **sent)
    assert page.status_code == status
    assert page.mimetype == "application/problem+json"
    assert backends.calls() == []
