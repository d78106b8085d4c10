"""`home.yaml`: what it asks, what it makes of the replies, and of those that do not come."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from responses import RequestsMock

from tests.pages.conftest import TROUBLE, Backends, query_of

ADA, LIN = {"id": "personada000000", "name": "Ada"}, {"id": "personlin000000", "name": "林悦"}
NOTICE = {
    "id": "n",
    "collectionId": "c",
    "en": "Hello",
    "zh": "你好",
    "published": "2026-11-01 00:00:00.000Z",
}


def todo(number: int, **fields: Any) -> dict[str, Any]:
    """A row as PocketBase gives it: what is not there is an empty text."""
    row = {"id": f"todo{number:011d}", "title": f"Todo {number}", "note": "", "status": "open", "due": ""}
    row |= {"owner": "", "helper": "", "finished": "", "created": "2026-11-23 05:00:00.000Z"}
    return row | fields


def listed(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"page": 1, "perPage": 20, "totalItems": len(rows), "totalPages": 1, "items": list(rows)}


@pytest.fixture
def good(backends: Backends) -> Backends:
    """Backends that all answer."""
    row = todo(1, owner=ADA["id"], helper=LIN["id"], due="2026-12-24 00:00:00.000Z")
    backends.answer("todos", "todo_list", json=listed(row))
    backends.answer("todos", "todo_counts", json={"items": [{"id": "open", "status": "open", "total": 7}]})
    backends.answer("notices", "notices", json={"items": [NOTICE]})
    backends.answer("people", "people", json={"items": [ADA | {"email": "hidden"}, LIN]})
    return backends


def test_it_shows_exactly_this(good: Backends, visitor: FlaskClient) -> None:
    page = visitor.get("/api/home")
    assert page.status_code == 200
    assert page.json == {
        "todos": [
            {
                "id": "todo00000000001",
                "title": "Todo 1",
                "note": "",
                "status": "open",
                "due": "2026-12-24",
                "finished": None,
                "created": "2026-11-23 05:00:00.000Z",
                "owner": ADA,
                "helper": LIN,
            }
        ],
        "page": 1,
        "per_page": 20,
        "pages": 1,
        "total": 1,
        "counts": {"open": 7, "done": 0, "paused": 0, "closed": 0},
        "notice": {"en": "Hello", "zh": "你好", "published": "2026-11-01 00:00:00.000Z"},
        "errors": [],
    }
    assert "X-Page-Partial" not in page.headers


def test_it_asks_for_all_people_at_once_and_for_each_once(good: Backends, visitor: FlaskClient) -> None:
    rows = [todo(number, owner=ADA["id"], helper=[LIN["id"], ""][number % 2]) for number in range(100)]
    good.answer("todos", "todo_list", json=listed(*rows))
    assert visitor.get("/api/home?per_page=100").status_code == 200
    [asked] = good.calls("people")
    assert query_of(asked) == {
        "filter": "id = 'personada000000' || id = 'personlin000000'",
        "perPage": "100",
        "skipTotal": "1",
    }


def test_more_people_than_one_request_takes_come_in_two(good: Backends, visitor: FlaskClient) -> None:
    rows = [todo(number, owner=f"o{number:014d}", helper=f"h{number:014d}") for number in range(100)]
    good.answer("todos", "todo_list", json=listed(*rows))
    assert visitor.get("/api/home?per_page=100").status_code == 200
    asked = [query_of(request)["filter"].count("id = ") for request in good.calls("people")]
    assert asked == [100, 100]


def test_todos_without_people_make_no_request_for_people(good: Backends, visitor: FlaskClient) -> None:
    good.answer("todos", "todo_list", json=listed(todo(1), todo(2)))
    assert [row["owner"] for row in visitor.get("/api/home").json["todos"]] == [None, None]
    assert good.calls("people") == []


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        ("", {"filter": "status != '' && id != ''", "sort": "-created,-id", "page": "1", "perPage": "20"}),
        (
            "?status=done&sort=due&page=3&per_page=5",
            {"filter": "status = 'done' && id != ''", "sort": "due_last,id", "page": "3", "perPage": "5"},
        ),
        (
            "?q=it's 50%25&sort=title",
            {
                "filter": r"status != '' && (title ~ '%it\'s 50\\%%' || note ~ '%it\'s 50\\%%')",
                "sort": "title,id",
                "page": "1",
                "perPage": "20",
            },
        ),
    ],
)
def test_it_asks_for_what_the_visitor_wants(
    good: Backends, visitor: FlaskClient, query: str, sent: dict[str, str]
) -> None:
    assert visitor.get(f"/api/home{query}").status_code == 200
    [asked] = good.calls("todo_list")
    assert query_of(asked) == sent


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize("collection", ["todo_list", "todo_counts"])
def test_there_is_no_page_without_todos_and_counts(
    good: Backends, visitor: FlaskClient, collection: str, trouble: str
) -> None:
    reply, kind, status = TROUBLE[trouble]
    good.answer("todos", collection, **reply)
    page = visitor.get("/api/home")
    assert page.status_code == status
    assert page.mimetype == "application/problem+json"
    assert page.json["failure"] == kind
    assert page.json["step"] == {"todo_list": "found", "todo_counts": "counts"}[collection]
    assert "secret" not in page.text


@pytest.mark.parametrize("trouble", [name for name in TROUBLE if name != "of another form"])
def test_the_page_lives_without_its_notice(good: Backends, visitor: FlaskClient, trouble: str) -> None:
    reply, kind, status = TROUBLE[trouble]
    good.answer("notices", "notices", **reply)
    page = visitor.get("/api/home")
    assert page.status_code == 200
    assert page.headers["X-Page-Partial"] == "notice"
    assert page.json["notice"] is None
    [error] = page.json["errors"]
    assert (error["step"], error["kind"], error["status"], error["fields"]) == (
        "notice",
        kind,
        status,
        ["notice"],
    )
    assert "secret" not in page.text


@pytest.mark.parametrize("trouble", TROUBLE)
def test_the_page_lives_without_names(good: Backends, visitor: FlaskClient, trouble: str) -> None:
    reply, kind, status = TROUBLE[trouble]
    good.answer("people", "people", **reply)
    page = visitor.get("/api/home")
    assert page.status_code == 200
    assert page.headers["X-Page-Partial"] == "people"
    assert page.json["todos"][0] | {"created": ""} == {
        "id": "todo00000000001",
        "title": "Todo 1",
        "note": "",
        "status": "open",
        "due": "2026-12-24",
        "finished": None,
        "created": "",
        "owner": None,
        "helper": None,
    }
    [error] = page.json["errors"]
    assert (error["step"], error["kind"], error["status"]) == ("people", kind, status)
    assert error["fields"] == ["todos[*].owner", "todos[*].helper"]
    assert "secret" not in page.text


@pytest.mark.parametrize("reply", [{"items": []}, {}, None])
def test_no_notice_is_no_failure(good: Backends, visitor: FlaskClient, reply: object) -> None:
    good.answer("notices", "notices", json=reply)
    page = visitor.get("/api/home")
    assert (page.json["notice"], page.json["errors"]) == (None, [])


def test_people_who_are_gone_are_null(good: Backends, visitor: FlaskClient) -> None:
    good.answer("people", "people", json={"items": [LIN]})
    page = visitor.get("/api/home")
    assert (page.json["todos"][0]["owner"], page.json["todos"][0]["helper"]) == (None, LIN)
    assert page.json["errors"] == []


def test_a_mistake_of_the_visitor_asks_no_backend(backends: Backends, visitor: FlaskClient) -> None:
    page = visitor.get("/api/home?status=x&page=0")
    assert page.status_code == 400
    assert [error["pointer"] for error in page.json["errors"]] == ["#/query/status", "#/query/page"]
    assert isinstance(backends.mock, RequestsMock)
    assert len(backends.mock.calls) == 0
