"""Recipes that read and write, and what a visitor does with them."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet
from flask.testing import FlaskClient

from tests.fakes import FakeBackend
from tests.project import BACKENDS

KEY = Fernet.generate_key().decode()
HOME = """
    route: GET /api/home
    auth: optional
    steps:
      shell: {recipe: shell}
      mine:
        client: todos
        get: /mine
        query: {owner: user.id}
        cache: 10m
      all:
        client: todos
        get: /all
        cache: {ttl: 1m, stale_if_error: 5m}
    shape: {mine: mine, all: all, name: shell}
    """
SHELL = """
    auth: optional
    steps:
      name: {client: people, get: /name, query: {of: user.id}, cache: 10m}
    shape: name
    """
WRITE = """
    route: POST /api/write
    auth: {auth}
    {more}
    steps:
      written: {{client: todos, post: /rows, timeout: 2s{write}}}
      {below}
    shape: {{written: written{shape}}}
    """
UPLOAD = """
    route: PUT /api/upload
    auth: optional
    pass: true
    {upload}
    steps:
      file: {{client: todos, put: /file, timeout: 500ms}}
    """
DOWNLOAD = """
    route: GET /api/download
    auth: optional
    pass: true
    steps:
      file: {client: todos, get: /file}
    """
ALL, MINE, NAME = "all", "mine", "name"
Home = dict[str, int]


def urls(backend: FakeBackend) -> dict[str, str]:
    return {f"{name.upper()}_URL": backend.url for name in BACKENDS}


def look(visitor: FlaskClient) -> Home:
    found = visitor.get("/api/home")
    assert found.status_code == 200
    page: Home = found.json
    return page


def write(visitor: FlaskClient, status: int = 200, **headers: str) -> Any:
    found = visitor.post(
        "/api/write", headers={name.replace("_", "-"): text for name, text in headers.items()}
    )
    assert found.status_code == status, found.text
    return found


def cookies(found: Any) -> list[str]:
    return [text.split("=")[0] for text in found.headers.getlist("Set-Cookie")]


def move(visitor: FlaskClient, other: FlaskClient) -> None:
    """Take a visitor's cookies to another instance."""
    for name in ("bff-session", "bff-written"):
        cookie = visitor.get_cookie(name)
        if cookie is not None:
            other.set_cookie(name, cookie.value)


def changed(before: Home, after: Home) -> set[str]:
    return {name for name in before if before[name] != after[name]}


def session(visitor: FlaskClient) -> str:
    cookie = visitor.get_cookie("bff-session")
    assert cookie is not None
    return f"bff-session={cookie.value}"
