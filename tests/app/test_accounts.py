"""Accounts: signing up, in and out, on the real backend."""

from __future__ import annotations

import base64
import json
import time

import pytest

from clients.local.pocketbase import Backend
from tests.app.conftest import Account
from tests.servers import Layer, Visitor

pytestmark = pytest.mark.backend


def problem(answer: object) -> tuple[int, str]:
    return answer.status_code, answer.json()["detail"]  # type: ignore[attr-defined]


def test_a_new_account_is_signed_in_at_once_and_has_no_todos(account: Account) -> None:
    ann = account("Ann 安")
    home = ann.ask("GET", "/api/home").json()
    assert (home["me"]["name"], home["todos"], home["total"]) == ("Ann 安", [], 0)


def test_an_address_has_one_account(app: Layer, account: Account) -> None:
    ann = account()
    email = ann.ask("GET", "/api/home").json()["me"]["email"]
    answer = Visitor(app.url).ask(
        "POST", "/api/signup", json={"name": "Eve", "email": email, "password": "password-2"}
    )
    assert problem(answer) == (409, "There is an account with this e-mail address. Sign in instead.")
    taken = {"pointer": "#/body/email", "detail": "is taken", "rule": "taken"}
    assert answer.json()["errors"] == [taken]


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"password": "short"}, "#/body/password"),
        ({"password": "x" * 72}, "#/body/password"),
        ({"email": "no address"}, "#/body/email"),
        ({"name": " "}, "#/body/name"),
    ],
)
def test_a_sign_up_names_what_is_wrong(app: Layer, changed: dict[str, str], pointer: str) -> None:
    body = {"name": "Ann", "email": "wrong@example.com", "password": "password-1", **changed}
    answer = Visitor(app.url).ask("POST", "/api/signup", json=body)
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_a_wrong_password_is_401_in_plain_words(app: Layer, account: Account) -> None:
    email = account().ask("GET", "/api/home").json()["me"]["email"]
    for body in ({"email": email, "password": "wrong"}, {"email": "nobody@example.com", "password": "wrong"}):
        answer = Visitor(app.url).ask("POST", "/api/login", json=body)
        assert problem(answer) == (401, "This e-mail address and password do not fit together.")
        assert "Set-Cookie" not in answer.headers


def test_signing_out_and_in_again(app: Layer, account: Account) -> None:
    ann = account()
    email = ann.ask("GET", "/api/home").json()["me"]["email"]
    assert ann.ask("POST", "/api/logout").status_code == 204
    assert ann.ask("GET", "/api/home").status_code == 401
    assert ann.ask("POST", "/api/login", json={"email": email, "password": "password-1"}).status_code == 200
    assert ann.ask("GET", "/api/home").json()["me"]["id"] == ann.id


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/home"),
        ("GET", "/api/todos/aaaaaaaaaaaaaaa"),
        ("POST", "/api/todos"),
        ("PATCH", "/api/todos/aaaaaaaaaaaaaaa"),
        ("DELETE", "/api/todos/aaaaaaaaaaaaaaa"),
        ("POST", "/api/todos/remove"),
        ("POST", "/api/todos/aaaaaaaaaaaaaaa/comments"),
        ("GET", "/api/people"),
        ("GET", "/api/notices"),
        ("GET", "/api/stats"),
    ],
)
def test_strangers_are_asked_to_sign_in_by_every_page(app: Layer, method: str, path: str) -> None:
    answer = Visitor(app.url).ask(method, path, json={"title": "x"})
    assert problem(answer) == (401, "Sign in to see this page.")


def test_the_session_ends_no_later_than_the_backends_token(
    app_backend: Backend, app: Layer, account: Account
) -> None:
    ann = account()
    cookie = next(cookie for cookie in ann.session.cookies if cookie.name == "bff-session")
    email = ann.ask("GET", "/api/home").json()["me"]["email"]
    made = app_backend.request(
        "POST", "/api/collections/people/auth-with-password", {"identity": email, "password": "password-1"}
    )
    part = made["token"].split(".")[1]
    token_ends = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["exp"]
    assert cookie.expires is not None and time.time() < cookie.expires <= token_ends


@pytest.mark.parametrize("path", ["/api/home", "/api/stats"])
def test_a_token_that_the_backend_no_longer_knows_is_401_and_no_empty_page(
    app_backend: Backend, account: Account, path: str
) -> None:
    ann = account()
    ann.add("Tea")
    # A new password makes every earlier token invalid; to such a token PocketBase shows empty lists.
    app_backend.request(
        "PATCH",
        f"/api/collections/people/records/{ann.id}",
        {"password": "password-3", "passwordConfirm": "password-3"},
    )
    assert problem(ann.ask("GET", path)) == (401, "This session is over.")
