"""`home.yaml`: what it asks, what it makes of the replies, and of those that do not come."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.pages.backends import Backends
from tests.pages.conftest import (
    ADA,
    ANN,
    ANOTHER_FORM,
    ID,
    LIN,
    TOKEN,
    TROUBLE,
    TROUBLE_OF_ONE,
    WITH_PICTURE,
    ended,
    listed,
    missing,
    mistakes,
    pictured,
    refused,
    row,
)

NOTICE = {
    "id": "n",
    "collectionId": "c",
    "en": "Hello",
    "zh": "你好",
    "published": "2026-11-01 00:00:00.000Z",
}
SHOWN = {
    "id": ID,
    "title": "买牛奶",
    "note": "",
    "status": "open",
    "due": "2026-12-24",
    "finished": None,
    "created": "2026-11-20 10:00:00.000Z",
    "updated": "2026-11-21 10:00:00.000Z",
    "owner_id": ADA["id"],
    "owner": ADA | {"picture": None},
    "helper_id": LIN["id"],
    "helper": LIN | {"picture": "lin_1.png"},
}
ME = f"records/{ANN['id']}"


@pytest.fixture
def good(backends: Backends) -> Backends:
    """Backends that all answer."""
    found = row(owner=ADA["id"], helper=LIN["id"], due="2026-12-24 00:00:00.000Z")
    counts = [
        {"id": "a..open", "owner": "a", "helper": "", "status": "open", "total": 4},
        {"id": "a.b.open", "owner": "a", "helper": "b", "status": "open", "total": 3},
        {"id": "a..done", "owner": "a", "helper": "", "status": "done", "total": 2},
    ]
    ann = pictured(ANN, "ann_1.png") | {"name": "Ann 安", "email": "hidden"}
    backends.answer("people", "people", at=ME, json=ann)
    backends.answer("todos", "todo_list", json=listed(found))
    backends.answer("todos", "todo_counts", json=listed(*counts))
    backends.answer("notices", "notices", json=listed(NOTICE))
    backends.answer("people", "people", json=listed(ADA | {"email": "hidden"}, pictured(LIN, "lin_1.png")))
    return backends


def test_it_shows_exactly_this(good: Backends, visitor: FlaskClient) -> None:
    page = visitor.get("/api/home")
    assert page.status_code == 200
    assert page.json == {
        "me": {"id": ANN["id"], "name": "Ann 安", "email": "ann@example.com", "picture": "ann_1.png"},
        "todos": [SHOWN],
        "page": 1,
        "per_page": 20,
        "pages": 1,
        "total": 1,
        "counts": {"open": 7, "done": 2, "paused": 0, "closed": 0},
        "notice": {"en": "Hello", "zh": "你好", "published": "2026-11-01 00:00:00.000Z"},
        "errors": [],
    }
    assert "X-Page-Partial" not in page.headers
    assert page.headers["Cache-Control"] == "private, no-cache"


def test_it_asks_exactly_this_with_the_visitors_token(good: Backends, visitor: FlaskClient) -> None:
    visitor.get("/api/home")
    list_query = {"sort": "-created,-id", "page": "1", "perPage": "20"}
    both = "id = 'personada000000' || id = 'personlin000000'"
    notice_query = {"perPage": "1", "skipTotal": "1", "sort": "-published", "filter": "published<=@now"}
    assert good.asked() == [
        ("GET notices: notices/records", notice_query, None),
        (
            "GET people: people/records",
            WITH_PICTURE | {"filter": both, "perPage": "100", "skipTotal": "1"},
            None,
        ),
        (f"GET people: people/{ME}", WITH_PICTURE, None),
        ("GET todos: todo_counts/records", {"perPage": "1000", "skipTotal": "1"}, None),
        ("GET todos: todo_list/records", list_query, None),
    ]
    assert good.tokens() == {f"Bearer {TOKEN}"}


def test_it_asks_for_all_people_at_once_and_for_each_once(good: Backends, visitor: FlaskClient) -> None:
    rows = [row(owner=ADA["id"], helper=[LIN["id"], ""][number % 2]) for number in range(100)]
    good.answer("todos", "todo_list", json=listed(*rows))
    assert visitor.get("/api/home?per_page=100").status_code == 200
    [asked] = good.calls("people/records?")
    assert asked.query["filter"] == "id = 'personada000000' || id = 'personlin000000'"


def test_more_people_than_one_request_takes_come_in_two(good: Backends, visitor: FlaskClient) -> None:
    rows = [row(owner=f"o{number:014d}", helper=f"h{number:014d}") for number in range(100)]
    good.answer("todos", "todo_list", json=listed(*rows))
    assert visitor.get("/api/home?per_page=100").status_code == 200
    asked = [request.query["filter"].count("id = ") for request in good.calls("people/records?")]
    assert asked == [100, 100]


def test_todos_without_people_make_no_request_for_people(good: Backends, visitor: FlaskClient) -> None:
    good.answer("todos", "todo_list", json=listed(row(), row()))
    assert [shown["owner"] for shown in visitor.get("/api/home").json["todos"]] == [None, None]
    assert good.calls("people/records?") == []


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        (
            "?status=done&sort=due&page=3&per_page=5",
            {
                "filter": "status = 'done'",
                "sort": "ended,due_last,id",
                "page": "3",
                "perPage": "5",
            },
        ),
        (
            "?q=it's 50%25&sort=title",
            {
                "filter": r"(title ~ '%it\'s 50\\%%' || note ~ '%it\'s 50\\%%')",
                "sort": "title_order,id",
                "page": "1",
                "perPage": "20",
            },
        ),
        (
            "?status=open&q=茶&sort=oldest",
            {
                "filter": "status = 'open' && (title ~ '%茶%' || note ~ '%茶%')",
                "sort": "created,id",
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
    assert asked.query == sent


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize(("collection", "step"), [("todo_list", "found"), ("todo_counts", "counts")])
def test_there_is_no_page_without_todos_and_counts(
    good: Backends, visitor: FlaskClient, collection: str, step: str, trouble: str
) -> None:
    reply, kind, status = TROUBLE[trouble]
    good.answer("todos", collection, **reply)
    assert ended(visitor.get("/api/home")) == (status, kind, step)


@pytest.mark.parametrize("trouble", TROUBLE_OF_ONE)
def test_there_is_no_page_when_nobody_says_who_the_visitor_is(
    good: Backends, visitor: FlaskClient, trouble: str
) -> None:
    reply, kind, status = TROUBLE_OF_ONE[trouble]
    good.answer("people", "people", at=ME, **reply)
    assert ended(visitor.get("/api/home")) == (status, kind, "shell.me")


def test_a_visitor_whom_people_does_not_know_any_more_sees_no_empty_page(
    good: Backends, visitor: FlaskClient
) -> None:
    good.answer("people", "people", at=ME, status=404, json={"message": "secret"})
    good.answer("todos", "todo_list", json=listed())
    assert refused(visitor.get("/api/home")) == (401, "shell.signed_in", "This session is over.")


@pytest.mark.parametrize("trouble", TROUBLE_OF_ONE)
def test_the_page_lives_without_its_notice(good: Backends, visitor: FlaskClient, trouble: str) -> None:
    reply, kind, status = TROUBLE_OF_ONE[trouble]
    good.answer("notices", "notices", **reply)
    page = visitor.get("/api/home")
    assert missing(page) == [("shell.notice", kind, status, ["notice"])]
    assert (page.json["notice"], page.json["todos"]) == (None, [SHOWN])
    assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("trouble", TROUBLE)
def test_the_page_lives_without_names(good: Backends, visitor: FlaskClient, trouble: str) -> None:
    reply, kind, status = TROUBLE[trouble]
    good.answer("people", "people", **reply)
    page = visitor.get("/api/home")
    assert missing(page) == [("people", kind, status, ["todos[*].owner", "todos[*].helper"])]
    assert page.json["todos"] == [SHOWN | {"owner": None, "helper": None}]


def test_no_notice_is_no_failure(good: Backends, visitor: FlaskClient) -> None:
    good.answer("notices", "notices", json={"items": []})
    page = visitor.get("/api/home")
    assert (page.json["notice"], missing(page)) == (None, [])


@pytest.mark.parametrize("reply", ANOTHER_FORM)
def test_an_answer_without_a_list_of_notices_is_a_failure(
    good: Backends, visitor: FlaskClient, reply: dict[str, object]
) -> None:
    good.answer("notices", "notices", **reply)
    page = visitor.get("/api/home")
    assert missing(page) == [("shell.notice", "bad-reply", 502, ["notice"])]
    assert (page.json["notice"], page.json["todos"]) == (None, [SHOWN])


def test_a_notice_is_asked_for_once_in_a_while(good: Backends, visitor: FlaskClient) -> None:
    assert [visitor.get("/api/home").json["notice"]["en"] for _ in range(2)] == ["Hello", "Hello"]
    assert len(good.calls("notices")) == 1


def test_people_who_are_gone_are_null(good: Backends, visitor: FlaskClient) -> None:
    good.answer("people", "people", json=listed(pictured(LIN, "lin_1.png")))
    page = visitor.get("/api/home")
    assert page.json["todos"] == [SHOWN | {"owner": None}]
    assert missing(page) == []


@pytest.mark.parametrize("other", [{"name": "nobody"}, 5])
def test_people_of_another_form_leave_all_names_out(
    good: Backends, visitor: FlaskClient, other: object
) -> None:
    good.answer("people", "people", json=listed(pictured(LIN, "lin_1.png"), other))
    page = visitor.get("/api/home")
    assert missing(page) == [("people", "bad-reply", 502, ["todos[*].owner", "todos[*].helper"])]
    assert page.json["todos"] == [SHOWN | {"owner": None, "helper": None}]


@pytest.mark.parametrize("collection", ["todo_list", "todo_counts"])
def test_no_rows_are_an_empty_page(good: Backends, visitor: FlaskClient, collection: str) -> None:
    good.answer("todos", collection, json=listed())
    page = visitor.get("/api/home")
    assert missing(page) == []
    if collection == "todo_list":
        assert page.json["todos"] == []
    else:
        assert page.json["counts"] == {"open": 0, "done": 0, "paused": 0, "closed": 0}


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ("status=x&page=0", ["#/query/status", "#/query/page"]),
        ("sort=x&per_page=101&q=" + "x" * 101, ["#/query/q", "#/query/sort", "#/query/per_page"]),
        ("page=100001&per_page=0", ["#/query/page", "#/query/per_page"]),
        ("page=one", ["#/query/page"]),
    ],
)
def test_all_mistakes_are_named_and_no_backend_is_asked(
    backends: Backends, visitor: FlaskClient, query: str, pointers: list[str]
) -> None:
    assert mistakes(visitor.get(f"/api/home?{query}")) == pointers
    assert backends.calls() == []
