"""`remove_todos.yaml`: many removals side by side, and what became of each."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.pages.backends import Backends
from tests.pages.conftest import EMPTY, TOKEN, TROUBLE_OF_ONE, mistakes

IDS = [f"todo{number:011d}" for number in range(3)]


@pytest.fixture
def good(backends: Backends) -> Backends:
    """A backend that removes what it is told to."""
    for one in IDS:
        backends.answer("todos", "todos", "DELETE", f"records/{one}", status=204)
    return backends


def test_it_shows_exactly_this(good: Backends, visitor: FlaskClient) -> None:
    page = visitor.post("/api/todos/remove", json={"ids": IDS})
    assert (page.status_code, page.json) == (200, {"removed": IDS, "kept": []})
    assert "X-Page-Partial" not in page.headers


def test_it_asks_exactly_this_with_the_visitors_token(good: Backends, visitor: FlaskClient) -> None:
    visitor.post("/api/todos/remove", json={"ids": IDS})
    assert good.asked() == [(f"DELETE todos: todos/records/{one}", {}, None) for one in IDS]
    assert good.tokens() == {f"Bearer {TOKEN}"}


def test_a_hundred_go_at_once_and_come_back_in_order(backends: Backends, visitor: FlaskClient) -> None:
    ids = [f"t{number:014d}" for number in range(100)]
    for one in ids:
        backends.answer("todos", "todos", "DELETE", f"records/{one}", status=204)
    assert visitor.post("/api/todos/remove", json={"ids": ids}).json["removed"] == ids


@pytest.mark.parametrize(
    "trouble", [*(name for name, trouble in TROUBLE_OF_ONE.items() if trouble[1] != "not-json"), "not there"]
)
def test_what_stays_is_named_with_the_reason_and_not_tried_again(
    good: Backends, visitor: FlaskClient, trouble: str
) -> None:
    not_there = ({"status": 404, "json": {"message": "secret"}}, "status", 404)
    reply, kind, status = (TROUBLE_OF_ONE | {"not there": not_there})[trouble]
    good.answer("todos", "todos", "DELETE", f"records/{IDS[1]}", **reply)
    page = visitor.post("/api/todos/remove", json={"ids": IDS})
    answered = reply.get("status", status)
    assert page.status_code == 200
    assert page.json == {
        "removed": [IDS[0], IDS[2]],
        "kept": [{"id": IDS[1], "status": answered, "kind": kind}],
    }
    assert page.headers["X-Page-Partial"] == "answers"
    assert len(good.calls()) == 3


def test_when_nothing_goes_all_stay(good: Backends, visitor: FlaskClient) -> None:
    for one in IDS:
        good.answer("todos", "todos", "DELETE", f"records/{one}", status=500)
    page = visitor.post("/api/todos/remove", json={"ids": IDS})
    assert page.json["removed"] == []
    assert [kept["id"] for kept in page.json["kept"]] == IDS


@pytest.mark.parametrize("reply", [EMPTY, {"json": {}}, {"json": {"items": {}, "removed": False}}])
def test_what_comes_back_for_a_removal_does_not_matter(
    good: Backends, visitor: FlaskClient, reply: dict[str, Any]
) -> None:
    good.answer("todos", "todos", "DELETE", f"records/{IDS[0]}", **reply)
    page = visitor.post("/api/todos/remove", json={"ids": IDS})
    assert page.json == {"removed": IDS, "kept": []}


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["#/body/ids"]),
        ({"ids": []}, ["#/body/ids"]),
        ({"ids": IDS[0]}, ["#/body/ids"]),
        ({"ids": [IDS[0], IDS[0]]}, ["#/body/ids"]),
        ({"ids": [f"t{number:014d}" for number in range(101)]}, ["#/body/ids"]),
        ({"ids": [IDS[0], "x", None, "../../secrets00"]}, ["#/body/ids/1", "#/body/ids/2", "#/body/ids/3"]),
        ([], ["#/body"]),
    ],
)
def test_all_mistakes_are_named_and_nothing_is_removed(
    backends: Backends, visitor: FlaskClient, body: object, pointers: list[str]
) -> None:
    assert mistakes(visitor.post("/api/todos/remove", json=body)) == pointers
    assert backends.calls() == []
