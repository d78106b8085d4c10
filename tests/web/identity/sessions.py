"""A site to sign in to, and what a visitor does there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from flask.testing import FlaskClient

from bff import create_app
from tests.project import write_project

KEY, OLD_KEY = Fernet.generate_key().decode(), Fernet.generate_key().decode()
TOKEN = "visitor-token-7"
LOGIN = """
    route: POST /api/login
    auth: none
    input:
      body:
        type: object
        required: [name]
        properties:
          name: {type: string}
          padding: {type: string}
    steps:
      found:
        client: people
        post: /auth
        safe: true
        body:
          name: body.name
        on_status:
          400: null
      known:
        require: found is not None
        fail:
          status: 401
          detail: f"This name and password do not fit."
    session:
      user:
        id: found.id
        name: body.name
        padding: body.padding
      tokens:
        people: found.token
      expires: default(found.expires, now(28800))
    shape:
      id: found.id
    """
LOGOUT = "route: POST /api/logout\nauth: optional\nsession: null\n"
MINE = """
    route: GET /api/mine
    steps:
      me:
        client: people
        get: /me
        cache: 60s
      todos:
        client: todos
        get: /todos
        query:
          owner: user.id
    shape:
      name: me.name
      todos: todos
      user: user
    """
ANY = "route: GET /api/any\nauth: optional\nshape:\n  user: user\n"
CHANGE = "route: POST /api/change\nshape:\n  by: user.id\n"
RECIPES = {"login": LOGIN, "logout": LOGOUT, "mine": MINE, "any": ANY, "change": CHANGE}


def site(root: Path, login: str = LOGIN, **environ: str) -> FlaskClient:
    write_project(root, {**RECIPES, "login": login})
    (root / "clients" / "people.py").write_text(
        'from bff import Client, forward_token\nclient = Client("http://people.test", auth=forward_token("people"))\n'
    )
    return create_app(root, environ={"BFF_SESSION_KEYS": KEY, **environ}).test_client()


def sign_in(client: FlaskClient, **more: Any) -> Any:
    return client.post("/api/login", json={"name": "Ann", **more.pop("body", {})}, **more)


def cookie_of(client: FlaskClient) -> str:
    found = client.get_cookie("bff-session")
    assert found is not None
    return found.value
