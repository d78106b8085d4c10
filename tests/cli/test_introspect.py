"""`bff introspect`: a backend asked through the reads of pages, never by a write."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from bff.cli import main
from bff.recipe.contracts.types_file import HEADER
from tests.fakes import FakeBackend, answer
from tests.project import write_project

RECIPES = {
    "page": """
        route: GET /api/page/{id}
        auth: none
        input: {query: {sort: {type: string, default: name}}}
        steps:
          found: {client: people, get: "/people/{path.id}", query: {sort: query.sort}}
          more: {client: people, get: "/more", when: found.more}
          ping: {client: people, get: "/ping", take: reply.status}
          other: {client: todos, get: "/todos", fallback: null}
        shape: {name: found.name, ping: ping, more: more.name, other: other.id}
        """,
    "write": """
        route: POST /api/write
        auth: none
        input: {body: {type: object, required: [name], properties: {name: {type: string}}}}
        steps:
          before: {client: people, get: "/before", fallback: {}}
          sought: {client: people, post: "/search", safe: true, body: {q: body.name}}
          made: {client: people, post: "/people", body: {name: body.name}}
          after: {client: people, get: "/people/{made.id}"}
        shape: {id: after.id, before: before.id, sought: "[one.id for one in sought.items]"}
        """,
}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """A command ends with its process; here others follow it."""
    before = logging.getLogger("bff").handlers[:]
    yield
    logging.getLogger("bff").handlers[:] = before


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBackend]:
    with FakeBackend() as backend:
        monkeypatch.setenv("PEOPLE_URL", backend.url)
        monkeypatch.setenv("TODOS_URL", backend.url)
        backend.on("GET /people/7", answer(json={"name": "Ann", "more": False}))
        backend.on("GET /ping", answer(json="pong"))
        backend.on("GET /todos", answer(json={"id": 1}))
        backend.on("GET /before", answer(503))
        backend.on("POST /search", answer(json={"items": [{"id": 1, "name": "Ann"}]}))
        yield backend


def introspect(root: Path, *arguments: str) -> int:
    return main(["--root", str(root), "introspect", *arguments])


def rows(text: str) -> list[list[str]]:
    """The columns of a table."""
    return [[part.strip() for part in line.split("  ") if part.strip()] for line in text.splitlines()]


def test_what_was_asked_and_learned_is_a_table(
    tmp_path: Path, backend: FakeBackend, capsys: pytest.CaptureFixture[str]
) -> None:
    write_project(tmp_path, RECIPES)
    assert introspect(tmp_path, "people", "-q", "id=7", "-d", '{"name": "Ann"}') == 1
    out, err = capsys.readouterr()
    assert out == (
        "page   found   GET /people/{id}  learned\n"
        "page   more    GET /more         not asked: its condition was false, or it had nothing to ask for\n"
        "page   ping    GET /ping         nothing of its reply is read\n"
        "write  before  GET /before       failed: status 503\n"
        "write  sought  POST /search      learned\n"
        "write  made    POST /people      not asked: it writes\n"
        "write  after   GET /people/{id}  not asked: it comes after a write\n"
    )
    assert err == (
        "clients/people.types.yaml: learned GET /people/{id}\n"
        "clients/people.types.yaml: learned POST /search\n"
    )
    assert (tmp_path / "clients" / "people.types.yaml").read_text() == HEADER + (
        "\nGET /people/{id}:\n  type: object\n  properties:\n    name: {type: string}\n    more: {type: boolean}\n"
        "\nPOST /search:\n  type: object\n  properties:\n    items:\n      type: array\n      items:\n"
        "        type: object\n        properties:\n          id: {type: integer}\n"
    )


def test_no_write_is_sent(tmp_path: Path, backend: FakeBackend) -> None:
    write_project(tmp_path, RECIPES)
    introspect(tmp_path, "people", "write", "-d", '{"name": "Ann"}')
    assert sorted({f"{one.method} {one.path}" for one in backend.requests}) == ["GET /before", "POST /search"]


def test_all_is_well_where_nothing_is_left_to_learn(tmp_path: Path, backend: FakeBackend) -> None:
    backend.on("GET /people/7", answer(json={"name": "Ann", "more": True}))
    backend.on("GET /more", answer(json={"name": "x"}))
    write_project(tmp_path, RECIPES)
    assert introspect(tmp_path, "people", "page", "-q", "id=7") == 0


def test_good_input_stands_in_the_files_of_pages(tmp_path: Path, backend: FakeBackend) -> None:
    write_project(tmp_path, RECIPES)
    (tmp_path / "tests" / "pages").mkdir(parents=True)
    (tmp_path / "tests" / "pages" / "page.yaml").write_text("request: {path: {id: 7}, query: {sort: age}}\n")
    (tmp_path / "tests" / "pages" / "write.yaml").write_text("request: {body: {name: Bob}}\n")
    introspect(tmp_path, "people")
    asked = {one.path: one for one in backend.requests}
    assert asked["/people/7"].target == "/people/7?sort=age"
    assert json.loads(asked["/search"].body) == {"q": "Bob"}


def test_what_a_page_needs_is_said(
    tmp_path: Path, backend: FakeBackend, capsys: pytest.CaptureFixture[str]
) -> None:
    write_project(tmp_path, RECIPES)
    assert introspect(tmp_path, "people") == 1
    found = {row[1]: row[3] for row in rows(capsys.readouterr().out)}
    assert found["found"] == "not asked: /api/page/{id} needs id: -q id=…"
    assert found["sought"] == "not asked: the page refused its request, with 400"


def test_who_asks_is_said(tmp_path: Path, backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = RECIPES["page"].replace("auth: none", "auth: required")
    write_project(tmp_path, {"page": recipe})
    assert introspect(tmp_path, "people", "-q", "id=7") == 1
    found = {row[1]: row[3] for row in rows(capsys.readouterr().out)}
    assert found["found"] == "not asked: nobody has signed in; --as FILE says who asks"
    visitor = tmp_path / "visitor.json"
    visitor.write_text('{"user": {"id": "1"}}')
    introspect(tmp_path, "people", "-q", "id=7", "--as", str(visitor))
    assert {row[1]: row[3] for row in rows(capsys.readouterr().out)}["found"] == "learned"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["peple"], "bff: no client peple; did you mean people?  there are: notices, people, todos\n"),
        (["people", "pge"], "bff: no page pge; did you mean page?  there are: page, write\n"),
    ],
)
def test_what_is_not_there_is_told(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_project(tmp_path, RECIPES)
    assert introspect(tmp_path, *arguments) == 2
    assert capsys.readouterr().err == said


def test_a_client_that_no_page_asks_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_project(tmp_path, {"write": RECIPES["write"]})
    assert introspect(tmp_path, "notices") == 1
    assert capsys.readouterr() == ("", "no page asks clients/notices.py\n")
