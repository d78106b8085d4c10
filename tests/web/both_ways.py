"""Two apps of one project: one whose pages the door answers, and one that Flask dispatches because a hook looks on."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from msgspec import Struct, field
from werkzeug.test import EnvironBuilder, run_wsgi_app

from bff import create_app
from bff.http import StreamBroke
from bff.web.alone import Unwatched
from bff.web.app import flask_app
from bff.web.assembly import load_site
from tests.fakes import FakeBackend, Received, Wire, answer, half
from tests.project import BACKENDS, LOGIN, write_project
from tests.web.echo import ECHO
from tests.web.lines.pages import TODOS
from tests.web.passing.pages import DOWN, UP

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

KEY = Fernet.generate_key().decode()
FULL = {
    "BFF_ORIGINS": "https://app.example",
    "BFF_TRUSTED_PROXIES": "1",
    "BFF_MAX_PAGES": "8",
    "BFF_THREADS": "64",
    "BFF_METRICS": "1",
    "BFF_SERVER_TIMING": "1",
    "BFF_HOSTS": "app.example, localhost",
}
SETTINGS = {"plain": {}, "full": FULL}
RECIPES = {
    "home": "route: GET /api/home\nauth: none\nsteps:\n  day:\n    value: 1\nshape:\n  day: day\n",
    "kept": "route: GET /api/kept\nauth: none\ncache: {max_age: 60s, shared_max_age: 10s}\nshape: 1\n",
    "outside": "route: GET /outside\nauth: none\nshape: 2\n",
    "item": """
        route: GET /api/items/{id}
        auth: none
        input:
          path: {id: {type: integer}}
          query:
            tags: {type: array, items: {type: string}}
            text: {type: string}
        steps:
          tags: {value: "[tag for tag in query.tags]"}
        shape: {id: path.id, tags: tags, text: query.text}
        """,
    "named": "route: GET /api/named/{name}/of/{other}\nauth: none\nshape: path\n",
    "search": """
        route: GET /api/search
        auth: optional
        input:
          query:
            status: {type: string, enum: [open, done], default: open}
            limit: {type: integer, minimum: 1, maximum: 100, default: 10}
          headers:
            X-Team: {type: string}
        shape: {who: user.id, query: query, team: "headers['X-Team']"}
        """,
    "mine": "route: GET /api/mine\nshape: user\n",
    "change": "route: POST /api/change\nstatus: 201\nshape: user\n",
    "echo": ECHO,
    "login": LOGIN,
    "logout": "route: POST /api/logout\nauth: optional\nsession: null\n",
    "nothing": "route: POST /api/nothing\nauth: none\n",
    "moved": """
        route: GET /api/moved/{to}
        auth: none
        status: 303
        headers:
          Location: f"/seite/{url_encode(path.to)}"
          Content-Location: f"/teile/{path.to}"
        shape: 1
        """,
    "headed": """
        route: GET /api/headed
        auth: none
        headers:
          X-Count: 3
          X-None: null
          X-List: '["a", "b"]'
          Link: f"</style.css>; rel=preload"
        shape: 1
        """,
    "status": """
        route: GET /api/status/{code}
        auth: none
        input: {path: {code: {type: integer}}}
        status: path.code
        shape: 1
        """,
    "partial": """
        route: GET /api/partial
        auth: none
        steps:
          notice: {client: notices, get: /broken, retries: 0, fallback: null}
        shape: {notice: notice.text, errors: errors}
        """,
    "broken": """
        route: GET /api/broken
        auth: none
        steps:
          notice: {client: notices, get: /broken, retries: 0}
        shape: notice
        """,
    "write": """
        route: POST /api/write
        auth: optional
        steps:
          row: {client: todos, post: /rows, body: {a: 1}, idempotency_key: true}
        shape: {id: row.id}
        """,
    "guarded": """
        route: GET /api/guarded
        auth: none
        steps:
          no: {require: 1 == 2, fail: {status: 409, title: f"No", detail: f"Not so."}}
        shape: 1
        """,
    "raises": "route: GET /api/raises\nauth: none\nshape: fails()\n",
    "rated": "route: GET /api/rated\nauth: none\nrate_limit: 1/h\nshape: 1\n",
    "lines": """
        route: GET /api/page
        auth: none
        steps:
          todos: {client: todos, get: /todos}
          late: {client: notices, get: "/late/{todos[0].id}", fallback: null, defer: true}
        shape: {todos: todos, late: late.text}
        """,
    "down": DOWN,
    "up": UP,
}  # fmt: skip
FUNCTIONS = {"functions": "def fails():\n    raise RuntimeError('secret')\n"}


class Sent(Struct, frozen=True):
    """A request as a server hands it on; `environ` is set last, None takes a name out."""

    method: str = "GET"
    path: str = "/api/home"
    query: str = ""
    headers: Mapping[str, str] = {}
    body: bytes = b""
    environ: Mapping[str, Any] = field(default_factory=dict)

    def made(self) -> dict[str, Any]:
        made = EnvironBuilder("/", method=self.method, headers=dict(self.headers)).get_environ()
        made |= {"PATH_INFO": self.path, "QUERY_STRING": self.query, "wsgi.input": io.BytesIO(self.body)}
        if self.body:
            made["CONTENT_LENGTH"] = str(len(self.body))
            made.setdefault("CONTENT_TYPE", "application/json")
        made |= {"RAW_URI": None, "REQUEST_URI": None, **self.environ}
        return {name: value for name, value in made.items() if value is not None}


class Got(Struct, frozen=True):
    """What comes of a request; what differs from one time to the next is left out."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes
    log: list[dict[str, Any]]


class TwoWays:
    """The apps, and a backend that both ask."""

    def __init__(self, root: Path, backend: FakeBackend, settings: Mapping[str, str]) -> None:
        environ = {f"{name.upper()}_URL": backend.url for name in BACKENDS}
        environ |= {"BFF_SESSION_KEYS": KEY, **settings}
        self.door, self.flask = (create_app(root, environ=environ) for _ in range(2))
        self.flask.before_request(lambda: None)
        self.apps = (self.door, self.flask)
        self.dispatched = dispatched(self.door)
        made = load_site(root, None, environ, None)
        self.behind = flask_app(made)
        self.alone = made.in_front_of(self._by_flask, Unwatched(made))
        self.by_flask: list[str] = []

    def ask(self, sent: Sent) -> tuple[Got, Got]:
        """What both make of a request."""
        return got(self.door.wsgi_app, sent), got(self.flask.wsgi_app, sent)

    def ask_alone(self, sent: Sent) -> tuple[Got, Got]:
        """What a door without Flask makes of a request, as one that never had Flask before; and Flask's."""
        with pytest.MonkeyPatch.context() as patch:
            patch.delitem(sys.modules, "flask")
            found = got(self.alone, sent)
        return found, got(self.flask.wsgi_app, sent)

    def _by_flask(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.by_flask.append(environ.get("PATH_INFO", ""))
        return Flask.wsgi_app(self.behind, environ, start_response)


def project(root: Path) -> Path:
    write_project(root, RECIPES, functions=FUNCTIONS)
    (root / "public").mkdir()
    (root / "public" / "index.html").write_text("the app " * 100)
    (root / "public" / "app.js").write_text("export {};")
    (root / "public" / "img").mkdir()
    (root / "public" / "img" / "a.svg").write_text("<svg/>")
    return root


def scripted(backend: FakeBackend) -> FakeBackend:
    backend.on("GET /todos", answer(json=TODOS))
    backend.on("GET /late/1", _late)
    backend.on("GET /broken", answer(500, json={"error": "secret"}))
    backend.on("POST /rows", answer(201, json={"id": 7}))
    backend.on("GET /files/a.png", answer(headers={"Content-Type": "image/png"}, body=b"png" * 1000))
    backend.on("GET /files/cut.png", half)
    backend.on("PUT /files/a.png", answer(headers={"Content-Type": "text/plain"}, body=b"ok"))
    return backend


def _late(received: Received, wire: Wire) -> None:
    """Answers when the first line has long been made."""
    threading.Event().wait(0.1)
    answer(json={"text": "Hello"})(received, wire)


def dispatched(app: Flask) -> list[str]:
    """The paths that Flask dispatches from now on; watching makes no difference to the door."""
    seen: list[str] = []
    full = app.full_dispatch_request

    def noted() -> Any:
        from flask import request

        seen.append(request.path)
        return full()

    app.full_dispatch_request = noted  # type: ignore[method-assign]
    return seen


def read(app: Flask, sent: Sent) -> None:
    """Reads an answer to its end, and keeps nothing of it."""
    pieces = app.wsgi_app(sent.made(), lambda *_: lambda _: None)
    with suppress(StreamBroke):
        for _ in pieces:
            pass
    if (close := getattr(pieces, "close", None)) is not None:
        close()


def got(app: WSGIApplication, sent: Sent) -> Got:
    with _logged() as lines:
        pieces, status, headers = run_wsgi_app(app, sent.made())
        try:
            body = b"".join(pieces)
        except Exception as error:  # a body that breaks off
            body = f"broken: {type(error).__name__}".encode()
        finally:
            if (close := getattr(pieces, "close", None)) is not None:
                close()
    # Date is set by the server where the app does not.
    settled = [_settled(*pair) for pair in headers if pair[0] != "Date"]
    return Got(status, settled, _body(body), [_line(line) for line in lines()])


@contextmanager
def _logged() -> Iterator[Callable[[], list[str]]]:
    """What gives the lines of pages; whoever listens is of a module that does not know Flask."""
    log, written = logging.getLogger("bff.page"), io.StringIO()
    listener = logging.StreamHandler(written)
    level = log.level
    log.addHandler(listener)
    log.setLevel(logging.INFO)
    try:
        yield lambda: written.getvalue().splitlines()
    finally:
        log.setLevel(level)
        log.removeHandler(listener)


def _settled(name: str, value: str) -> tuple[str, str]:
    if name == "X-Request-ID" and re.fullmatch("[0-9a-f]{32}", value):
        return name, "<id>"
    if name == "Set-Cookie":
        value = re.sub(r"=[^;]{40,}", "=<sealed>", value)
        value = re.sub(r"Expires=[^;]+", "Expires=<date>", value)
    return name, re.sub(r"dur=[0-9.]+", "dur=<ms>", value) if name == "Server-Timing" else value


def _body(body: bytes) -> bytes:
    return re.sub(rb'"instance": ?"[0-9a-f]{32}"', b'"instance": "<id>"', body)


def _line(text: str) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(text)
    line["time"] = re.sub(r"\d", "0", line["time"])
    line["request_id"] = re.sub("[0-9a-f]{32}", "<id>", line["request_id"])
    for timed in (line, *line["steps"].values()):
        timed["ms"] = type(timed["ms"]).__name__
    return line


__all__ = ["FULL", "KEY", "SETTINGS", "Got", "Sent", "TwoWays", "dispatched", "got", "project", "scripted"]
