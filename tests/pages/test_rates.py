"""`rate_limit` of this app: what is costly, or open to strangers, may not be asked for without end."""

from __future__ import annotations

import time

import pytest
from flask import Flask
from flask.testing import FlaskClient

from bff.identity import Session, SessionSeal
from tests.pages.backends import Backends
from tests.pages.conftest import SESSION_KEY
from tests.servers import own_address

LIMITED = {
    "login": ("POST /api/login", 60),
    "signup": ("POST /api/signup", 60),
    "add_picture": ("POST /api/picture", 20),
    "replace_picture": ("PUT /api/picture", 20),
    "remove_todos": ("POST /api/todos/remove", 30),
}
WHO = "somebody0000000"
_FREE = {"logout"}
"""Open to strangers, and asks no backend."""


def test_what_strangers_may_ask_backends_for_is_limited(project: Flask) -> None:
    recipes = {name: page.recipe for name, page in project.extensions["bff"].pages.items()}
    limits = {
        name: (recipe.rate_limit.count, recipe.rate_limit.period)
        for name, recipe in recipes.items()
        if recipe.rate_limit
    }
    assert limits == {name: (count, 60.0) for name, (_, count) in LIMITED.items()}
    assert {name for name, recipe in recipes.items() if recipe.auth == "none"} - limits.keys() == _FREE


@pytest.mark.parametrize("name", ["login", "signup"])
def test_a_stranger_who_tries_too_often_waits_and_nobody_else_does(
    backends: Backends, stranger: FlaskClient, name: str
) -> None:
    path = LIMITED[name][0].split()[1]
    # Not even what is not worth a look at a backend is free: an address is counted before its input is read.
    tries = [stranger.post(path, json={"email": 1}) for _ in range(60)]
    assert {page.status_code for page in tries} == {400}
    refused = stranger.post(path, json={"email": "ann@example.com", "password": "password-1"})
    assert (refused.status_code, refused.json["type"]) == (429, "urn:bff:problem:too-many-requests")
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    other = stranger.post(path, json={"email": 1}, environ_base={"REMOTE_ADDR": own_address()})
    assert other.status_code == 400
    assert backends.calls() == []


@pytest.fixture
def somebody(stranger: FlaskClient) -> FlaskClient:
    """Somebody who signed in, whom no other test counts."""
    session = Session({"id": WHO}, {"people": "token"}, int(time.time()) + 3600)
    stranger.set_cookie("bff-session", SessionSeal([SESSION_KEY], 3600).seal(session, time.time()))
    return stranger


@pytest.mark.parametrize("name", ["add_picture", "replace_picture", "remove_todos"])
def test_a_visitor_is_counted_wherever_they_are(backends: Backends, somebody: FlaskClient, name: str) -> None:
    (method, path), count = LIMITED[name][0].split(), LIMITED[name][1]
    backends.answer("people", "pictures", "POST", json={})
    backends.answer("people", "pictures", "PATCH", f"records/{WHO}", json={})

    def ask() -> int:
        return somebody.open(
            path, method=method, data="no body of this page", environ_base={"REMOTE_ADDR": own_address()}
        ).status_code

    statuses = [ask() for _ in range(count + 1)]
    assert statuses[-1] == 429
    assert 429 not in statuses[:-1]
