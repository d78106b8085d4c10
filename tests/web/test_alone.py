"""What a built folder exports: a door without Flask, whose first request for anything else makes Flask's app, once."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import flask
import pytest
from blinker import ANY
from flask import Flask, signals
from werkzeug.test import Client

from bff import create_app
from bff.web import app as of_flask
from bff.web.alone import DoorAlone, open_door
from tests.project import write_built, write_project
from tests.web.both_ways import Sent, got
from tests.web.test_lookout import READERS, SHARED

PAGES = {
    "page": "route: GET /api/page\nauth: none\nshape: 1\n",
    "item": "route: GET /api/items/{id}\nauth: none\nshape: path.id\n",
    "any": "route: GET /{name}\nauth: none\nshape: path.name\n",
    "named": "route: POST /{name}\nauth: none\ninput: {body: {type: object}}\nshape: path.name\n",
}
AT_THE_DOOR = {
    "a page": ("GET", "/api/page", b"1"),
    "a page with a hole": ("GET", "/api/items/7", b'"7"'),
    "a write at a path that Flask has a view at": ("POST", "/readyz", b'"readyz"'),
    "a health check": ("GET", "/healthz", b'{"status":"up"}'),
    "another health check": ("GET", "/readyz", b'{"status":"ready"}'),
    "the head of a health check": ("HEAD", "/readyz", b""),
}
BY_FLASK = {
    "a health check of another method": ("PUT", "/healthz", 405),
    "what is nearly a health check": ("GET", "/healthz/", 200),
    "a file": ("GET", "/", 200),
    "what is for no page": ("GET", "/api/none", 404),
    "a method that no page has": ("PUT", "/api/page", 405),
    "a page in head": ("HEAD", "/api/page", 200),
    "a preflight": ("OPTIONS", "/api/page", 200),
    "a page whose path may be another view's": ("GET", "/other", 200),
}


@pytest.fixture
def without_flask(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has not loaded Flask."""
    monkeypatch.delitem(sys.modules, "flask")


@pytest.fixture
def apps(monkeypatch: pytest.MonkeyPatch) -> list[Flask]:
    """The apps that are made of Flask from now on."""
    made: list[Flask] = []
    make = of_flask.flask_app

    def noted(*given: Any) -> Flask:
        made.append(make(*given))
        return made[-1]

    monkeypatch.setattr(of_flask, "flask_app", noted)
    return made


def folder(root: Path, pages: dict[str, str] = PAGES, **more: Any) -> Path:
    """The built folder of a project with a file."""
    project = write_project(root / "project", pages, **more)
    (project / "public").mkdir()
    (project / "public" / "index.html").write_text("the app")
    return write_built(project, root / "built")


@pytest.fixture
def door(tmp_path: Path, without_flask: None, apps: list[Flask]) -> DoorAlone:
    opened = open_door(folder(tmp_path))
    assert isinstance(opened, DoorAlone)
    return opened


@contextmanager
def heard(sender: Any) -> Iterator[list[object]]:
    """The apps that Flask tells a receiver of, for each request that it dispatches."""
    told: list[object] = []

    def note(app: object, **_: Any) -> None:
        told.append(app)

    with signals.request_started.connected_to(note, sender):
        yield told


@pytest.mark.parametrize("kind", AT_THE_DOOR)
def test_a_page_is_answered_without_flask(door: DoorAlone, apps: list[Flask], kind: str) -> None:
    method, path, body = AT_THE_DOOR[kind]
    found = Client(door).open(path, method=method, json={} if method == "POST" else None)
    assert (found.status_code, found.data, apps) == (200, body, [])


@pytest.mark.parametrize("kind", BY_FLASK)
def test_what_the_door_does_not_know_makes_an_app_that_answers_from_then_on(
    door: DoorAlone, apps: list[Flask], kind: str
) -> None:
    method, path, status = BY_FLASK[kind]
    assert Client(door).open(path, method=method).status_code == status
    [app] = apps
    with heard(app) as told:
        assert Client(door).get("/api/page").data == b"1"
    assert told == [app]


@pytest.mark.parametrize("path", ["/", "/app.js", "/todos/7"])
def test_a_file_is_answered_without_flask(
    path: str, tmp_path: Path, without_flask: None, apps: list[Flask]
) -> None:
    pages = {name: PAGES[name] for name in ("page", "item")}
    door = open_door(folder(tmp_path, pages))
    found = Client(door).get(path)
    assert (found.status_code, found.data, apps) == (200, b"the app", [])


def test_first_requests_for_flask_at_once_make_one_app(door: DoorAlone, apps: list[Flask]) -> None:
    together, found = threading.Barrier(4), []

    def ask() -> None:
        together.wait()
        found.append(Client(door).get("/api/none").status_code)

    threads = [threading.Thread(target=ask) for _ in range(together.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [404] * together.parties
    assert len(apps) == 1


def test_a_child_makes_an_app_though_its_parent_was_about_to(door: DoorAlone, apps: list[Flask]) -> None:
    door._lock.acquire()
    door.begin_anew()
    assert Client(door).get("/api/none").status_code == 404
    assert len(apps) == 1


def test_an_app_that_cannot_be_made_is_tried_again(
    door: DoorAlone, apps: list[Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(of_flask, "PageRoutes", None)
        with pytest.raises(TypeError):
            Client(door).get("/api/none")
    assert Client(door).get("/api/none").status_code == 404


def test_where_flask_is_loaded_later_its_receivers_hear_of_pages(
    door: DoorAlone, apps: list[Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Client(door).get("/api/page").data == b"1"
    monkeypatch.setitem(sys.modules, "flask", flask)
    with heard(ANY) as told:
        assert Client(door).get("/api/page").data == b"1"
    assert told == apps


def test_a_body_has_the_time_of_its_page(door: DoorAlone) -> None:
    seconds = door.extensions["bff"].body_seconds
    assert seconds is not None
    asked = [("POST", "/one"), ("POST", "/healthz"), ("GET", "/api/page"), ("POST", "/api/none/at/all")]
    found = [
        seconds({"REQUEST_METHOD": method, "PATH_INFO": path, "CONTENT_LENGTH": "2"})
        for method, path in asked
    ]
    assert found == [3.0, 3.0, None, None]


# --- health checks --------------------------------------------------------------------------------------------------

CHECKS: dict[str, Sent] = {
    "whether it runs": Sent(path="/healthz"),
    "whether it takes requests": Sent(path="/readyz", query="a=1"),
    "a head": Sent("HEAD", "/readyz"),
    "by address, with an id": Sent(
        path="/readyz", headers={"Host": "10.0.0.7:8080", "X-Request-ID": "probe-1"}
    ),
    "with what other requests have": Sent(
        path="/healthz",
        headers={
            "Origin": "https://other.example",
            "Cookie": "bff-session=x",
            "If-None-Match": "*",
            "Range": "bytes=0-1",
        },
    ),
    "through proxies": Sent(
        path="/healthz", headers={"X-Forwarded-Host": "other.example", "X-Forwarded-Proto": "https"}
    ),
    "as it was sent": Sent(path="/healthz", environ={"RAW_URI": "/healthz?a"}),
    "a name that is not its own": Sent(path="/healthz", environ={"RAW_URI": "/%68ealthz"}),
    "no plain host": Sent(path="/healthz", headers={"Host": "a_b"}),
    "without a host": Sent(path="/healthz", environ={"HTTP_HOST": None}),
    "a method that it has not": Sent("POST", "/healthz"),
    "what it may be asked with": Sent("OPTIONS", "/readyz"),
}
SITES = {
    "plain": {},
    "no policy": {"BFF_CSP": ""},
    "full": {
        **{"BFF_ORIGINS": "https://other.example", "BFF_TRUSTED_PROXIES": "1", "BFF_MAX_PAGES": "8"},
        **{"BFF_THREADS": "64", "BFF_METRICS": "1", "BFF_SERVER_TIMING": "1", "BFF_HOSTS": "app.example"},
    },
}
PLAIN_CHECKS = list(CHECKS)[:7]


@pytest.mark.parametrize("stopping", [False, True], ids=["ready", "stopping"])
@pytest.mark.parametrize("settings", SITES)
@pytest.mark.parametrize("kind", CHECKS)
def test_a_health_check_is_answered_as_flask_answers_it(
    tmp_path: Path,
    apps: list[Flask],
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    settings: str,
    stopping: bool,
) -> None:
    for name, value in SITES[settings].items():
        monkeypatch.setenv(name, value)
    pages = {"page": PAGES["page"]}
    root = folder(tmp_path, pages)
    asked = create_app(root)
    with monkeypatch.context() as patched:
        patched.delitem(sys.modules, "flask")
        alone = open_door(root)
        assert isinstance(alone, DoorAlone)
        apps.clear()
        for app in (alone, asked):
            app.extensions["bff"].stopping = stopping
        found = got(alone, CHECKS[kind])
    assert found == got(asked.wsgi_app, CHECKS[kind])
    assert apps == [] or kind not in PLAIN_CHECKS
    assert found.log == []


def test_a_health_check_finds_flask_where_it_is_loaded_already(door: DoorAlone, apps: list[Flask]) -> None:
    Client(door).get("/api/none")
    [app] = apps
    with heard(app) as told:
        assert Client(door).get("/healthz").json == {"status": "up"}
    assert told == [app]


# --- who may look on ------------------------------------------------------------------------------------------------

FILTER = """
import logging

from bff import Client, env


class Asks(logging.Filter):
    def filter(self, record):
        from flask import request

        record.path = request.path
        return True


logging.getLogger("bff.page").addFilter(Asks())
client = Client(base_url=env("PEOPLE_URL", default="http://people.test"))
"""
CALLS = {"page": "route: GET /api/page\nauth: none\nshape: agent()\n"}


@pytest.fixture
def loaded(without_flask: None) -> Iterator[None]:
    """What a project loads, and hears, ends with the test."""
    log = logging.getLogger("bff.page")
    yield
    log.filters.clear()


@pytest.mark.parametrize("reader", [name for name in READERS if name != "of a package"])
def test_where_a_function_may_read_flasks_request_an_app_is_made_at_once(
    tmp_path: Path, loaded: None, reader: str
) -> None:
    opened = open_door(folder(tmp_path, CALLS, functions={"functions": READERS[reader], "_shared": SHARED}))
    assert isinstance(opened, Flask)
    assert opened.test_client().get("/api/page", headers={"User-Agent": "mine"}).json == "mine"


def test_where_a_client_has_a_filter_that_reads_flasks_request_an_app_is_made_at_once(
    tmp_path: Path, loaded: None
) -> None:
    project = write_project(
        tmp_path,
        {"page": "route: GET /api/page\nauth: none\nsteps:\n  p: {client: people, get: /}\nshape: p\n"},
    )
    (project / "clients" / "people.py").write_text(FILTER)
    assert isinstance(open_door(write_built(project, tmp_path / "built")), Flask)


WATCHED: dict[str, Callable[[pytest.MonkeyPatch], object]] = {
    "Flask": lambda patch: patch.setitem(sys.modules, "flask", flask),
    "the debugger": lambda patch: patch.setenv("FLASK_DEBUG", "1"),
}


@pytest.mark.parametrize("what", WATCHED)
def test_where_it_is_loaded_an_app_is_made_at_once(
    tmp_path: Path, without_flask: None, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    WATCHED[what](monkeypatch)
    assert isinstance(open_door(folder(tmp_path)), Flask)
