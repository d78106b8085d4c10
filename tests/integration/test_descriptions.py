"""What `clients/pocketbase.openapi.yaml` says of PocketBase, held against what PocketBase answers."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from bff.expressions.parse import parse_path
from bff.recipe.contracts import Promise
from bff.recipe.loader import load_project
from bff.types.model import Array, Record, Type, Unknown, holds, opened
from bff.types.text import text_of
from clients.local.pocketbase import Backend
from clients.local.seed import address_of, seed
from tests.integration.conftest import PASSWORD
from tests.quick_backend import quick
from tests.servers import ROOT

PROJECT, _ = load_project(ROOT)


def promised(client: str, method: str, path: str) -> Promise:
    found = PROJECT.contracts[client].promise(method, parse_path(path))
    assert found is not None
    return found


def unlisted(kind: Type, value: Any, where: str = "") -> Iterator[str]:
    """The members of a value that its type does not list."""
    kind = opened(kind)
    if isinstance(kind, Array):
        for item in value:
            yield from unlisted(kind.element, item, f"{where}[*]")
    elif isinstance(kind, Record):
        for name, inner in value.items():
            member = kind.member(name)
            if member is None:
                yield f"{where}.{name}"
            else:
                yield from unlisted(member.type, inner, f"{where}.{name}")


class Asking:
    """Asks a backend as somebody, and holds each reply to what is promised of it."""

    def __init__(self, backend: Backend, name: str) -> None:
        self._backend = backend
        self._token = ""
        identity = {"identity": address_of(name), "password": PASSWORD}
        signed_in = self("accounts", "POST", "/api/collections/people/auth-with-password", body=identity)
        self._token = signed_in["token"]
        self.id = signed_in["record"]["id"]

    def __call__(self, client: str, method: str, path: str, query: str = "", body: Any = None) -> Any:
        request = urllib.request.Request(
            f"{self._backend.url}{path}{query}",
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json", "Authorization": self._token},
            method=method,
        )
        with urllib.request.urlopen(request) as reply:
            raw = reply.read()
        value = json.loads(raw) if raw else None
        kind = promised(client, method, path).type
        assert holds(kind, value), f"{text_of(kind)}\n{value}"
        assert set(unlisted(kind, value)) == set()
        return value


@pytest.fixture(scope="module")
def lin(seeded_backend: Backend) -> Asking:
    return Asking(seeded_backend, "lin")


@pytest.mark.parametrize(
    ("client", "path", "query"),
    [
        ("people", "/api/collections/people/records", "?perPage=3&expand=pictures_via_person"),
        ("people", "/api/collections/people/records", "?skipTotal=1"),
        ("todos", "/api/collections/todo_list/records", ""),
        ("todos", "/api/collections/todo_counts/records", "?perPage=1000&skipTotal=1"),
        ("todos", "/api/collections/todo_finished/records", "?perPage=1000&sort=slot,id"),
        ("todos", "/api/collections/comments/records", "?perPage=500"),
        ("notices", "/api/collections/notices/records", "?sort=-published"),
    ],
)
def test_lists_are_as_they_are_described(client: str, path: str, query: str, lin: Asking) -> None:
    assert lin(client, "GET", path, query)["items"], "nothing was shown"


def test_people_are_as_they_are_described(lin: Asking) -> None:
    found = lin("people", "GET", "/api/collections/people/records", "?perPage=100&expand=pictures_via_person")
    assert {len(person.get("expand", {})) for person in found["items"]} == {0, 1}, "some have a picture"
    for person in found["items"]:
        lin("people", "GET", f"/api/collections/people/records/{person['id']}", "?expand=pictures_via_person")


def test_writes_are_answered_as_it_is_described() -> None:
    with quick() as backend:
        seed(backend, PASSWORD)
        lin = Asking(backend, "lin")
        people = lin("people", "GET", "/api/collections/people/records")["items"]
        other = next(person["id"] for person in people if person["id"] != lin.id)
        todos, comments = "/api/collections/todos/records", "/api/collections/comments/records"
        todo = lin("todos", "POST", todos, body={"title": "a", "status": "open", "owner": lin.id})
        lin("todos", "GET", f"{todos}/{todo['id']}")
        lin("todos", "PATCH", f"{todos}/{todo['id']}", body={"due": "2026-12-24", "helper": other})
        comment = lin("todos", "POST", comments, body={"todo": todo["id"], "author": lin.id, "text": "b"})
        lin("todos", "GET", f"{comments}/{comment['id']}")
        message = {"recipient": other, "sender": lin.id, "todo": todo["id"], "text": "c"}
        lin("todos", "POST", "/api/collections/messages/records", body=message)
        lin("todos", "DELETE", f"{todos}/{todo['id']}")
        account = {
            "name": "Zoe",
            "email": "zoe@example.com",
            "password": PASSWORD,
            "passwordConfirm": PASSWORD,
        }
        lin("accounts", "POST", "/api/collections/people/records", body=account)


def test_every_read_of_the_pages_is_described() -> None:
    unknown = {
        (name, step.name)
        for name, recipe in PROJECT.recipes.items()
        for step in recipe.steps
        if (found := getattr(step, "client", None)) is not None
        and isinstance(promised(found, step.method, step.path.text).type, Unknown)
    }
    assert unknown == {("picture", "picture")}, "which hands a file through"
