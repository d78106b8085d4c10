"""`notices.yaml`: what the team was told; kept for a while, for each visitor alone."""

from __future__ import annotations

import time
from typing import Any

import pytest
from flask.testing import FlaskClient

from bff.identity import Session, SessionSeal
from tests.pages.backends import Backends
from tests.pages.conftest import ADA, ANOTHER_FORM, SESSION_KEY, TOKEN, TROUBLE, ended, listed

NOTICE = {"id": "n", "en": "Hello", "zh": "你好", "published": "2026-11-01 00:00:00.000Z"}

SHOWN = {"notices": [NOTICE], "errors": []}
NOTHING: dict[str, Any] = {"notices": [], "errors": []}


@pytest.fixture
def good(backends: Backends) -> Backends:
    """A backend with one notice."""
    backends.answer("notices", "notices", json=listed(NOTICE | {"collectionId": "c", "created": "x"}))
    return backends


def test_it_shows_exactly_this(good: Backends, visitor: FlaskClient) -> None:
    page = visitor.get("/api/notices")
    assert (page.status_code, page.json) == (200, SHOWN)


def test_it_asks_exactly_this_with_the_visitors_token(good: Backends, visitor: FlaskClient) -> None:
    visitor.get("/api/notices")
    query = {"perPage": "50", "skipTotal": "1", "sort": "-published", "filter": "published<=@now"}
    assert good.asked() == [("GET notices: notices/records", query, None)]
    assert good.tokens() == {f"Bearer {TOKEN}"}


def test_a_visitor_is_shown_what_was_kept_for_them_and_nothing_kept_for_another(
    good: Backends, visitor: FlaskClient
) -> None:
    for _ in range(2):
        assert visitor.get("/api/notices").json == SHOWN
    assert len(good.calls()) == 1
    other = Session(ADA, {"people": "token-of-ada"}, int(time.time()) + 60)
    visitor.set_cookie("bff-session", SessionSeal([SESSION_KEY], 60).seal(other, time.time()))
    good.answer("notices", "notices", json=listed())
    assert visitor.get("/api/notices").json == NOTHING
    assert good.tokens() == {f"Bearer {TOKEN}", "Bearer token-of-ada"}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_there_is_no_page_without_notices(good: Backends, visitor: FlaskClient, trouble: str) -> None:
    reply, kind, status = TROUBLE[trouble]
    good.answer("notices", "notices", **reply)
    assert ended(visitor.get("/api/notices")) == (status, kind, "found")


def test_what_fails_is_asked_for_again(good: Backends, visitor: FlaskClient) -> None:
    good.answer("notices", "notices", status=500)
    assert visitor.get("/api/notices").status_code == 502
    good.answer("notices", "notices", json=listed(NOTICE))
    assert visitor.get("/api/notices").json == SHOWN


@pytest.mark.parametrize("trouble", ["failing", "overloaded", "down", "slow"])
def test_notices_of_before_stand_in_while_the_backend_is_away(
    backends: Backends, visitor: FlaskClient, trouble: str
) -> None:
    backends.answer("notices", "notices", json=listed(NOTICE), headers={"Cache-Control": "max-age=0"})
    assert visitor.get("/api/notices").json == SHOWN
    reply, kind, status = TROUBLE[trouble]
    backends.answer("notices", "notices", **reply)
    page = visitor.get("/api/notices")
    assert (page.status_code, page.json["notices"]) == (200, [NOTICE])
    [error] = page.json["errors"]
    assert (error["step"], error["kind"], error["status"], error["stale"]) == ("found", kind, status, True)
    assert (page.headers["X-Page-Stale"], page.headers["Cache-Control"]) == ("found", "no-store")


def test_no_notices_are_an_empty_list(good: Backends, visitor: FlaskClient) -> None:
    good.answer("notices", "notices", json=listed())
    assert visitor.get("/api/notices").json == NOTHING


@pytest.mark.parametrize("reply", ANOTHER_FORM)
def test_an_answer_without_a_list_is_a_problem(
    good: Backends, visitor: FlaskClient, reply: dict[str, object]
) -> None:
    good.answer("notices", "notices", **reply)
    assert ended(visitor.get("/api/notices")) == (502, "bad-reply", "found")
