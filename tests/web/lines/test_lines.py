"""A page in lines: when each goes out, what it holds, and that all of them are the whole page."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from bff.testing.lines import assembled
from tests.fakes import PATIENCE, FakeBackend, after, answer, hang
from tests.web.lines.pages import LINES, PAGE, PEOPLE, Make, lines


def test_the_first_line_goes_out_while_the_parts_still_hang(page: Make, backend: FakeBackend) -> None:
    people, notice = threading.Event(), threading.Event()
    backend.on("GET /people", after(people, answer(json=PEOPLE)))
    backend.on("GET /notice", after(notice, answer(json={"text": "Hello"})))
    with page().get("/api/page", headers=LINES) as found:
        arriving = map(json.loads, found.response)
        assert next(arriving) == {
            "page": {
                "todos": [{"id": 1, "owner": None}, {"id": 2, "owner": None}],
                "notice": None,
                "errors": [],
            },
            "pending": ["people", "notice"],
        }
        notice.set()
        assert next(arriving) == {
            "steps": ["notice"],
            "patch": [{"op": "replace", "path": "/notice", "value": "Hello"}],
            "pending": ["people"],
        }
        people.set()
        assert next(arriving) == {
            "steps": ["people"],
            "patch": [
                {"op": "replace", "path": "/todos/0/owner", "value": "Ann"},
                {"op": "replace", "path": "/todos/1/owner", "value": "Bob"},
            ],
            "pending": [],
        }
        assert list(arriving) == [{"complete": True, "partial": []}]


def test_a_part_that_fails_names_its_step_and_brings_the_problem_and_the_fallback(
    page: Make, backend: FakeBackend
) -> None:
    failing = threading.Event()
    backend.on("GET /notice", after(failing, answer(500)))
    with page().get("/api/page", headers=LINES) as found:
        arriving = map(json.loads, found.response)
        begun = [next(arriving)]
        if begun[0]["pending"] == ["people", "notice"]:
            begun.append(next(arriving))
        failing.set()
        failed, last = arriving
    entry = {
        "type": "urn:bff:problem:backend-failed",
        "title": "A backend failed",
        "status": 502,
        "detail": "'notice' could not be loaded.",
        "step": "notice",
        "retryable": True,
        "kind": "status",
        "fields": ["notice"],
    }
    assert failed["errors"][0] | {"detail": ""} == entry | {"detail": ""}
    assert failed == {
        "steps": ["notice"],
        "patch": [{"op": "add", "path": "/errors/0", "value": failed["errors"][0]}],
        "errors": failed["errors"],
        "pending": [],
    }
    assert last == {"complete": True, "partial": ["notice"]}


def test_all_lines_together_are_the_whole_page(page: Make) -> None:
    client = page()
    with client.get("/api/page", headers=LINES) as found:
        together = assembled(found.text)
    assert together.page == client.get("/api/page").json
    assert (together.complete, together.problem, together.partial) == (True, None, ())


@pytest.mark.parametrize(
    ("accept", "in_lines"),
    [
        ("application/x-ndjson", True),
        ("application/x-ndjson, application/json;q=0.9", True),
        ("application/x-ndjson, */*", True),
        ("application/x-ndjson;q=0.5, */*;q=0.1", True),
        ("Application/X-NDJSON; charset=utf-8", True),
        ("application/x-ndjson, application/json", False),
        ("application/x-ndjson;q=0.5, application/json", False),
        ("application/x-ndjson;q=0.5, */*", False),
        ("application/x-ndjson;q=0", False),
        ("application/*", False),
        ("application/json", False),
        ("*/*", False),
        ("", False),
        ("nonsense", False),
    ],
)
def test_lines_are_for_those_that_name_and_prefer_them(accept: str, in_lines: bool, page: Make) -> None:
    with page().get("/api/page", headers={"Accept": accept}) as found:
        kind = "application/x-ndjson" if in_lines else "application/json"
        assert (found.mimetype, found.vary.to_header()) == (kind, "Accept")


def test_a_page_that_defers_nothing_is_json_whatever_is_asked_for(page: Make) -> None:
    with page(PAGE.replace("defer: true", "defer: false")).get("/api/page", headers=LINES) as found:
        assert (found.mimetype, "Vary" in found.headers) == ("application/json", False)


def test_lines_are_kept_by_nobody_and_held_back_by_no_proxy(page: Make) -> None:
    client = page(PAGE.replace("deadline: 10s", "deadline: 10s\n    cache: 5m"))
    with client.get("/api/page", headers=LINES) as found:
        assert found.headers["Cache-Control"] == "no-store"
        assert found.headers["X-Accel-Buffering"] == "no"
        assert found.headers["X-Content-Type-Options"] == "nosniff"
        assert found.headers["X-Request-ID"]
        assert {"ETag", "Content-Length"}.isdisjoint(found.headers)
    assert "max-age=300" in client.get("/api/page").headers["Cache-Control"]


def test_what_ends_the_page_before_its_first_line_is_a_problem_with_its_status(
    page: Make, backend: FakeBackend
) -> None:
    backend.on("GET /todos", answer(404))
    with page().get("/api/page", headers=LINES) as found:
        assert (found.status_code, found.mimetype) == (404, "application/problem+json")
        assert (found.json["step"], found.headers["Cache-Control"]) == ("todos", "no-store")


def test_what_had_failed_before_the_first_line_is_in_its_header(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /people", answer(500))
    recipe = PAGE.replace("fallback: {}\n        defer: true", "fallback: {}")
    with page(recipe).get("/api/page", headers=LINES) as found:
        assert found.headers["X-Page-Partial"] == "people"
        assert json.loads(found.text.splitlines()[-1]) == {"complete": True, "partial": ["people"]}


def test_at_the_deadline_what_is_missing_falls_back_and_the_page_ends(
    page: Make, backend: FakeBackend
) -> None:
    backend.on("GET /people", hang)
    backend.on("GET /notice", hang)
    found = lines(
        page(PAGE.replace("deadline: 10s", "deadline: 400ms").replace("timeout: 9s", "timeout: 400ms"))
    )
    assert found[0]["pending"] == ["people", "notice"]
    assert {step for line in found[1:-1] for step in line["steps"]} == {"people", "notice"}
    assert {error["kind"] for line in found[1:-1] for error in line["errors"]} == {"timeout"}
    assert found[-1] == {"complete": True, "partial": ["people", "notice"]}


READERS = """
    route: GET /api/page
    auth: none
    deadline: 10s
    steps:
      notice: {client: notices, get: /notice, timeout: 9s, fallback: null, defer: true}
      author_id:
        value: notice.author
      author: {client: people, get: "/people/{author_id}", timeout: 9s, fallback: null}
      both:
        value: {kept: f"yes", late: author.name}
    shape: both
    """


def test_what_reads_a_deferred_step_is_deferred_with_it(page: Make, backend: FakeBackend) -> None:
    notice, author = threading.Event(), threading.Event()
    backend.on("GET /notice", after(notice, answer(json={"author": "a"})))
    backend.on("GET /people/a", after(author, answer(json={"name": "Ann"})))
    with page(READERS).get("/api/page", headers=LINES) as found:
        arriving = map(json.loads, found.response)
        # A value that waits for a part is made of what is there already.
        assert next(arriving) == {"page": {"kept": "yes", "late": None}, "pending": ["notice", "author"]}
        notice.set()
        assert next(arriving) == {"steps": ["notice"], "patch": [], "pending": ["author"]}
        author.set()
        assert next(arriving)["patch"] == [{"op": "replace", "path": "/late", "value": "Ann"}]


def test_a_kept_reply_is_in_the_first_line(page: Make, backend: FakeBackend) -> None:
    recipe = """
        route: GET /api/page
        auth: none
        steps:
          notice: {client: notices, get: /notice, cache: 60s, fallback: null, defer: true}
        shape: notice
        """
    client = page(recipe)
    assert client.get("/api/page").json == {"text": "Hello"}
    assert lines(client) == [
        {"page": {"text": "Hello"}, "pending": []},
        {"complete": True, "partial": []},
    ]


def test_a_part_that_is_kept_comes_with_the_one_that_it_reads(page: Make, backend: FakeBackend) -> None:
    recipe = """
        route: GET /api/page
        auth: none
        deadline: 10s
        steps:
          notice: {client: notices, get: /notice, timeout: 9s, fallback: null, defer: true}
          person: {client: people, get: "/people/{notice.text}", cache: 60s, fallback: null}
        shape: {notice: notice.text, name: person.name}
        """
    backend.on("GET /people/Hello", answer(json={"name": "Ann"}))
    client = page(recipe)
    assert client.get("/api/page").json == {"notice": "Hello", "name": "Ann"}
    hanging = threading.Event()
    backend.on("GET /notice", after(hanging, answer(json={"text": "Hello"})))
    with client.get("/api/page", headers=LINES) as found:
        arriving = map(json.loads, found.response)
        pending = ["notice", "person"]
        assert next(arriving) == {"page": {"notice": None, "name": None}, "pending": pending}
        hanging.set()
        assert next(arriving)["steps"] == pending
        assert next(arriving) == {"complete": True, "partial": []}


def test_a_part_of_another_recipe_can_be_deferred(page: Make, backend: FakeBackend) -> None:
    hanging = threading.Event()
    backend.on("GET /notice", after(hanging, answer(json={"text": "Hello"})))
    shell = """
        auth: none
        steps:
          me: {client: people, get: /me}
          notice: {client: notices, get: /notice, timeout: 2s, fallback: null, defer: true}
        shape: {name: me.name, notice: notice.text}
        """
    outer = """
        route: GET /api/page
        auth: none
        steps:
          shell: {recipe: shell}
        shape: {name: shell.name, notice: shell.notice}
        """
    backend.on("GET /me", answer(json={"name": "Ann"}))
    with page({"shell": shell, "page": outer}).get("/api/page", headers=LINES) as found:
        arriving = map(json.loads, found.response)
        first = {"page": {"name": "Ann", "notice": None}, "pending": ["shell.notice"]}
        assert next(arriving) == first
        hanging.set()
        assert next(arriving)["steps"] == ["shell.notice"]
        assert next(arriving) == {"complete": True, "partial": []}


def test_head_gives_the_head_and_asks_no_more(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /notice", hang)
    backend.on("GET /people", hang)
    with page().head("/api/page", headers=LINES) as found:
        assert (found.status_code, found.mimetype, found.data) == (200, "application/x-ndjson", b"")


def test_when_the_visitor_has_gone_everything_is_given_up(page: Make, backend: FakeBackend) -> None:
    closed = threading.Event()

    def hanging(_: Any, wire: Any) -> None:
        wire.until_closed(PATIENCE)
        closed.set()

    backend.on("GET /notice", hanging)
    backend.on("GET /people", hanging)
    client = page(environ={"BFF_MAX_PAGES": "1", "BFF_THREADS": "17"})
    found = client.get("/api/page", headers=LINES)
    next(iter(found.response))
    assert client.get("/api/page").status_code == 503  # the only place is taken
    found.close()
    assert closed.wait(PATIENCE)
    backend.on("GET /notice", answer(json={}))
    backend.on("GET /people", answer(json=PEOPLE))
    assert client.get("/api/page").status_code == 200
