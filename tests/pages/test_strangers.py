"""Who has not signed in sees no page, and no backend is asked for them."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.pages.backends import Backends
from tests.pages.conftest import ANN, ID

PAGES = {
    "add_picture": "POST /api/picture",
    "add_todo": "POST /api/todos",
    "comment": f"POST /api/todos/{ID}/comments",
    "edit_todo": f"PATCH /api/todos/{ID}",
    "home": "GET /api/home",
    "notices": "GET /api/notices",
    "people": "GET /api/people",
    "picture": f"GET /api/people/{ANN['id']}/picture/ann_1.png",
    "remove_picture": "DELETE /api/picture",
    "replace_picture": "PUT /api/picture",
    "remove_todo": f"DELETE /api/todos/{ID}",
    "remove_todos": "POST /api/todos/remove",
    "stats": "GET /api/stats",
    "todo": f"GET /api/todos/{ID}",
}


def test_only_signing_up_in_and_out_are_for_strangers(project: Flask) -> None:
    recipes = {name: page.recipe.auth for name, page in project.extensions["bff"].pages.items()}
    assert recipes == dict.fromkeys(PAGES, "required") | dict.fromkeys(("login", "logout", "signup"), "none")


@pytest.mark.parametrize("name", PAGES)
def test_a_stranger_is_asked_to_sign_in(backends: Backends, stranger: FlaskClient, name: str) -> None:
    method, path = PAGES[name].split()
    page = stranger.open(path, method=method, json={"title": ""})
    assert (page.status_code, page.json["type"]) == (401, "urn:bff:problem:unauthorized")
    assert page.json["detail"] == "Sign in to see this page."
    assert backends.calls() == []


@pytest.mark.parametrize("name", PAGES)
def test_a_cookie_that_is_not_ours_is_taken_away(backends: Backends, visitor: FlaskClient, name: str) -> None:
    method, path = PAGES[name].split()
    visitor.set_cookie("bff-session", "gAAAAAforged")
    page = visitor.open(path, method=method, json={"title": ""})
    assert page.status_code == 401
    assert "bff-session=;" in page.headers["Set-Cookie"] and "Max-Age=0" in page.headers["Set-Cookie"]
    assert backends.calls() == []
