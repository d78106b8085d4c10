"""`stats.yaml`: todos per person and status, and what was finished on each day of the visitor's zone."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.pages.backends import Backends, Reply, Request
from tests.pages.conftest import (
    ADA,
    ANN,
    LIN,
    TOKEN,
    TROUBLE,
    TROUBLE_OF_ONE,
    WITH_PICTURE,
    ended,
    listed,
    missing,
    mistakes,
    refused,
)

ME = f"records/{ANN['id']}"
STATUSES = {"open": 5, "done": 7, "paused": 1, "closed": 0}


def count(owner: str, status: str, total: int, helper: str = "") -> dict[str, Any]:
    return {
        "id": f"{owner}.{helper}.{status}",
        "owner": owner,
        "helper": helper,
        "status": status,
        "total": total,
    }


def slot(moment: str, total: int) -> dict[str, Any]:
    return {"id": f"x.{moment}", "owner": "x", "helper": "", "slot": f"{moment}.000Z", "total": total}


def pages_of(*pages: list[dict[str, Any]]) -> Callable[[Request], Reply]:
    """Replies with the page that is asked for."""

    def reply(request: Request) -> Reply:
        at = int(request.query.get("page", "1"))
        return 200, {}, json.dumps(listed(*pages[at - 1], page=at, totalPages=len(pages)))

    return reply


@pytest.fixture
def good(backends: Backends) -> Backends:
    """Backends that all answer; two todos were finished at noon of yesterday, in UTC."""
    noon = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d} 12:00:00"
    counts = [
        count(LIN["id"], "open", 2),
        count(LIN["id"], "open", 3, helper=ANN["id"]),
        count(LIN["id"], "paused", 1),
        count(ADA["id"], "done", 7, helper=ANN["id"]),
    ]
    backends.answer("people", "people", at=ME, json=ANN)
    backends.answer("todos", "todo_counts", json=listed(*counts))
    backends.answer("todos", "todo_finished", json=listed(slot(noon, 2)))
    backends.answer("people", "people", json=listed(LIN, ADA | {"email": "hidden"}))
    return backends


def finished(days: list[dict[str, Any]]) -> list[int]:
    """What was finished on each of 14 days in a row, the last of which is today."""
    found = [date.fromisoformat(day["day"]) for day in days]
    assert found == [found[0] + timedelta(days=at) for at in range(14)]
    assert abs(found[-1] - datetime.now(UTC).date()) <= timedelta(days=1)
    return [day["finished"] for day in days]


def test_it_shows_exactly_this(good: Backends, visitor: FlaskClient) -> None:
    page = visitor.get("/api/stats")
    assert page.status_code == 200
    shown = page.json
    assert finished(shown.pop("days")) == [0] * 12 + [2, 0]
    assert shown == {
        "people": [
            {"id": ADA["id"], "name": "Ada", "open": 0, "done": 7, "paused": 0, "closed": 0, "total": 7},
            {"id": LIN["id"], "name": "林悦", "open": 5, "done": 0, "paused": 1, "closed": 0, "total": 6},
        ],
        "statuses": STATUSES,
        "errors": [],
    }
    assert "X-Page-Partial" not in page.headers


def test_it_asks_exactly_this_with_the_visitors_token(good: Backends, visitor: FlaskClient) -> None:
    visitor.get("/api/stats")
    asked = good.asked()
    since = f"slot >= '{datetime.now(UTC) - timedelta(days=15):%Y-%m-%d}'"
    both = f"id = '{LIN['id']}' || id = '{ADA['id']}'"
    assert asked == [
        ("GET people: people/records", {"perPage": "100", "skipTotal": "1", "filter": both}, None),
        (f"GET people: people/{ME}", WITH_PICTURE, None),
        ("GET todos: todo_counts/records", {"perPage": "1000", "skipTotal": "1"}, None),
        ("GET todos: todo_finished/records", {"perPage": "1000", "sort": "slot,id", "filter": since}, None),
    ]
    assert good.tokens() == {f"Bearer {TOKEN}"}


def test_more_than_a_page_of_slots_is_read_to_its_end(good: Backends, visitor: FlaskClient) -> None:
    noon = f"{datetime.now(UTC) - timedelta(days=3):%Y-%m-%d} 12:00:00"
    good.answer_each("todos", "todo_finished", pages_of([slot(noon, 1)], [slot(noon, 2)], [slot(noon, 4)]))
    page = visitor.get("/api/stats")
    assert finished(page.json["days"]) == [0] * 10 + [7, 0, 0, 0]
    asked = [call.query for call in good.calls("todo_finished")]
    assert sorted(query.get("page", "1") for query in asked) == ["1", "2", "3"]
    assert len({query["filter"] for query in asked}) == 1


@pytest.mark.parametrize(
    ("zone", "moved"), [("UTC", 0), ("Asia/Shanghai", 1), ("America/New_York", 0), ("No/Where", 0)]
)
def test_a_day_is_the_day_of_the_visitors_zone(
    good: Backends, visitor: FlaskClient, zone: str, moved: int
) -> None:
    done = datetime.now(UTC) - timedelta(days=5)
    good.answer("todos", "todo_finished", json=listed(slot(f"{done:%Y-%m-%d} 22:30:00", 3)))
    days = visitor.get("/api/stats", query_string={"zone": zone}).json["days"]
    assert sum(finished(days)) == 3
    [day] = [day["day"] for day in days if day["finished"]]
    assert day == f"{done + timedelta(days=moved):%Y-%m-%d}"


@pytest.mark.parametrize("trouble", TROUBLE_OF_ONE)
def test_there_is_no_page_when_nobody_says_who_the_visitor_is(
    good: Backends, visitor: FlaskClient, trouble: str
) -> None:
    reply, kind, status = TROUBLE_OF_ONE[trouble]
    good.answer("people", "people", at=ME, **reply)
    assert ended(visitor.get("/api/stats")) == (status, kind, "shell.me")


def test_a_visitor_whom_people_does_not_know_any_more_sees_no_empty_page(
    good: Backends, visitor: FlaskClient
) -> None:
    good.answer("people", "people", at=ME, status=404, json={"message": "secret"})
    good.answer("todos", "todo_counts", json=listed())
    assert refused(visitor.get("/api/stats")) == (401, "shell.signed_in", "This session is over.")


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize(("collection", "step"), [("todo_counts", "counts"), ("todo_finished", "first")])
def test_there_is_no_page_without_counts_and_days(
    good: Backends, visitor: FlaskClient, collection: str, step: str, trouble: str
) -> None:
    reply, kind, status = TROUBLE[trouble]
    good.answer("todos", collection, **reply)
    assert ended(visitor.get("/api/stats")) == (status, kind, step)


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        (500, "secret", (502, "status", "others")),
        (403, "secret", (403, "status", "others")),
        (200, "<h1>secret</h1>", (502, "not-json", "others")),
        (200, '{"items": {"secret": 1}}', (502, "bad-reply", "others")),
    ],
)
def test_there_is_no_page_without_the_other_days(
    good: Backends, visitor: FlaskClient, status: int, text: str, expected: tuple[int, str, str]
) -> None:
    first = pages_of([slot("2026-11-01 12:00:00", 1)], [])

    def reply(request: Request) -> Reply:
        return (status, {}, text) if "page" in request.query else first(request)

    good.answer_each("todos", "todo_finished", reply)
    assert ended(visitor.get("/api/stats")) == expected


@pytest.mark.parametrize("trouble", TROUBLE)
def test_the_page_lives_without_names(good: Backends, visitor: FlaskClient, trouble: str) -> None:
    reply, kind, status = TROUBLE[trouble]
    good.answer("people", "people", **reply)
    page = visitor.get("/api/stats")
    assert missing(page) == [("people", kind, status, ["people"])]
    assert (page.json["people"], page.json["statuses"]) == ([], STATUSES)
    assert sum(finished(page.json["days"])) == 2


def test_nothing_is_all_zeros(good: Backends, visitor: FlaskClient) -> None:
    good.answer("todos", "todo_counts", json=listed())
    good.answer("todos", "todo_finished", json=listed())
    page = visitor.get("/api/stats")
    assert (page.json["people"], page.json["statuses"]) == ([], dict.fromkeys(STATUSES, 0))
    assert finished(page.json["days"]) == [0] * 14
    assert missing(page) == []
    assert good.calls("people/records?") == []


def test_todos_of_people_who_are_gone_count_for_the_statuses(good: Backends, visitor: FlaskClient) -> None:
    good.answer("people", "people", json=listed(LIN))
    page = visitor.get("/api/stats")
    assert [person["name"] for person in page.json["people"]] == ["林悦"]
    assert (page.json["statuses"], missing(page)) == (STATUSES, [])


def test_a_mistake_is_named_and_no_backend_is_asked(backends: Backends, visitor: FlaskClient) -> None:
    assert mistakes(visitor.get("/api/stats?zone=" + "x" * 65)) == ["#/query/zone"]
    assert backends.calls() == []
