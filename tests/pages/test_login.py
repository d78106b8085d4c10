"""`login.yaml`: a token for the cookie, and nothing of it for the page."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.pages.backends import Backends
from tests.pages.conftest import (
    ANN,
    EMPTY,
    TOKEN,
    TROUBLE_WITHOUT_TOKEN,
    ended,
    mistakes,
    refused,
    session_of,
)

GIVEN = {"email": " ann@example.com ", "password": " password-1 "}
USER = ANN | {"email": "ann@example.com"}
SIGN_IN = "auth-with-password"


@pytest.fixture
def good(backends: Backends) -> Backends:
    """A backend that knows the visitor."""
    reply = {"token": TOKEN, "record": USER | {"collectionName": "people", "verified": False}}
    backends.answer("people", "people", "POST", SIGN_IN, json=reply)
    return backends


def test_it_shows_who_signed_in_and_never_the_token(good: Backends, stranger: FlaskClient) -> None:
    page = stranger.post("/api/login", json=GIVEN)
    assert (page.status_code, page.json) == (200, {"user": USER})
    assert page.headers["Cache-Control"] == "no-store"
    assert TOKEN not in page.text + str(page.headers)


def test_the_session_holds_the_visitor_and_their_token(good: Backends, stranger: FlaskClient) -> None:
    session = session_of(stranger.post("/api/login", json=GIVEN))
    assert session is not None
    assert (session.user, session.tokens) == (USER, {"people": TOKEN})


def test_it_asks_exactly_this_as_nobody(good: Backends, visitor: FlaskClient) -> None:
    visitor.post("/api/login", json=GIVEN)
    sent = {"identity": "ann@example.com", "password": " password-1 "}
    assert good.asked() == [(f"POST people: people/{SIGN_IN}", {}, sent)]
    assert good.tokens() == {None}


def test_a_wrong_password_is_401_and_signs_nobody_in(good: Backends, stranger: FlaskClient) -> None:
    good.answer("people", "people", "POST", SIGN_IN, status=400, json={"message": "secret", "data": {}})
    page = stranger.post("/api/login", json=GIVEN)
    assert refused(page) == (401, "known", "This e-mail address and password do not fit together.")
    assert "secret" not in page.text
    assert "Set-Cookie" not in page.headers
    assert len(good.calls()) == 1


def test_too_many_tries_stay_429(good: Backends, stranger: FlaskClient) -> None:
    good.answer("people", "people", "POST", SIGN_IN, status=429, headers={"Retry-After": "7"})
    page = stranger.post("/api/login", json=GIVEN)
    assert ended(page) == (429, "status", "account")
    assert page.headers["Retry-After"] == "7"
    assert len(good.calls()) == 1


@pytest.mark.parametrize("trouble", TROUBLE_WITHOUT_TOKEN)
def test_what_goes_wrong_is_not_a_wrong_password(good: Backends, stranger: FlaskClient, trouble: str) -> None:
    reply, kind, status = TROUBLE_WITHOUT_TOKEN[trouble]
    good.answer("people", "people", "POST", SIGN_IN, **reply)
    page = stranger.post("/api/login", json=GIVEN)
    unlike = ("HTML", "half a JSON", "of another form")  # a 200 that is no sign-in
    assert ended(page) == (status, "status" if trouble in unlike else kind, "account")
    assert "Set-Cookie" not in page.headers
    assert len(good.calls()) == 1


@pytest.mark.parametrize(
    "reply",
    [
        EMPTY,
        {"body": "null"},
        {"json": []},
        {"json": {"token": "", "record": USER}},
        {"json": {"token": TOKEN}},
        {"json": {"token": TOKEN, "record": {"id": None}}},
        {"status": 202, "json": {"token": TOKEN, "record": USER}},
    ],
)
def test_half_a_sign_in_signs_nobody_in(good: Backends, stranger: FlaskClient, reply: dict[str, Any]) -> None:
    good.answer("people", "people", "POST", SIGN_IN, **reply)
    page = stranger.post("/api/login", json=GIVEN)
    assert ended(page) == (502, "status", "account")
    assert "Set-Cookie" not in page.headers


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["#/body/email", "#/body/password"]),
        ({"email": "x" * 256, "password": "x" * 73}, ["#/body/email", "#/body/password"]),
        ({"email": 1, "password": None}, ["#/body/email", "#/body/password"]),
        ([], ["#/body"]),
    ],
)
def test_all_mistakes_are_named_and_no_backend_is_asked(
    backends: Backends, stranger: FlaskClient, body: object, pointers: list[str]
) -> None:
    assert mistakes(stranger.post("/api/login", json=body)) == pointers
    assert backends.calls() == []


def test_another_site_signs_nobody_in(backends: Backends, stranger: FlaskClient) -> None:
    page = stranger.post("/api/login", json=GIVEN, headers={"Sec-Fetch-Site": "cross-site"})
    assert (page.status_code, page.json["type"]) == (403, "urn:bff:problem:other-site")
    assert backends.calls() == []
