"""What `bff dev` and `bff introspect` write of replies: types, once, and never a value."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bff.cli import main
from bff.dev.application import DevApp
from bff.dev.learning import Learner
from bff.dev.pages import DevPages
from bff.recipe.contracts.types_file import HEADER
from tests.clock import Clock
from tests.fakes import FakeBackend, answer
from tests.project import write_project

PAGE = """
    route: GET /api/page/{id}
    auth: none
    steps:
      found: {client: people, get: "/people/{path.id}"}
    shape: {name: found.name, friends: "[friend.id for friend in found.friends]"}
    """
ANN = {"id": 7, "name": "Ann", "friends": [{"id": "1"}, {"id": None, "name": "Bob"}], "secret": "s"}
LEARNED = """
GET /people/{id}:
  type: object
  properties:
    name: {type: string}
    friends:
      type: array
      items:
        type: object
        properties:
          id: {type: [string, "null"]}
"""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """A command ends with its process; here others follow it."""
    before = logging.getLogger("bff").handlers[:]
    yield
    logging.getLogger("bff").handlers[:] = before


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBackend]:
    """A backend of people; the project's author is developing."""
    monkeypatch.setenv("FLASK_DEBUG", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    with FakeBackend() as backend:
        monkeypatch.setenv("PEOPLE_URL", backend.url)
        yield backend


class Developing:
    """A project that is served by `bff dev`; `lines` are what its author is told."""

    def __init__(self, root: Path, recipes: dict[str, str], client: str = "") -> None:
        self.lines: list[str] = []
        self.root = write_project(root, recipes, clients={"people": client})
        self.learner = Learner(root, self.lines.append)
        self.app = DevApp(root, DevPages(lambda told: None, self.learner), self.lines.append)

    def get(self, path: str) -> int:
        return self.app._app.test_client().get(path).status_code

    @property
    def file(self) -> Path:
        return self.root / "clients" / "people.types.yaml"


def test_what_pages_are_answered_with_is_learned(tmp_path: Path, backend: FakeBackend) -> None:
    backend.on("GET /people/7", answer(json=ANN))
    project = Developing(tmp_path, {"page": PAGE})
    assert project.get("/api/page/7") == 200
    project.learner.write()
    assert project.file.read_text() == HEADER + LEARNED
    assert project.lines[-1] == "clients/people.types.yaml: learned GET /people/{id}"


def test_nothing_is_written_where_nothing_is_new(tmp_path: Path, backend: FakeBackend) -> None:
    backend.on("GET /people/7", answer(json=ANN), answer(json={"name": "Bob", "friends": []}))
    project = Developing(tmp_path, {"page": PAGE})
    project.get("/api/page/7")
    project.learner.write()
    before = project.file.stat()
    project.get("/api/page/7")
    project.learner.write()
    assert project.file.stat() == before
    assert [line for line in project.lines if "learned" in line] == project.lines[-1:]


def test_it_is_written_once_a_second(tmp_path: Path, backend: FakeBackend, clock: Clock) -> None:
    backend.on("GET /people/7", answer(json={"name": "Ann"}), answer(json={"name": None}))
    project = Developing(tmp_path, {"page": PAGE})
    project.get("/api/page/7")
    clock.go_on(1.0)
    project.learner.learn()
    before = project.file.read_text()
    project.get("/api/page/7")
    project.learner.learn()
    assert project.file.read_text() == before
    clock.go_on(1.0)
    project.learner.learn()
    assert 'name: {type: [string, "null"]}' in project.file.read_text()


def test_a_reply_that_the_page_refuses_is_learned_from(tmp_path: Path, backend: FakeBackend) -> None:
    backend.on("GET /people/7", answer(json={"name": "Ann", "friends": "none"}))
    project = Developing(tmp_path, {"page": PAGE})
    assert project.get("/api/page/7") == 502
    project.learner.write()
    assert "friends: {type: string}" in project.file.read_text()


def test_where_a_schema_describes_a_request_nothing_is_learned(tmp_path: Path, backend: FakeBackend) -> None:
    backend.on("GET /people/7", answer(json=ANN))
    (tmp_path / "clients").mkdir()
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    reply = {"200": {"content": {"application/json": {"schema": schema}}}}
    described = {"openapi": "3.1.0", "paths": {"/people/{id}": {"get": {"responses": reply}}}}
    (tmp_path / "clients" / "people.json").write_text(json.dumps(described))
    recipe = PAGE.replace(', friends: "[friend.id for friend in found.friends]"', "")
    project = Developing(tmp_path, {"page": recipe}, 'schema="people.json"')
    assert project.get("/api/page/7") == 200
    project.learner.write()
    assert not project.file.exists()


def test_a_file_that_is_being_written_is_left_alone(tmp_path: Path, backend: FakeBackend) -> None:
    backend.on("GET /people/7", answer(json=ANN))
    project = Developing(tmp_path, {"page": PAGE})
    project.get("/api/page/7")
    project.file.write_text("GET /people/{id}: {type:\n")
    project.learner.write()
    assert project.file.read_text() == "GET /people/{id}: {type:\n"


def test_what_was_learned_is_loaded_once_and_written_no_more(tmp_path: Path, backend: FakeBackend) -> None:
    backend.on("GET /people/7", answer(json=ANN), answer(json=ANN))
    project = Developing(tmp_path, {"page": PAGE})
    project.get("/api/page/7")
    project.learner.write()
    assert project.app.site.refresh()
    project.get("/api/page/7")
    project.learner.write()
    assert not project.app.site.refresh()


# --- no value ---------------------------------------------------------------------------------------------------------

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLWNhbmFyeQ"
SIGNED = "https://files.example/a.png?X-Amz-Signature=canary5ig&Expires=1790000000"
CANARIES = {
    "e-mail": "canary.one@example.com",
    "JWT": JWT,
    "phone in prose": "please call +49 170 5550123 after six",
    "signed address": SIGNED,
    "card": "4111 1111 1111 1111",
    "IBAN": "DE89370400440532013000",
    "password": "hunter2-canary",
    "API key": "sk_live_canary_51H",
    "uuid": "123e4567-e89b-42d3-a456-426614174999",
    "date of birth": "1987-03-14",
    "IP address": "203.0.113.77",
    "name": "Grace Canary Hopper",
    "Chinese name": "金丝雀小姐",
    "number": "555019283746",
    "float": "48.137154",
    "enum-like": "CANARY_STATUS",
    "note": "<b>canary note</b>",
    "key: name": "anna_canary",
    "key: e-mail": "key.canary@example.com",
    "key: number": "90210777",
    "key: uuid": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeecafe",
    "key: date": "1999-12-31",
    "key: Chinese": "钥匙金丝雀",
    "key: beside read ones": "beside_canary",
    "header": "header-canary-1",
    "cookie": "cookie-canary-2",
    "query": "query-canary-3",
    "id in a path": "path-canary-4",
    "error text": "error canary: no such user grace",
    "error key": "error_key_canary",
    "visitor's cookie": "visitor-canary-5",
    "visitor's header": "visitor-canary-6",
}
VALUES = [text for kind, text in CANARIES.items() if not kind.startswith(("key", "error", "visitor"))]
KEYS = [text for kind, text in CANARIES.items() if kind.startswith("key")]
CLICKED = """
    route: GET /api/clicked/{id}
    auth: none
    input: {query: {q: {type: string}, field: {type: string}}, headers: {X-Own: {type: string}}}
    steps:
      found: {client: people, get: "/people/{path.id}", query: {q: query.q}}
      bad: {client: people, get: "/bad/{path.id}", fallback: null}
      known: {client: people, get: "/known/{path.id}", on_status: {404: reply.body}}
      judged: {client: people, get: "/judged/{path.id}", ok: reply.body.id}
    shape:
      all: found.whole
      keys: keys(found.by)
      of: "[one.note for one in values(found.by)]"
      one: found.by[query.field]
      total: found.total
      items: "[item.note for item in found.items]"
      texts: "[text for text in found.texts]"
      first: found.items[0]
      picked: pick(found, 'email')
      known: known.error
      judged: judged.id
      bad: bad.id
    """


def planted(depth: int = 0) -> dict[str, Any]:
    """A value with every canary that can stand in a reply, as values and as keys."""
    found: dict[str, Any] = {key: VALUES[at % len(VALUES)] for at, key in enumerate(KEYS)}
    found |= {f"m{at}": text for at, text in enumerate(VALUES)} | {"note": VALUES[0], "email": VALUES[1]}
    if depth < 2:
        found |= {key: planted(depth + 1) for key in KEYS}
        found |= {"by": {key: planted(depth + 2) for key in KEYS}, "whole": planted(depth + 1)}
        found |= {
            "items": [planted(depth + 2)],
            "texts": [*VALUES],
            "total": 555019283746,
            "at": 48.137154,
            "id": VALUES[2],
        }
    return found


def plant(backend: FakeBackend) -> None:
    headers = {"X-Canary": CANARIES["header"], "Set-Cookie": f"session={CANARIES['cookie']}"}
    error = {"error": CANARIES["error text"], CANARIES["error key"]: CANARIES["error text"]}
    path = CANARIES["id in a path"]
    backend.on(f"GET /people/{path}", *[answer(json=planted(), headers=headers)] * 3)
    backend.on(f"GET /bad/{path}", *[answer(500, json=error, headers=headers)] * 9)
    backend.on(f"GET /known/{path}", *[answer(404, json=error, headers=headers)] * 3)
    backend.on(f"GET /judged/{path}", *[answer(json=planted(), headers=headers)] * 3)


def tree_of(root: Path) -> str:
    """The names and contents of every file of a project."""
    files = [path for path in root.rglob("*") if path.is_file()]
    return "\n".join(
        f"{path.relative_to(root)}\n{path.read_bytes().decode(errors='replace')}" for path in files
    )


def test_thirty_canaries_appear_in_no_file(
    tmp_path: Path, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(CANARIES) >= 30
    plant(backend)
    project = Developing(tmp_path, {"clicked": CLICKED})
    path, query = CANARIES["id in a path"], CANARIES["query"]
    client = project.app._app.test_client()
    client.set_cookie("own", CANARIES["visitor's cookie"])
    headers = {"X-Own": CANARIES["visitor's header"]}
    asked = client.get(f"/api/clicked/{path}?q={query}&field={KEYS[0]}", headers=headers)
    assert asked.status_code == 200, asked.text
    assert CANARIES["e-mail"] in asked.text, "the canaries are there"
    project.learner.write()
    text = project.file.read_text()
    assert "GET /people/{id}:" in text and "additionalProperties:" in text, "something was learned"
    arguments = ["-q", f"id={path}", "-q", f"q={query}", "-q", f"field={KEYS[0]}"]
    main(["--root", str(tmp_path), "introspect", "people", *arguments])
    assert "learned" in capsys.readouterr().out
    whole = tree_of(tmp_path)
    assert {kind: text for kind, text in CANARIES.items() if text in whole} == {}
    assert {line for line in project.lines if any(text in line for text in CANARIES.values())} == set()


def test_of_documents_which_all_have_one_address_nothing_is_learned(
    tmp_path: Path, backend: FakeBackend
) -> None:
    backend.on("POST /graphql", answer(json={"data": {"film": {"title": "M"}}}))
    recipe = """
    route: GET /api/page
    auth: none
    deadline: 10s
    steps:
      a: {client: people, graphql: "{ film { title } }"}
    shape: a.film.title
    """
    project = Developing(tmp_path, {"page": recipe})
    assert project.get("/api/page") == 200
    assert project.learner.write() == {}
    assert not project.file.exists()


def test_what_is_waited_for_is_learned(tmp_path: Path, backend: FakeBackend) -> None:
    page = """
        route: GET /api/page
        auth: none
        steps:
          job:
            client: people
            get: /jobs/1
            until: {done: reply.body.state == 'ready', every: 100ms, within: 1s}
        shape: job.file
        """
    backend.on("GET /jobs/1", answer(json={"state": "ready", "file": "a.csv"}))
    developing = Developing(tmp_path, {"page": page})
    assert developing.get("/api/page") == 200
    developing.learner.write()
    assert "state: {type: string}\n    file: {type: string}\n" in developing.file.read_text("utf-8")
