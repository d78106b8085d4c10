"""`people.yaml`: people by name, and never by address."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.pages.backends import Backends
from tests.pages.conftest import (
    ADA,
    ANOTHER_FORM,
    LIN,
    TOKEN,
    TROUBLE,
    WITH_PICTURE,
    ended,
    listed,
    mistakes,
    pictured,
)

SORTED = WITH_PICTURE | {"perPage": "50", "skipTotal": "1", "sort": "name,id"}


@pytest.fixture
def good(backends: Backends) -> Backends:
    """A backend that knows two people."""
    ada = ADA | {"email": "hidden", "verified": True}
    backends.answer("people", "people", json=listed(ada, pictured(LIN, "lin_1.png")))
    return backends


def test_it_shows_exactly_this(good: Backends, visitor: FlaskClient) -> None:
    page = visitor.get("/api/people")
    assert (page.status_code, page.json) == (
        200,
        {"people": [ADA | {"picture": None}, LIN | {"picture": "lin_1.png"}]},
    )


@pytest.mark.parametrize(
    ("query", "filter_sent"),
    [
        ("", "id != ''"),
        ("?q=", "id != ''"),
        ("?q=林", "name ~ '%林%'"),
        ("?q=50%25_'", r"name ~ '%50\\%\\_\'%'"),
    ],
)
def test_it_asks_exactly_this_with_the_visitors_token(
    good: Backends, visitor: FlaskClient, query: str, filter_sent: str
) -> None:
    visitor.get(f"/api/people{query}")
    assert good.asked() == [("GET people: people/records", SORTED | {"filter": filter_sent}, None)]
    assert good.tokens() == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_there_is_no_page_without_people(good: Backends, visitor: FlaskClient, trouble: str) -> None:
    reply, kind, status = TROUBLE[trouble]
    good.answer("people", "people", **reply)
    assert ended(visitor.get("/api/people")) == (status, kind, "found")


def test_nobody_is_an_empty_list(good: Backends, visitor: FlaskClient) -> None:
    good.answer("people", "people", json=listed())
    assert visitor.get("/api/people?q=x").json == {"people": []}


@pytest.mark.parametrize("reply", ANOTHER_FORM)
def test_an_answer_without_a_list_is_a_problem(
    good: Backends, visitor: FlaskClient, reply: dict[str, object]
) -> None:
    good.answer("people", "people", **reply)
    assert ended(visitor.get("/api/people?q=x")) == (502, "bad-reply", "found")


def test_a_mistake_is_named_and_no_backend_is_asked(backends: Backends, visitor: FlaskClient) -> None:
    assert mistakes(visitor.get("/api/people?q=" + "x" * 81)) == ["#/query/q"]
    assert backends.calls() == []
