"""The project's own pages on the real backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from clients.local.pocketbase import Backend, temporary
from clients.local.seed import record_id

pytestmark = pytest.mark.backend

Site = Callable[[str], Any]


@pytest.fixture
def visitor(seeded_backend: Backend, site: Site) -> Any:
    """Somebody who looks at the seeded todos."""
    return site(seeded_backend.url)


def _titles(page: Any) -> list[str]:
    assert page.status_code == 200, page.text
    return [todo["title"] for todo in page.json["todos"]]


# --- home -----------------------------------------------------------------------------------------------------


def test_home_joins_todos_with_their_people(visitor: Any) -> None:
    page = visitor.get("/api/home?q=invoices")
    assert page.status_code == 200
    assert page.json["todos"] == [
        {
            "id": record_id("todo", 2),
            "title": "Archive last year's invoices",
            "note": "",
            "status": "done",
            "due": page.json["todos"][0]["due"],
            "finished": page.json["todos"][0]["finished"],
            "created": page.json["todos"][0]["created"],
            "owner": {"id": record_id("person", "ada"), "name": "Ada Novak"},
            "helper": None,
        }
    ]
    assert len(page.json["todos"][0]["due"]) == 10


def test_home_counts_each_status_and_all_that_was_found(visitor: Any) -> None:
    page = visitor.get("/api/home?status=paused&per_page=2").json
    assert page["counts"] == {"open": 21, "done": 12, "paused": 5, "closed": 4}
    assert (page["total"], page["pages"], page["page"], page["per_page"]) == (5, 3, 1, 2)
    assert page["errors"] == []


def test_home_shows_the_latest_notice_that_is_out(visitor: Any) -> None:
    notice = visitor.get("/api/home").json["notice"]
    assert notice["zh"] == "周五办公室关闭，请调整当天到期的任务。"
    assert notice["en"].startswith("The office is closed on Friday")


def test_every_todo_is_on_exactly_one_page(visitor: Any) -> None:
    pages = [_titles(visitor.get(f"/api/home?per_page=10&page={number}")) for number in range(1, 6)]
    assert [len(page) for page in pages] == [10, 10, 10, 10, 2]
    assert len({title for page in pages for title in page}) == 42


def test_a_page_holds_more_rows_than_the_backend_gives_unasked(visitor: Any) -> None:
    assert len(_titles(visitor.get("/api/home?per_page=100"))) == 42


def test_a_page_after_the_last_is_empty(visitor: Any) -> None:
    assert _titles(visitor.get("/api/home?page=99")) == []


@pytest.mark.parametrize("status", ["open", "done", "paused", "closed"])
def test_a_status_shows_only_its_todos(visitor: Any, status: str) -> None:
    todos = visitor.get(f"/api/home?status={status}&per_page=100").json["todos"]
    assert todos
    assert {todo["status"] for todo in todos} == {status}


def test_due_first_puts_todos_without_a_date_last(visitor: Any) -> None:
    due = [todo["due"] for todo in visitor.get("/api/home?sort=due&per_page=100").json["todos"]]
    dated = [date for date in due if date]
    assert dated == sorted(dated)
    assert due == dated + [None] * (len(due) - len(dated))
    assert None in due


def test_titles_can_order_the_list(visitor: Any) -> None:
    titles = _titles(visitor.get("/api/home?sort=title&per_page=100"))
    assert titles == sorted(titles, key=lambda title: title.encode())


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("50%25", {"翻译帮助中心的文章", "Cut the image sizes by 50%"}),
        ("%25", {"翻译帮助中心的文章", "Cut the image sizes by 50%"}),
        ("_", {"Remove the feature_flag_old switch"}),
        ("flag_old", {"Remove the feature_flag_old switch"}),
        ("year%27s", {"Archive last year's invoices"}),
        ("%22forgot", {'Write a test for the "forgot password" mail'}),
        ("%E6%A4%8D%E7%89%A9", {"给植物浇水"}),
        ("CLEAN THE", {"Clean the coffee machine"}),
        ("%5C", set()),
        ("%27 || id != %27", set()),
        ("%5C%27 || 1=1 //", set()),
        ("||", set()),
        ("//", set()),
        ("%00", set()),
        ("%25%00", set()),
        ("%01", set()),
    ],
)
def test_a_search_finds_what_it_says_and_nothing_else(visitor: Any, query: str, titles: set[str]) -> None:
    assert set(_titles(visitor.get(f"/api/home?per_page=100&q={query}"))) == titles


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("status=gone", "#/query/status"),
        ("sort=password", "#/query/sort"),
        ("page=0", "#/query/page"),
        ("page=x", "#/query/page"),
        ("per_page=101", "#/query/per_page"),
        ("q=" + "x" * 101, "#/query/q"),
    ],
)
def test_input_that_does_not_fit_is_named(visitor: Any, query: str, pointer: str) -> None:
    page = visitor.get(f"/api/home?{query}")
    assert page.status_code == 400
    assert [error["pointer"] for error in page.json["errors"]] == [pointer]


def test_all_people_of_a_large_page_come_in_one_request(backend_program: object, site: Site) -> None:
    with temporary() as backend:
        people = [backend.add("people", name=f"P{n}", email=f"p{n}@example.com")["id"] for n in range(40)]
        for number in range(100):
            helper = people[number % 40]
            backend.add("todos", title=f"T{number}", status="open", helper=helper, owner=people[0])
        page = site(backend.url).get("/api/home?per_page=100")
    assert len(page.json["todos"]) == 100
    assert {todo["helper"]["name"] for todo in page.json["todos"]} == {f"P{n}" for n in range(40)}


def test_an_empty_backend_makes_an_empty_page(backend: Backend, site: Site) -> None:
    page = site(backend.url).get("/api/home")
    assert page.status_code == 200
    assert page.json == {
        "todos": [],
        "page": 1,
        "per_page": 20,
        "pages": 0,
        "total": 0,
        "counts": {"open": 0, "done": 0, "paused": 0, "closed": 0},
        "notice": None,
        "errors": [],
    }
    assert "X-Page-Partial" not in page.headers


# --- todo -----------------------------------------------------------------------------------------------------


def test_a_todo_comes_with_its_comments_and_their_authors(visitor: Any) -> None:
    page = visitor.get(f"/api/todos/{record_id('todo', 22)}")
    assert page.status_code == 200
    assert page.json["title"] == "Prepare the quarterly review / 准备季度回顾"
    assert page.json["owner"]["name"] == "Ada Novak"
    assert page.json["helper"]["name"] == "林悦 Lin Yue"
    assert [(said["author"]["name"], said["text"]) for said in page.json["comments"]] == [
        ("林悦 Lin Yue", "上一季度的模板在文档库里。"),
        ("Noor Haddad", "Numbers are coming tomorrow."),
        ("Ada Novak", "Thank you both. 谢谢！"),
    ]


def test_a_todo_has_more_comments_than_the_backend_gives_unasked(backend: Backend, site: Site) -> None:
    todo = backend.add("todos", title="Talked about", status="open")["id"]
    for number in range(35):
        backend.add("comments", todo=todo, text=f"{number}")
    comments = site(backend.url).get(f"/api/todos/{todo}").json["comments"]
    assert [comment["text"] for comment in comments] == [f"{number}" for number in range(35)]


@pytest.mark.parametrize("name", ["nosuchtodo00000", "x", "%27", "todo%20x", "待办"])
def test_a_todo_that_is_not_there_is_404(visitor: Any, name: str) -> None:
    page = visitor.get(f"/api/todos/{name}")
    assert page.status_code == 404
    assert page.mimetype == "application/problem+json"
    assert page.json["type"] == "urn:bff:problem:not-found"


# --- add_todo -------------------------------------------------------------------------------------------------


def test_a_new_todo_is_the_first_of_the_list(backend: Backend, site: Site) -> None:
    helper = backend.add("people", name="陈浩", email="chen@example.com")["id"]
    visitor = site(backend.url)
    added = visitor.post(
        "/api/todos", json={"title": "  买牛奶  ", "note": "2 l", "due": "2026-12-24", "helper": helper}
    )
    assert added.status_code == 201
    assert added.headers["Location"] == f"/api/todos/{added.json['id']}"
    first = visitor.get("/api/home").json["todos"][0]
    assert first | {"created": None} == {
        "id": added.json["id"],
        "title": "买牛奶",
        "note": "2 l",
        "status": "open",
        "due": "2026-12-24",
        "finished": None,
        "created": None,
        "owner": None,
        "helper": {"id": helper, "name": "陈浩"},
    }


def test_members_that_are_not_asked_for_are_dropped(backend: Backend, site: Site) -> None:
    body = {"title": "Mine", "status": "closed", "id": "chosenbyvisitor", "finished": "2020-01-01"}
    added = site(backend.url).post("/api/todos", json=body)
    assert added.status_code == 201
    row = backend.rows("todos")[0]
    assert (row["status"], row["finished"], row["id"] == "chosenbyvisitor") == ("open", "", False)


@pytest.mark.parametrize("length", [1, 200])
def test_a_title_may_have_up_to_200_characters(backend: Backend, site: Site, length: int) -> None:
    added = site(backend.url).post("/api/todos", json={"title": "字" * length})
    assert added.status_code == 201
    assert added.json["title"] == "字" * length


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/body/title"),
        ({"title": ""}, "#/body/title"),
        ({"title": "   "}, "#/body/title"),
        ({"title": "字" * 201}, "#/body/title"),
        ({"title": 7}, "#/body/title"),
        ({"title": "x", "due": "tomorrow"}, "#/body/due"),
        ({"title": "x", "due": "2026-02-30"}, "#/body/due"),
        ({"title": "x", "helper": "' || 1"}, "#/body/helper"),
    ],
)
def test_a_todo_that_does_not_fit_is_not_written(
    backend: Backend, site: Site, body: dict[str, Any], pointer: str
) -> None:
    answer = site(backend.url).post("/api/todos", json=body)
    assert answer.status_code == 400
    assert pointer in [error["pointer"] for error in answer.json["errors"]]
    assert backend.rows("todos") == []


def test_a_helper_who_does_not_exist_is_422(backend: Backend, site: Site) -> None:
    answer = site(backend.url).post("/api/todos", json={"title": "x", "helper": "nobody000000000"})
    assert answer.status_code == 422
    assert answer.json["type"] == "urn:bff:problem:unprocessable"


# --- a backend in trouble -------------------------------------------------------------------------------------


def test_a_backend_that_hangs_is_504_within_the_deadline(backend: Backend, site: Site) -> None:
    import time

    visitor = site(backend.url)
    backend.pause()
    try:
        begun = time.monotonic()
        page = visitor.get("/api/home")
        took = time.monotonic() - begun
    finally:
        backend.resume()
    assert page.status_code == 504
    assert page.json["type"] == "urn:bff:problem:backend-timeout"
    assert took < 3.2
    assert visitor.get("/api/home").status_code == 200


def test_a_backend_that_is_down_is_502(backend_program: object, site: Site) -> None:
    with temporary() as backend:
        visitor = site(backend.url)
    page = visitor.get("/api/home")
    assert page.status_code == 502
    assert page.json["type"] == "urn:bff:problem:backend-failed"
    assert backend.url not in page.text


def test_todos_are_shown_without_the_names_of_people_who_cannot_be_asked(
    seeded_backend: Backend, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bff import create_app
    from tests.conftest import ROOT

    with temporary() as gone:
        down = gone.url
    environ = {"TODOS_URL": seeded_backend.url, "PEOPLE_URL": down, "NOTICES_URL": down}
    page = create_app(ROOT, environ=environ).test_client().get("/api/home")
    assert page.status_code == 200
    assert len(page.json["todos"]) == 20
    assert {todo["owner"] for todo in page.json["todos"]} == {None}
    assert page.headers["X-Page-Partial"] == "notice, people"
    assert {error["step"]: error["kind"] for error in page.json["errors"]} == {
        "notice": "refused",
        "people": "refused",
    }
