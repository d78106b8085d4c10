"""`edit_todo.yaml`: what is sent changes and nothing else; who may; the stamp of finishing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.pages.backends import Backends
from tests.pages.conftest import (
    ADA,
    ANN,
    ID,
    LIN,
    TOKEN,
    TROUBLE,
    TROUBLE_OF_ONE,
    ended,
    listed,
    missing,
    mistakes,
    refused,
    row,
)

BEFORE = row(owner=ANN["id"], helper=ADA["id"])
STAMP = "2026-11-22 10:00:00.000Z"
SHOWN = {
    "id": ID,
    "title": "买豆浆",
    "note": "",
    "status": "done",
    "due": "2026-12-24",
    "finished": STAMP,
    "created": "2026-11-20 10:00:00.000Z",
    "updated": "2026-11-21 10:00:00.000Z",
    "owner": ANN,
    "helper": ADA,
    "errors": [],
}


@pytest.fixture
def good(backends: Backends) -> Backends:
    """Backends that all answer."""
    changed = BEFORE | {
        "title": "买豆浆",
        "status": "done",
        "due": "2026-12-24 00:00:00.000Z",
        "finished": STAMP,
    }
    backends.answer("todos", "todos", at=f"records/{ID}", json=BEFORE)
    backends.answer("todos", "todos", "PATCH", f"records/{ID}", json=changed)
    backends.answer("people", "people", json=listed(ADA | {"email": "hidden"}, ANN))
    return backends


def sent(backends: Backends) -> Any:
    """What the only PATCH carried."""
    [body] = [json.loads(call.body or "null") for call in backends.calls() if call.method == "PATCH"]
    return body


def written(backends: Backends) -> list[str]:
    return [call.method for call in backends.calls() if call.method != "GET"]


def test_it_shows_exactly_this(good: Backends, visitor: FlaskClient) -> None:
    page = visitor.patch(f"/api/todos/{ID}", json={"title": "买豆浆"})
    assert (page.status_code, page.json) == (200, SHOWN)
    assert "X-Page-Partial" not in page.headers


def test_it_asks_exactly_this_with_the_visitors_token(good: Backends, visitor: FlaskClient) -> None:
    visitor.patch(f"/api/todos/{ID}", json={"title": " 买豆浆 "})
    assert good.asked() == [
        ("GET people: people/records", {"filter": f"id = '{ANN['id']}' || id = '{ADA['id']}'"}, None),
        (f"GET todos: todos/records/{ID}", {}, None),
        (f"PATCH todos: todos/records/{ID}", {}, {"title": "买豆浆"}),
    ]
    assert good.tokens() == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    ("body", "change"),
    [
        ({"note": " n "}, {"note": " n "}),
        ({"note": ""}, {"note": ""}),
        ({"due": "2026-12-24"}, {"due": "2026-12-24"}),
        ({"due": None, "helper": None}, {"due": "", "helper": ""}),
        ({"helper": LIN["id"]}, {"helper": LIN["id"]}),
        ({"status": "paused"}, {"status": "paused"}),
        ({"title": "x", "owner": LIN["id"], "finished": "2020-01-01", "id": "x"}, {"title": "x"}),
    ],
)
def test_only_what_is_sent_changes(
    good: Backends, visitor: FlaskClient, body: dict[str, Any], change: dict[str, Any]
) -> None:
    assert visitor.patch(f"/api/todos/{ID}", json=body).status_code == 200
    assert sent(good) == change


def test_finishing_stamps_the_time(good: Backends, visitor: FlaskClient) -> None:
    visitor.patch(f"/api/todos/{ID}", json={"status": "done"})
    change = sent(good)
    assert set(change) == {"status", "finished"}
    assert abs(datetime.now(UTC) - datetime.fromisoformat(change["finished"])) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("status", "change"),
    [
        ("done", {"status": "done"}),
        ("open", {"status": "open", "finished": ""}),
        ("closed", {"status": "closed", "finished": ""}),
    ],
)
def test_a_finished_todo_is_not_stamped_again_and_loses_its_stamp_when_taken_up(
    good: Backends, visitor: FlaskClient, status: str, change: dict[str, str]
) -> None:
    good.answer("todos", "todos", at=f"records/{ID}", json=BEFORE | {"status": "done", "finished": STAMP})
    visitor.patch(f"/api/todos/{ID}", json={"status": status})
    assert sent(good) == change


@pytest.mark.parametrize(
    ("owner", "helper", "may"),
    [
        (ANN["id"], "", True),
        (ADA["id"], ANN["id"], True),
        (ADA["id"], LIN["id"], False),
        (ADA["id"], "", False),
        ("", "", False),
    ],
)
def test_the_owner_and_the_helper_may_change_it(
    good: Backends, visitor: FlaskClient, owner: str | None, helper: str | None, may: bool
) -> None:
    good.answer("todos", "todos", at=f"records/{ID}", json=BEFORE | {"owner": owner, "helper": helper})
    page = visitor.patch(f"/api/todos/{ID}", json={"title": "x"})
    if may:
        assert (page.status_code, written(good)) == (200, ["PATCH"])
    else:
        detail = "Only the owner and the helper of a todo can change it."
        assert (refused(page), written(good)) == ((403, "allowed", detail), [])


@pytest.mark.parametrize(
    "reply", [{"body": "null"}, {"json": {"items": {"secret": "trouble"}}}, {"json": []}]
)
def test_a_todo_of_another_form_is_not_changed(
    good: Backends, visitor: FlaskClient, reply: dict[str, Any]
) -> None:
    good.answer("todos", "todos", at=f"records/{ID}", **reply)
    page = visitor.patch(f"/api/todos/{ID}", json={"title": "x"})
    assert (ended(page), written(good)) == ((502, "bad-reply", "before"), [])


@pytest.mark.parametrize("trouble", TROUBLE_OF_ONE)
def test_what_cannot_be_read_is_not_changed(good: Backends, visitor: FlaskClient, trouble: str) -> None:
    reply, kind, status = TROUBLE_OF_ONE[trouble]
    good.answer("todos", "todos", at=f"records/{ID}", **reply)
    page = visitor.patch(f"/api/todos/{ID}", json={"title": "x"})
    assert (ended(page), written(good)) == ((status, kind, "before"), [])


def test_a_todo_that_is_not_there_stays_404(good: Backends, visitor: FlaskClient) -> None:
    good.answer("todos", "todos", at=f"records/{ID}", status=404, json={"message": "secret"})
    page = visitor.patch(f"/api/todos/{ID}", json={"title": "x"})
    assert (ended(page), written(good)) == ((404, "status", "before"), [])


@pytest.mark.parametrize("trouble", TROUBLE_OF_ONE)
def test_a_change_that_fails_is_a_problem_and_is_not_sent_again(
    good: Backends, visitor: FlaskClient, trouble: str
) -> None:
    reply, kind, status = TROUBLE_OF_ONE[trouble]
    good.answer("todos", "todos", "PATCH", f"records/{ID}", **reply)
    page = visitor.patch(f"/api/todos/{ID}", json={"title": "x"})
    assert (ended(page), written(good)) == ((status, kind, "changed"), ["PATCH"])


@pytest.mark.parametrize("reply", [{"body": "null"}, {"json": {}}, {"json": []}])
def test_a_change_that_is_not_told_has_happened_all_the_same(
    good: Backends, visitor: FlaskClient, reply: dict[str, Any]
) -> None:
    good.answer("todos", "todos", "PATCH", f"records/{ID}", **reply)
    page = visitor.patch(f"/api/todos/{ID}", json={"title": "x"})
    assert (page.status_code, page.json["step"], page.json["done"]) == (502, "changed", ["changed"])
    assert written(good) == ["PATCH"]


def test_what_the_backend_does_not_accept_is_422(good: Backends, visitor: FlaskClient) -> None:
    good.answer("todos", "todos", "PATCH", f"records/{ID}", status=400, json={"message": "secret"})
    page = visitor.patch(f"/api/todos/{ID}", json={"helper": LIN["id"]})
    assert ended(page) == (422, "status", "changed")


@pytest.mark.parametrize("trouble", TROUBLE)
def test_the_change_stands_without_names(good: Backends, visitor: FlaskClient, trouble: str) -> None:
    reply, kind, status = TROUBLE[trouble]
    good.answer("people", "people", **reply)
    page = visitor.patch(f"/api/todos/{ID}", json={"title": "x"})
    assert missing(page) == [("people", kind, status, ["owner", "helper"])]
    assert page.json | {"errors": []} == SHOWN | {"owner": None, "helper": None}
    assert written(good) == ["PATCH"]


def test_people_who_are_gone_are_null(good: Backends, visitor: FlaskClient) -> None:
    good.answer("people", "people", json=listed())
    page = visitor.patch(f"/api/todos/{ID}", json={"title": "x"})
    assert page.json == SHOWN | {"owner": None, "helper": None}


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["#/body"]),
        ({"owner": LIN["id"]}, ["#/body"]),
        ([], ["#/body"]),
        (
            {"title": " ", "note": "x" * 5001, "status": "gone", "due": "soon", "helper": "x"},
            ["#/body/due", "#/body/helper", "#/body/note", "#/body/status", "#/body/title"],
        ),
        (
            {"title": None, "note": None, "status": None, "due": 5, "helper": 5},
            ["#/body/due", "#/body/helper", "#/body/note", "#/body/status", "#/body/title"],
        ),
        ({"title": "x" * 201}, ["#/body/title"]),
    ],
)
def test_all_mistakes_are_named_and_no_backend_is_asked(
    backends: Backends, visitor: FlaskClient, body: object, pointers: list[str]
) -> None:
    assert sorted(set(mistakes(visitor.patch(f"/api/todos/{ID}", json=body)))) == pointers
    assert backends.calls() == []


def test_an_id_that_cannot_be_in_an_address_asks_no_backend(backends: Backends, visitor: FlaskClient) -> None:
    assert visitor.patch("/api/todos/a%5Cb", json={"title": "x"}).status_code == 404
    assert backends.calls() == []
