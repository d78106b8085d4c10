"""`todo.yaml`: one todo with its comments and people."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.pages.backends import Backends
from tests.pages.conftest import (
    ADA,
    ANOTHER_FORM,
    ID,
    LIN,
    TOKEN,
    TROUBLE,
    TROUBLE_OF_WHAT_IS_READ,
    WITH_PICTURE,
    ended,
    listed,
    missing,
    pictured,
    row,
)

TODO = row(note="2 l", status="done", owner=ADA["id"], finished="2026-11-22 10:00:00.000Z")
COMMENT = {"id": "c1", "text": "谢谢", "created": "2026-11-22 11:00:00.000Z", "author": LIN["id"], "todo": ID}
SHOWN = {
    "id": ID,
    "title": "买牛奶",
    "note": "2 l",
    "status": "done",
    "due": None,
    "finished": "2026-11-22 10:00:00.000Z",
    "created": "2026-11-20 10:00:00.000Z",
    "updated": "2026-11-21 10:00:00.000Z",
    "owner": ADA | {"picture": None},
    "helper": None,
    "comments": [
        {"id": "c1", "text": "谢谢", "created": COMMENT["created"], "author": LIN | {"picture": "lin_1.png"}}
    ],
    "errors": [],
}


@pytest.fixture
def good(backends: Backends) -> Backends:
    """Backends that all answer."""
    backends.answer("todos", "todos", at=f"records/{ID}", json=TODO)
    backends.answer("todos", "comments", json=listed(COMMENT))
    backends.answer("people", "people", json=listed(ADA, pictured(LIN, "lin_1.png") | {"email": "hidden"}))
    return backends


def test_it_shows_exactly_this(good: Backends, visitor: FlaskClient) -> None:
    page = visitor.get(f"/api/todos/{ID}")
    assert (page.status_code, page.json) == (200, SHOWN)
    assert "X-Page-Partial" not in page.headers


def test_it_asks_exactly_this_with_the_visitors_token(good: Backends, visitor: FlaskClient) -> None:
    visitor.get(f"/api/todos/{ID}")
    of_todo = {"filter": f"todo = '{ID}'", "sort": "created,@rowid", "perPage": "500", "skipTotal": "1"}
    both = "id = 'personada000000' || id = 'personlin000000'"
    assert good.asked() == [
        (
            "GET people: people/records",
            WITH_PICTURE | {"filter": both, "perPage": "100", "skipTotal": "1"},
            None,
        ),
        ("GET todos: comments/records", of_todo, None),
        (f"GET todos: todos/records/{ID}", {}, None),
    ]
    assert good.tokens() == {f"Bearer {TOKEN}"}


def test_a_todo_that_is_not_there_stays_404(good: Backends, visitor: FlaskClient) -> None:
    good.answer("todos", "todos", at=f"records/{ID}", status=404, json={"message": "secret trouble"})
    page = visitor.get(f"/api/todos/{ID}")
    assert ended(page) == (404, "status", "todo")
    assert page.json["type"] == "urn:bff:problem:not-found"


def test_an_id_that_cannot_be_in_an_address_asks_no_backend(backends: Backends, visitor: FlaskClient) -> None:
    assert visitor.get("/api/todos/a%5Cb").status_code == 404
    assert backends.calls() == []


@pytest.mark.parametrize("trouble", TROUBLE_OF_WHAT_IS_READ)
def test_there_is_no_page_without_the_todo(good: Backends, visitor: FlaskClient, trouble: str) -> None:
    reply, kind, status = TROUBLE_OF_WHAT_IS_READ[trouble]
    good.answer("todos", "todos", at=f"records/{ID}", **reply)
    assert ended(visitor.get(f"/api/todos/{ID}")) == (status, kind, "todo")


@pytest.mark.parametrize("trouble", TROUBLE)
def test_it_lives_without_its_comments(good: Backends, visitor: FlaskClient, trouble: str) -> None:
    reply, kind, status = TROUBLE[trouble]
    good.answer("todos", "comments", **reply)
    page = visitor.get(f"/api/todos/{ID}")
    # Owner and helper stand there, too: one request asks for them and for the authors.
    fields = ["owner", "helper", "comments", "comments[*].author"]
    assert missing(page) == [("comments", kind, status, fields)]
    assert page.json | {"errors": []} == SHOWN | {"comments": []}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_it_lives_without_names(good: Backends, visitor: FlaskClient, trouble: str) -> None:
    reply, kind, status = TROUBLE[trouble]
    good.answer("people", "people", **reply)
    page = visitor.get(f"/api/todos/{ID}")
    assert missing(page) == [("people", kind, status, ["owner", "helper", "comments[*].author"])]
    assert page.json | {"errors": []} == SHOWN | {
        "owner": None,
        "comments": [SHOWN["comments"][0] | {"author": None}],  # type: ignore[index]
    }


def test_a_todo_nobody_commented_has_no_comments(good: Backends, visitor: FlaskClient) -> None:
    good.answer("todos", "comments", json=listed())
    page = visitor.get(f"/api/todos/{ID}")
    assert (page.json["comments"], missing(page)) == ([], [])


@pytest.mark.parametrize("reply", ANOTHER_FORM)
def test_an_answer_without_a_list_of_people_leaves_their_names_out(
    good: Backends, visitor: FlaskClient, reply: dict[str, object]
) -> None:
    good.answer("people", "people", **reply)
    page = visitor.get(f"/api/todos/{ID}")
    assert missing(page) == [("people", "bad-reply", 502, ["owner", "helper", "comments[*].author"])]


def test_people_who_are_gone_are_null(good: Backends, visitor: FlaskClient) -> None:
    good.answer("people", "people", json=listed())
    page = visitor.get(f"/api/todos/{ID}")
    assert (page.json["owner"], page.json["comments"][0]["author"], missing(page)) == (None, None, [])
