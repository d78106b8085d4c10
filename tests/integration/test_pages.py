"""The project's own pages on the real backend, with the rows of a first start."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from clients.local.pocketbase import Backend, temporary
from clients.local.seed import record_id
from tests.integration.conftest import signed_in, signed_up
from tests.quick_backend import quick
from tests.servers import PATIENCE

pytestmark = pytest.mark.backend

Site = Callable[..., FlaskClient]


@pytest.fixture(scope="module")
def shared(backend_program: object) -> Iterator[Backend]:
    """A PocketBase for visitors who sign up and see nothing but their own."""
    with quick() as running:
        yield running


def _page(visitor: FlaskClient, path: str) -> Any:
    answer = visitor.get(path)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


# --- home -----------------------------------------------------------------------------------------------------


def test_home_joins_todos_with_their_people(lin: FlaskClient) -> None:
    page = _page(lin, "/api/home?q=invoices")
    [todo] = page["todos"]
    assert len(todo["due"]) == 10
    pictures = {role: todo[role].pop("picture") for role in ("owner", "helper")}
    assert re.fullmatch(r"ada_\w+\.png", pictures["owner"])  # PocketBase gives each file a name of its own
    assert re.fullmatch(r"lin_\w+\.png", pictures["helper"])
    assert todo == {
        "id": record_id("todo", 2),
        "title": "Archive last year's invoices",
        "note": "",
        "status": "done",
        **{key: todo[key] for key in ("due", "finished", "created", "updated")},
        "owner_id": record_id("person", "ada"),
        "helper_id": record_id("person", "lin"),
        "owner": {"id": record_id("person", "ada"), "name": "Ada Novak"},
        "helper": {"id": record_id("person", "lin"), "name": "林悦 Lin Yue"},
    }


def test_home_counts_each_status_of_the_visitors_todos_and_all_that_was_found(lin: FlaskClient) -> None:
    page = _page(lin, "/api/home?status=open&per_page=4")
    assert page["counts"] == {"open": 14, "done": 8, "paused": 2, "closed": 1}
    assert (page["total"], page["pages"], page["page"], page["per_page"]) == (14, 4, 1, 4)
    assert page["errors"] == []


def test_everybody_sees_todos_of_their_own(seeded_backend: Backend, site: Site) -> None:
    totals = {}
    for key in ("lin", "ada", "noor"):
        page = _page(signed_in(site(seeded_backend.url), key), "/api/home?per_page=100")
        mine = record_id("person", key)
        assert all(
            mine in {person["id"] for person in (todo["owner"], todo["helper"]) if person}
            for todo in page["todos"]
        )
        totals[key] = page["total"]
    assert totals == {"lin": 25, "ada": 7, "noor": 7}


def test_home_shows_the_latest_notice_that_is_out(lin: FlaskClient) -> None:
    notice = _page(lin, "/api/home")["notice"]
    assert notice["zh"] == "周五办公室关闭，请调整当天到期的任务。"
    assert notice["en"].startswith("The office is closed on Friday")


def test_every_todo_is_on_exactly_one_page(lin: FlaskClient) -> None:
    pages = [_page(lin, f"/api/home?per_page=10&page={number}")["todos"] for number in range(1, 5)]
    assert [len(page) for page in pages] == [10, 10, 5, 0]
    assert len({todo["id"] for page in pages for todo in page}) == 25


@pytest.mark.parametrize("status", ["open", "done", "paused", "closed"])
def test_a_status_shows_only_its_todos(lin: FlaskClient, status: str) -> None:
    todos = _page(lin, f"/api/home?status={status}&per_page=100")["todos"]
    assert todos
    assert {todo["status"] for todo in todos} == {status}


def test_all_people_of_a_large_page_come_in_one_request(shared: Backend, site: Site) -> None:
    """More rows than the 30 that PocketBase gives unasked, of todos and of people."""
    visitor, ann = signed_up(site(shared.url), "Busy")
    people = [shared.add("people", name=f"P{n}", email=f"p{n}@example.com")["id"] for n in range(35)]
    for number in range(50):
        shared.add("todos", title=f"T{number}", status="open", owner=ann["id"], helper=people[number % 35])
    page = _page(visitor, "/api/home?per_page=100")
    assert len(page["todos"]) == 50
    assert {todo["helper"]["name"] for todo in page["todos"]} == {f"P{n}" for n in range(35)}


def test_an_empty_backend_makes_an_empty_page(backend: Backend, site: Site) -> None:
    visitor, ann = signed_up(site(backend.url))
    page = visitor.get("/api/home")
    assert page.get_json() == {
        "me": {**ann, "picture": None},
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


# --- the other pages ------------------------------------------------------------------------------------------


def test_a_todo_comes_with_its_comments_and_their_authors(lin: FlaskClient) -> None:
    page = _page(lin, f"/api/todos/{record_id('todo', 22)}")
    assert page["title"] == "Prepare the quarterly review / 准备季度回顾"
    assert page["owner"]["name"] == "Ada Novak"
    assert page["helper"]["name"] == "林悦 Lin Yue"
    assert [(said["author"]["name"], said["text"]) for said in page["comments"]] == [
        ("林悦 Lin Yue", "上一季度的模板在文档库里。"),
        ("Noor Haddad", "Numbers are coming tomorrow."),
        ("Ada Novak", "Thank you both. 谢谢！"),
    ]


def test_a_todo_has_more_comments_than_the_backend_gives_unasked(shared: Backend, site: Site) -> None:
    visitor, ann = signed_up(site(shared.url), "Talker")
    todo = shared.add("todos", title="Talked about", status="open", owner=ann["id"])["id"]
    for number in range(35):
        shared.add("comments", todo=todo, text=f"{number}")
    comments = _page(visitor, f"/api/todos/{todo}")["comments"]
    assert [comment["text"] for comment in comments] == [f"{number}" for number in range(35)]


@pytest.mark.parametrize("name", ["nosuchtodo00000", "todo00000000003", "x", "%27", "todo%20x", "待办"])
def test_a_todo_that_is_not_there_or_not_the_visitors_is_404(lin: FlaskClient, name: str) -> None:
    page = lin.get(f"/api/todos/{name}")
    assert page.status_code == 404
    assert page.mimetype == "application/problem+json"
    assert page.get_json()["type"] == "urn:bff:problem:not-found"


def test_statistics_count_what_home_counts(lin: FlaskClient) -> None:
    stats, home = _page(lin, "/api/stats"), _page(lin, "/api/home")
    assert stats["statuses"] == home["counts"]
    assert sum(person["total"] for person in stats["people"]) == 25
    assert sum(day["finished"] for day in stats["days"]) == 8
    assert len(stats["days"]) == 14


@pytest.mark.parametrize("length", [1, 200])
def test_a_title_may_have_up_to_200_characters(shared: Backend, site: Site, length: int) -> None:
    visitor, _ = signed_up(site(shared.url), f"Titles{length}")
    added = visitor.post("/api/todos", json={"title": "字" * length})
    assert added.status_code == 201
    assert added.get_json()["title"] == "字" * length


def test_a_helper_who_does_not_exist_is_422(shared: Backend, site: Site) -> None:
    before = len(shared.rows("todos"))
    visitor, _ = signed_up(site(shared.url), "Helpless")
    answer = visitor.post("/api/todos", json={"title": "x", "helper": "nobody000000000"})
    assert answer.status_code == 422
    assert answer.get_json()["type"] == "urn:bff:problem:unprocessable"
    assert len(shared.rows("todos")) == before


# --- a backend in trouble -------------------------------------------------------------------------------------


def test_a_backend_that_hangs_is_504_within_the_deadline(shared: Backend, site: Site) -> None:
    visitor, _ = signed_up(site(shared.url), "Patient")
    shared.pause()
    try:
        begun = time.monotonic()
        page = visitor.get("/api/home")
        took = time.monotonic() - begun
    finally:
        shared.resume()
    assert page.status_code == 504
    assert page.get_json()["type"] == "urn:bff:problem:backend-timeout"
    assert took < PATIENCE  # it has 3 s; what a busy machine adds is no fault
    assert visitor.get("/api/home").status_code == 200


def test_a_backend_that_is_down_is_502_and_signs_nobody_out(site: Site, backend_program: object) -> None:
    with temporary() as backend:
        visitor, _ = signed_up(site(backend.url))
    page = visitor.get("/api/home")
    assert page.status_code == 502
    assert page.get_json()["type"] == "urn:bff:problem:backend-failed"
    assert backend.url not in page.text
    assert "Set-Cookie" not in page.headers


def test_todos_are_shown_without_the_notice_when_its_backend_is_down(
    seeded_backend: Backend, site: Site
) -> None:
    with temporary() as gone:
        down = gone.url
    page = signed_in(site(seeded_backend.url, NOTICES_URL=down), "lin").get("/api/home")
    assert page.status_code == 200
    assert len(page.get_json()["todos"]) == 20
    assert page.headers["X-Page-Partial"] == "shell.notice"
    [error] = page.get_json()["errors"]
    assert (error["step"], error["kind"], error["fields"]) == ("shell.notice", "refused", ["notice"])
