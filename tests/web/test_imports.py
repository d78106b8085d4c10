"""What a first page loads: a process starts as fast as its imports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from cryptography.fernet import Fernet

from tests.project import write_built, write_project

ROOT = Path(__file__).parents[2]
PAGE = """
    route: GET /page
    auth: none
    steps:
      day:
        value: now()
    shape: day
    """
# With what most pages have: a backend over plain HTTP, somebody who may have signed in, and input that fits.
USUAL = """
    route: GET /page
    auth: optional
    deadline: 10s
    input:
      query:
        limit:
          type: integer
          minimum: 1
          default: 10
    steps:
      todos:
        client: todos
        get: /todos
        query:
          limit: query.limit
    shape:
      each: todo in todos
      item:
        title: todo.title
    """
# What only some pages need: input, sessions, retries, Redis, traces, tests; and servers, which are not ours to load.
ONLY_SOME = {
    *(
        "asyncio",
        "cryptography",
        "granian",
        "graphql",
        "jsonschema",
        "jsonschema_rs",
        "jwt",
        "limits",
        "opentelemetry",
    ),
    *("prometheus_client", "pytest", "redis", "responses", "tenacity", "unittest", "werkzeug.debug"),
    *(
        "bff.dev",
        "bff.executor.bulk",
        "bff.identity.bearer",
        "bff.identity.seals",
        "bff.testing",
        "bff.web.metrics",
        "bff.web.tracing",
        "zoneinfo",
    ),
    # Bodies that are no JSON, from backends and to visitors.
    *("bff.executor.formatted", "bff.plan.formats", "bff.web.tables"),
    # Mocks, proxies, signatures, https and what is handed through need requests; plain HTTP does not.
    *("bff.http.stock.sending", "bff.http.stock.streaming", "requests", "urllib3"),
}
# What answers all but pages.
FLASK = {"blinker", "click", "flask", "itsdangerous", "jinja2", "markupsafe", "werkzeug"}
# Of Python's own: what only mistakes, dates, https, files and writers of records need.
OF_PYTHON = {
    *(
        "ast",
        "dataclasses",
        "email",
        "gzip",
        "hashlib",
        "http",
        "importlib.abc",
        "inspect",
        "mimetypes",
        "secrets",
        "shutil",
    ),
    *("ssl", "tempfile"),
}
# What makes pages of recipes.
AUTHORS = {
    *(
        f"bff.recipe.{name}"
        for name in ("check", "composition", "graph", "keys", "loader", "schema", "source", "taint")
    ),
    *("bff.deploy", "bff.explaining", "bff.plan.planner", "bff.plan.planning", "bff.plan.used_paths", "yaml"),
    *(f"bff.expressions.{name}" for name in ("compile", "generate", "grammar", "inspect", "parse", "tokens")),
    # The whole library; what few pages call is loaded for them alone.
    *(
        f"bff.expressions.{name}"
        for name in (
            "days",
            "functions",
            "instants",
            "languages",
            "moments",
            "patterns",
            "seals",
            "texts",
            "zones",
        )
    ),
    "re2",
}
NEVER = ONLY_SOME | FLASK | OF_PYTHON | AUTHORS
ASK = """
import json, os, sys
from bff import create_app

answer = create_app(sys.argv[1], environ=json.loads(sys.argv[2])).test_client().get("/page?limit=2")
assert answer.status_code == 200, answer.data
print(json.dumps(sorted(sys.modules)))
"""
ASK_THE_DOOR = """
import io, json, sys

before = set(sys.modules)  # those of a start of Python here
sys.modules["typing_extensions"] = None  # msgspec would load it where tests have it; no bundle does
from bff.web.alone import open_door

environ = {
    "REQUEST_METHOD": "GET", "QUERY_STRING": "limit=2", "HTTP_HOST": "app.example:18080",
    "SERVER_NAME": "app.example", "SERVER_PORT": "18080", "REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": "http",
    "wsgi.input": io.BytesIO(),
}
said = []
door = open_door(sys.argv[1])
for path in ("/healthz", "/readyz", "/page"):
    answer = b"".join(door(environ | {"PATH_INFO": path}, lambda status, headers: said.append(status)))
assert said == ["200 OK"] * 3, (said, answer)
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def loaded(root: Path, environ: dict[str, str] | None = None, ask: str = ASK_THE_DOOR) -> set[str]:
    """The modules that a process has loaded when it has answered health checks, and then its first page."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("BFF_", "OTEL_"))}
    given = environ or {}
    command = [sys.executable, "-c", ask, str(root), json.dumps(given)]
    done = subprocess.run(command, cwd=ROOT, env=plain | given, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture
def backend() -> Iterator[str]:
    """The address of a backend that has two todos."""

    class Todos(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b'[{"title": "a", "done": true}, {"title": "b", "done": false}]'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Todos) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_page_loads_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    found = loaded(write_project(tmp_path, {"page": PAGE}), ask=ASK)
    assert "flask" in found
    assert found & ONLY_SOME == set()


def test_a_built_page_loads_neither_flask_nor_what_reads_recipes(tmp_path: Path) -> None:
    root = write_built(write_project(tmp_path / "recipes", {"page": PAGE}), tmp_path / "built")
    assert loaded(root) & NEVER == set()


def test_the_usual_page_loads_what_opens_sessions_and_no_more(tmp_path: Path, backend: str) -> None:
    root = write_built(write_project(tmp_path / "recipes", {"page": USUAL}), tmp_path / "built")
    found = loaded(root, {"TODOS_URL": backend, "BFF_SESSION_KEYS": Fernet.generate_key().decode()})
    assert found & NEVER == {"cryptography"}


def test_a_page_with_a_graphql_document_loads_what_reads_it_only_from_its_recipe(
    tmp_path: Path, backend: str
) -> None:
    page = """
    route: GET /page
    auth: none
    deadline: 10s
    steps:
      todos:
        client: todos
        graphql: queries/todos.graphql
        fallback: null
    shape: todos.all
    """
    source = write_project(tmp_path / "recipes", {"page": page})
    (source / "queries").mkdir()
    (source / "queries" / "todos.graphql").write_text("query { all { title } }")
    root = write_built(source, tmp_path / "built")
    assert not (root / "queries").exists()
    assert "graphql" in loaded(source, {"TODOS_URL": backend})
    assert loaded(root, {"TODOS_URL": backend}) & (NEVER - {"tenacity"}) == set()


OF_TIME = """
    route: GET /page
    auth: none
    input:
      query: {limit: {type: integer}}
      headers: {Accept-Language: {type: string}}
    shape:
      begun: start_of(now(), 'day', 'Asia/Shanghai') <= instant(now())
      language: default(language(headers['Accept-Language'], ['de', 'en']), 'en')
    """


def test_a_built_page_loads_the_rooms_whose_functions_it_calls(tmp_path: Path) -> None:
    root = write_built(write_project(tmp_path / "recipes", {"page": OF_TIME}), tmp_path / "built")
    rooms = {f"bff.expressions.{name}" for name in ("instants", "languages", "zones")}
    assert {name for name in loaded(root) & NEVER if name.startswith("bff.")} == rooms


@pytest.mark.parametrize("name", ["assembly", "door", "page", "answer", "frame", "problems", "site", "table"])
def test_the_door_and_what_stands_behind_it_know_no_flask(name: str) -> None:
    asked = f"import sys, bff.web.{name}; print([*{{'flask', 'werkzeug'}} & set(sys.modules)])"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
