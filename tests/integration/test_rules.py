"""Who may see and change what, asked of the backend itself: the rules hold without the layer in front of it."""

from __future__ import annotations

import urllib.error
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from clients.local.pocketbase import Backend
from clients.local.seed import address_of, record_id
from tests.integration.conftest import PASSWORD

pytestmark = pytest.mark.backend

LIN, ADA, CHEN = (record_id("person", key) for key in ("lin", "ada", "chen"))
LINS, HELPED_BY_LIN, OTHERS = (record_id("todo", number) for number in (39, 38, 3))


def _as(backend: Backend, key: str) -> Backend:
    """The backend as one of the seeded people sees it."""
    body = {"identity": address_of(key), "password": PASSWORD}
    token = backend.request("POST", "/api/collections/people/auth-with-password", body)["token"]
    return replace(backend, token=token)


@pytest.fixture(scope="module")
def lin(seeded_backend: Backend) -> Backend:
    return _as(seeded_backend, "lin")


@pytest.fixture
def stranger(seeded_backend: Backend) -> Iterator[Backend]:
    """Somebody without a token; afterwards nothing may have changed."""
    before = _everything(seeded_backend)
    yield replace(seeded_backend, token="")
    assert _everything(seeded_backend) == before


def _everything(backend: Backend) -> dict[str, Any]:
    names = ("people", "todos", "comments", "notices", "messages", "pictures")
    return {name: backend.rows(name, fields="id,updated") for name in names}


def _refusal(backend: Backend, method: str, collection: str, row: str = "", **fields: Any) -> int:
    """The status of what must not go through."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        backend.request(method, f"/api/collections/{collection}/records{row and '/'}{row}", fields or None)
    caught.value.close()
    return caught.value.code


@pytest.mark.parametrize(
    "collection",
    [
        *("people", "todos", "todo_list", "todo_counts", "todo_finished", "comments", "notices", "messages"),
        "pictures",
    ],
)
def test_a_stranger_sees_nothing(stranger: Backend, collection: str) -> None:
    assert stranger.rows(collection) == []


@pytest.mark.parametrize(
    ("collection", "fields"),
    [
        ("todos", {"title": "x", "status": "open", "owner": LIN}),
        ("comments", {"text": "x", "todo": LINS, "author": LIN}),
        ("messages", {"text": "x", "todo": LINS, "sender": LIN, "recipient": ADA}),
        ("notices", {"en": "x", "zh": "x", "published": "2026-01-01"}),
    ],
)
def test_a_stranger_writes_nothing(stranger: Backend, collection: str, fields: dict[str, str]) -> None:
    assert _refusal(stranger, "POST", collection, **fields) in (400, 403)


def test_a_visitor_sees_names_and_no_address_but_their_own(lin: Backend) -> None:
    people = lin.rows("people")
    assert len(people) == 8
    assert {person["id"] for person in people if "email" in person} == {LIN}
    assert not any({"password", "tokenKey"} & person.keys() for person in people)


def test_a_visitor_sees_todos_and_counts_that_they_own_or_help_with(lin: Backend) -> None:
    for collection in ("todos", "todo_list"):
        assert len(lin.rows(collection)) == 25
    assert sum(row["total"] for row in lin.rows("todo_counts")) == 25
    assert sum(row["total"] for row in lin.rows("todo_finished")) == 8


def test_comments_are_seen_with_their_todo(seeded_backend: Backend, lin: Backend) -> None:
    mine = {todo["id"] for todo in lin.rows("todos")}
    expected = {row["id"] for row in seeded_backend.rows("comments") if row["todo"] in mine}
    assert {row["id"] for row in lin.rows("comments")} == expected != set()


@pytest.mark.parametrize(
    ("method", "collection", "row", "fields", "status"),
    [
        ("POST", "todos", "", {"title": "x", "status": "open", "owner": ADA}, 400),
        ("PATCH", "todos", HELPED_BY_LIN, {"owner": LIN}, 404),  # a helper may not take a todo over
        ("DELETE", "todos", HELPED_BY_LIN, {}, 404),
        ("PATCH", "todos", OTHERS, {"title": "x"}, 404),
        ("DELETE", "todos", OTHERS, {}, 404),
        ("POST", "comments", "", {"text": "x", "todo": LINS, "author": ADA}, 400),
        ("POST", "comments", "", {"text": "x", "todo": OTHERS, "author": LIN}, 400),
        ("DELETE", "comments", record_id("comment", 2), {}, 403),
        ("POST", "messages", "", {"text": "x", "todo": HELPED_BY_LIN, "sender": LIN, "recipient": ADA}, 400),
        ("POST", "messages", "", {"text": "x", "todo": LINS, "sender": ADA, "recipient": CHEN}, 400),
        ("POST", "notices", "", {"en": "x", "zh": "x", "published": "2026-01-01"}, 403),
        ("PATCH", "people", LIN, {"name": "x"}, 403),
        ("DELETE", "people", ADA, {}, 403),
    ],
)
def test_a_visitor_changes_nothing_of_others(
    lin: Backend, stranger: Backend, method: str, collection: str, row: str, fields: Any, status: int
) -> None:
    assert _refusal(lin, method, collection, row, **fields) == status


# --- pictures: their bodies reach the backend unread --------------------------------------------------------------

PICTURE = Path(__file__).parents[2] / "clients" / "local" / "pictures" / "ada.png"


def _picture(
    backend: Backend, method: str, row: str = "", content: bytes | None = None, **fields: str
) -> int:
    """The status of an upload with these fields, as any visitor could make it."""
    answer = requests.request(
        method,
        f"{backend.url}/api/collections/pictures/records{row and '/'}{row}",
        data=fields,
        # Named as Lin's first one is: who comes later on this backend sees pictures of the names that they expect.
        files={"file": ("lin.png", PICTURE.read_bytes() if content is None else content, "image/png")},
        headers={"Authorization": backend.token},
        timeout=30,
    )
    return answer.status_code


def _pictures(backend: Backend) -> dict[str, tuple[str, str]]:
    return {row["id"]: (row["person"], row["updated"]) for row in backend.rows("pictures")}


def test_who_signed_in_sees_pictures_and_nobody_else(seeded_backend: Backend, lin: Backend) -> None:
    assert _pictures(lin).keys() == {LIN, ADA}
    assert replace(seeded_backend, token="").rows("pictures") == []


@pytest.mark.parametrize(
    ("method", "row", "fields"),
    [
        ("POST", "", {"id": CHEN, "person": CHEN}),
        ("POST", "", {"id": CHEN, "person": LIN}),
        ("POST", "", {"id": LIN, "person": CHEN}),
        ("POST", "", {"id": "anotherid000000", "person": LIN}),
        ("POST", "", {"person": LIN}),
        ("POST", "", {"@jsonPayload": f'{{"id": "{CHEN}", "person": "{CHEN}"}}'}),
        ("PATCH", ADA, {}),
        ("PATCH", LIN, {"person": ADA}),
        ("PATCH", LIN, {"person": ""}),
        ("PATCH", LIN, {"person+": ADA}),
        ("PATCH", LIN, {"person-": LIN}),
        ("PATCH", LIN, {"id": CHEN}),
        ("PATCH", LIN, {"@jsonPayload": f'{{"person": "{ADA}"}}'}),
        ("PATCH", LIN, {"id": ADA, "person": ADA}),
    ],
)
def test_no_field_of_an_upload_makes_it_somebody_elses(
    method: str, row: str, fields: dict[str, str], seeded_backend: Backend, lin: Backend
) -> None:
    before = _pictures(seeded_backend)
    assert _picture(lin, method, row, **fields) in (400, 403, 404)
    assert _pictures(seeded_backend) == before


def test_fields_that_there_are_not_change_nothing(seeded_backend: Backend, lin: Backend) -> None:
    others = {"created": "2000-01-01 00:00:00.000Z", "collectionId": "x", "role": "admin", "+person": ADA}
    before = _pictures(seeded_backend)
    assert _picture(lin, "PATCH", LIN, **others) == 200
    [row] = [row for row in seeded_backend.rows("pictures") if row["id"] == LIN]
    assert (row["person"], row["created"] > "2020", "role" in row) == (LIN, True, False)
    assert _pictures(seeded_backend)[ADA] == before[ADA]


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html><script>alert(1)</script></html>",
        b"",
        PICTURE.read_bytes() + b"x" * 2 * 1024 * 1024,
    ],
    ids=["svg", "html", "empty", "large"],
)
def test_only_small_pictures_are_kept(content: bytes, seeded_backend: Backend, lin: Backend) -> None:
    before = _pictures(seeded_backend)
    assert _picture(lin, "PATCH", LIN, content) == 400
    assert _pictures(seeded_backend) == before


def test_nobody_removes_the_picture_of_another_or_sends_one_unnamed(lin: Backend, stranger: Backend) -> None:
    assert _refusal(lin, "DELETE", "pictures", ADA) == 404
    assert _picture(stranger, "POST", "", id=CHEN, person=CHEN) == 400
    assert _picture(stranger, "PATCH", LIN) == 404
