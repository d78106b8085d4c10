"""The small backend of a new project."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from bff.dev.rows import Rows
from bff.errors import OperatorError

ITEMS = [
    {"id": "1", "name": "Kettle", "price": 2},
    {"id": "2", "name": "Cup", "price": 1},
    {"id": 3, "name": "Cup"},
]
PEOPLE = [
    {"id": "ada", "email": "ada@example.com", "password": "right horse"},
    {"id": "bob", "email": "b@example.com"},
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "backend.json"
    path.write_text(json.dumps({"items": ITEMS, "people": PEOPLE}))
    return path


@pytest.fixture
def backend(file: Path) -> Client:
    return Client(Rows(file))


@pytest.mark.parametrize(
    ("query", "ids", "total"),
    [
        ("", ["1", "2", 3], 3),
        ("?name=Cup", ["2", 3], 2),
        ("?id=1&id=3", ["1", 3], 2),
        ("?price=2", ["1"], 1),
        ("?limit=1&offset=1", ["2"], 3),
        ("?limit=0", [], 3),
        ("?colour=red", [], 0),
    ],
)
def test_rows_are_filtered_and_cut(query: str, ids: list[Any], total: int, backend: Client) -> None:
    reply = backend.get(f"/items{query}")
    assert [row["id"] for row in reply.json] == ids
    assert reply.headers["X-Total-Count"] == str(total)


def test_a_row_is_read_changed_and_removed(backend: Client) -> None:
    assert backend.get("/items/3").json == {"id": 3, "name": "Cup"}
    assert backend.patch("/items/3", json={"price": 4, "id": 9}).json == {"id": 3, "name": "Cup", "price": 4}
    assert backend.put("/items/3", json={"name": "Mug"}).json == {"id": 3, "name": "Mug"}
    assert backend.delete("/items/3").status_code == 204
    assert backend.get("/items/3").status_code == 404


def test_a_new_row_has_an_id(backend: Client) -> None:
    made = backend.post("/items", json={"name": "Pot"})
    assert made.status_code == 201
    assert backend.get(f"/items/{made.json['id']}").json == made.json


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/", None, 404),
        ("GET", "/orders", None, 404),
        ("GET", "/items/1/more", None, 404),
        ("PUT", "/items", {}, 405),
        ("POST", "/items/1", {}, 405),
        ("POST", "/items", [], 400),
        ("GET", "/items?limit=x", None, 400),
        ("GET", "/items?offset=-1", None, 400),
    ],
)
def test_what_cannot_be_done_is_told_by_its_status(
    method: str, path: str, body: object, status: int, backend: Client
) -> None:
    assert backend.open(path, method=method, json=body).status_code == status


def test_signing_in_gives_a_token_for_the_person(backend: Client) -> None:
    reply = backend.post("/sign-in", json={"email": "ada@example.com", "password": "right horse"})
    assert reply.json["person"] == {"id": "ada", "email": "ada@example.com"}
    mine = backend.get("/me", headers={"Authorization": f"Bearer {reply.json['token']}"})
    assert mine.json == {"id": "ada", "email": "ada@example.com"}


@pytest.mark.parametrize(
    "given",
    [
        {"email": "ada@example.com", "password": "wrong"},
        {"email": "ada@example.com"},
        {"email": "b@example.com"},
        {"email": "b@example.com", "password": ""},
        {},
    ],
)
def test_nobody_signs_in_without_the_password(given: dict[str, str], backend: Client) -> None:
    assert backend.post("/sign-in", json=given).status_code == 401
    assert backend.get("/me").status_code == 401
    assert backend.get("/me", headers={"Authorization": "Bearer "}).status_code == 401


def test_passwords_are_not_shown(backend: Client) -> None:
    assert "horse" not in backend.get("/people").text
    assert "horse" not in backend.get("/people/ada").text


def test_a_file_that_has_changed_is_read_anew(file: Path, backend: Client) -> None:
    backend.post("/items", json={"name": "Pot"})
    file.write_text(json.dumps({"items": []}))
    os.utime(file, ns=(1, 1))
    assert backend.get("/items").json == []


def test_a_file_that_is_broken_is_said_to_be_so(file: Path, backend: Client) -> None:
    file.write_text('{"items": ')
    os.utime(file, ns=(1, 1))
    reply = backend.get("/items")
    assert reply.status_code == 500
    assert reply.json["error"].startswith("backend.json cannot be read: ")


@pytest.mark.parametrize(
    "content", ["[]", '{"items": {}}', '{"items": [1]}', '{"items": [{"name": "no id"}]}', "x"]
)
def test_what_holds_no_lists_of_rows_is_refused(content: str, file: Path) -> None:
    file.write_text(content)
    with pytest.raises(OperatorError):
        Rows(file)
