"""Recipes that write, and requests that may be repeats."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet
from flask.testing import FlaskClient

from tests.project import LOGIN

KEY = Fernet.generate_key().decode()
ADD = """
    route: POST /api/rows/{kind}
    auth: optional
    input:
      query:
        q: {type: string}
      body:
        type: object
        properties:
          title: {type: string}
    steps:
      made:
        client: todos
        post: /rows
        timeout: 2s
        body: body
    status: 201
    headers:
      Location: f"/api/rows/{url_encode(made.id)}"
      X-Own: f"own"
    shape:
      id: made.id
      title: body.title
    """
RENEW = """
    route: POST /api/renew
    steps:
      made: {client: todos, post: /rows}
    session:
      user:
        id: user.id
    shape: made
    """
OTHER = "route: PUT /api/other\nsteps:\n  made: {client: todos, post: /rows}\nshape: made\n"
RECIPES = {"login": LOGIN, "add": ADD, "renew": RENEW, "other": OTHER}


def add(
    visitor: FlaskClient, key: str | None = "key-1", title: str = "tea", path: str = "/api/rows/a"
) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return visitor.post(path, json={"title": title}, headers=headers)


def kind(found: Any) -> tuple[int, str]:
    return found.status_code, found.json["type"].removeprefix("urn:bff:problem:")
