"""`add_todo.yaml`: one write, sent once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.pages.conftest import TROUBLE, Backends

ROW = {
    "id": "todo00000000001",
    "title": "买牛奶",
    "note": "",
    "status": "open",
    "due": "2026-12-24 00:00:00.000Z",
    "created": "2026-11-23 05:00:00.000Z",
    "owner": "",
}


@pytest.fixture
def good(backends: Backends) -> Backends:
    """A backend that takes the todo."""
    backends.answer("todos", "todos", method="POST", json=ROW)
    return backends


def _sent(backends: Backends) -> list[Any]:
    return [json.loads(request.body or b"null") for request in backends.calls("todos")]


def test_it_answers_with_the_new_todo_and_its_address(good: Backends, visitor: FlaskClient) -> None:
    page = visitor.post("/api/todos", json={"title": "买牛奶", "due": "2026-12-24"})
    assert page.status_code == 201
    assert page.headers["Location"] == "/api/todos/todo00000000001"
    assert page.json == {
        "id": "todo00000000001",
        "title": "买牛奶",
        "note": "",
        "status": "open",
        "due": "2026-12-24",
        "created": "2026-11-23 05:00:00.000Z",
    }


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ({"title": " 买牛奶 "}, {"title": "买牛奶", "note": "", "due": "", "helper": "", "status": "open"}),
        (
            {
                "title": "x",
                "note": "n",
                "due": None,
                "helper": None,
                "status": "done",
                "owner": "me",
                "id": "i",
            },
            {"title": "x", "note": "n", "due": "", "helper": "", "status": "open"},
        ),
        (
            {"title": "x", "due": "2026-12-24", "helper": "personada000000"},
            {"title": "x", "note": "", "due": "2026-12-24", "helper": "personada000000", "status": "open"},
        ),
    ],
)
def test_it_sends_what_the_schema_lists_and_nothing_else(
    good: Backends, visitor: FlaskClient, body: dict[str, Any], sent: dict[str, Any]
) -> None:
    assert visitor.post("/api/todos", json=body).status_code == 201
    assert _sent(good) == [sent]


@pytest.mark.parametrize("trouble", [name for name in TROUBLE if name != "of another form"])
def test_a_write_that_fails_is_a_problem_and_is_not_sent_again(
    good: Backends, visitor: FlaskClient, trouble: str
) -> None:
    reply, kind, status = TROUBLE[trouble]
    good.answer("todos", "todos", method="POST", **reply)
    page = visitor.post("/api/todos", json={"title": "x"})
    assert (page.status_code, page.json["failure"], page.json["step"]) == (status, kind, "created")
    assert "secret" not in page.text
    assert len(good.calls("todos")) == 1


def test_what_the_backend_does_not_accept_is_422(good: Backends, visitor: FlaskClient) -> None:
    reply = {"status": 400, "json": {"data": {"helper": {"message": "secret trouble"}}}}
    good.answer("todos", "todos", method="POST", **reply)
    page = visitor.post("/api/todos", json={"title": "x", "helper": "personada000000"})
    assert page.status_code == 422
    assert page.json["type"] == "urn:bff:problem:unprocessable"
    assert "secret" not in page.text


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"json": {"title": ""}}, 400),
        ({"json": []}, 400),
        ({"data": "{", "content_type": "application/json"}, 400),
        ({"data": "title=x", "content_type": "application/x-www-form-urlencoded"}, 415),
        ({"data": '{"title": "' + "x" * 1_100_000 + '"}', "content_type": "application/json"}, 413),
        ({}, 415),
    ],
)
def test_a_body_that_does_not_fit_asks_no_backend(
    backends: Backends, visitor: FlaskClient, sent: dict[str, Any], status: int
) -> None:
    page = visitor.post("/api/todos", **sent)
    assert page.status_code == status
    assert page.mimetype == "application/problem+json"
    assert len(backends.mock.calls) == 0
