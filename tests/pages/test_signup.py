"""`signup.yaml`: one write, then a sign-in."""

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

GIVEN = {"name": " Ann ", "email": "ann@example.com", "password": " password-1 ", "verified": True, "id": "x"}
USER = ANN | {"email": "ann@example.com"}
SIGN_IN = "auth-with-password"
ODD = ("HTML", "half a JSON", "of another form")  # a 200 that is not what was asked for


@pytest.fixture
def good(backends: Backends) -> Backends:
    """A backend that takes the account and knows it then."""
    backends.answer("people", "people", "POST", json=USER | {"collectionName": "people"})
    backends.answer("people", "people", "POST", SIGN_IN, json={"token": TOKEN, "record": USER})
    return backends


def test_it_shows_the_account_and_signs_in(good: Backends, stranger: FlaskClient) -> None:
    page = stranger.post("/api/signup", json=GIVEN)
    assert (page.status_code, page.json) == (201, {"user": USER})
    session = session_of(page)
    assert session is not None
    assert (session.user, session.tokens) == (USER, {"people": TOKEN})
    assert TOKEN not in page.text + str(page.headers)


def test_it_asks_exactly_this_as_nobody(good: Backends, visitor: FlaskClient) -> None:
    visitor.post("/api/signup", json=GIVEN)
    password = " password-1 "
    made = {"name": "Ann", "email": "ann@example.com", "password": password, "passwordConfirm": password}
    assert good.asked() == [
        (f"POST people: people/{SIGN_IN}", {}, {"identity": "ann@example.com", "password": password}),
        ("POST people: people/records", {}, made),
    ]
    assert [call.target.rpartition("/")[2] for call in good.calls()] == ["records", SIGN_IN]
    assert good.tokens() == {None}


def test_an_address_that_is_taken_is_409(good: Backends, stranger: FlaskClient) -> None:
    data = {"email": {"code": "validation_not_unique", "message": "secret"}}
    good.answer("people", "people", "POST", status=400, json={"message": "secret", "data": data})
    page = stranger.post("/api/signup", json=GIVEN)
    detail = "There is an account with this e-mail address. Sign in instead."
    assert refused(page)[::2] == (409, detail)
    assert page.json["errors"] == [{"pointer": "#/body/email", "detail": "is taken", "rule": "taken"}]
    assert "secret" not in page.text
    assert "Set-Cookie" not in page.headers
    assert len(good.calls()) == 1


@pytest.mark.parametrize(
    ("data", "pointers"),
    [
        ({"email": {"code": "validation_is_email"}}, ["#/body/email"]),
        ({"password": {"code": "x"}, "name": {"code": "y"}}, ["#/body/password", "#/body/name"]),
        ({}, []),
        (None, []),
        ("secret", []),
    ],
)
def test_an_account_that_is_not_accepted_is_422(
    good: Backends, stranger: FlaskClient, data: object, pointers: list[str]
) -> None:
    good.answer("people", "people", "POST", status=400, json={"message": "secret", "data": data})
    page = stranger.post("/api/signup", json=GIVEN)
    assert refused(page) == (422, "accepted", "The name, e-mail address or password is not accepted.")
    assert [error["pointer"] for error in page.json["errors"]] == pointers
    assert {error["rule"] for error in page.json["errors"]} <= {"refused"}
    assert "secret" not in page.text
    assert "Set-Cookie" not in page.headers


@pytest.mark.parametrize("trouble", TROUBLE_WITHOUT_TOKEN)
def test_an_account_that_is_not_made_is_a_problem_and_is_not_made_again(
    good: Backends, stranger: FlaskClient, trouble: str
) -> None:
    reply, kind, status = TROUBLE_WITHOUT_TOKEN[trouble]
    good.answer("people", "people", "POST", **reply)
    page = stranger.post("/api/signup", json=GIVEN)
    assert ended(page) == (status, "status" if trouble in ODD else kind, "created")
    assert "Set-Cookie" not in page.headers
    assert len(good.calls()) == 1


@pytest.mark.parametrize("trouble", TROUBLE_WITHOUT_TOKEN)
def test_an_account_that_cannot_sign_in_yet_says_that_it_was_made(
    good: Backends, stranger: FlaskClient, trouble: str
) -> None:
    reply, kind, status = TROUBLE_WITHOUT_TOKEN[trouble]
    good.answer("people", "people", "POST", SIGN_IN, **reply)
    page = stranger.post("/api/signup", json=GIVEN)
    assert ended(page) == (status, "status" if trouble in ODD else kind, "account")
    assert page.json["done"] == ["created"]
    assert "Set-Cookie" not in page.headers
    assert len(good.calls("people/records")) == 1


@pytest.mark.parametrize(
    "reply", [EMPTY, {"body": "null"}, {"json": {"token": TOKEN}}, {"json": {"record": USER}}]
)
def test_half_a_sign_in_signs_nobody_in(good: Backends, stranger: FlaskClient, reply: dict[str, Any]) -> None:
    good.answer("people", "people", "POST", SIGN_IN, **reply)
    page = stranger.post("/api/signup", json=GIVEN)
    assert ended(page) == (502, "status", "account")
    assert "Set-Cookie" not in page.headers


def test_a_password_that_is_too_long_is_not_in_the_answer(stranger: FlaskClient) -> None:
    password = f"Secret-Passphrase-{'x' * 54}"
    page = stranger.post("/api/signup", json={"name": "A", "email": "a@example.com", "password": password})
    mistake = {"pointer": "#/body/password", "detail": "is longer than 71 characters"}
    assert page.json["errors"] == [mistake | {"rule": "maxLength", "limit": 71}]
    assert "Secret" not in page.text


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["#/body/name", "#/body/email", "#/body/password"]),
        (
            {"name": " ", "email": "no address", "password": "1234567"},
            ["#/body/name", "#/body/email", "#/body/password"],
        ),
        (
            {"name": "x" * 81, "email": f"{'x' * 250}@example.com", "password": "x" * 72},
            ["#/body/name", "#/body/email", "#/body/password"],
        ),
        ({"name": None, "email": 5, "password": []}, ["#/body/name", "#/body/email", "#/body/password"]),
        ([], ["#/body"]),
    ],
)
def test_all_mistakes_are_named_and_no_backend_is_asked(
    backends: Backends, stranger: FlaskClient, body: object, pointers: list[str]
) -> None:
    assert sorted(set(mistakes(stranger.post("/api/signup", json=body)))) == sorted(pointers)
    assert backends.calls() == []
