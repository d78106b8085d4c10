"""What tests of the project's own recipes share: mocked backends, an app on them, and all that can go wrong."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import responses
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bff import create_app
from bff.http.budget import Budget
from bff.http.cache.reply_cache import cache_of
from bff.http.gate import Gate
from bff.identity import Session, SessionSeal
from tests.pages.backends import HOSTS, Backends, Mocked, OnSockets, Server, Trouble, hurried, servers
from tests.project import write_built
from tests.servers import own_address

ROOT = Path(__file__).resolve().parents[2]
SESSION_KEY = base64.urlsafe_b64encode(b"a key that is for tests alone...").decode()
TOKEN = "token-of-ann"

ANN = {"id": "personann000000", "name": "Ann"}
"""Who signed in."""
USER = ANN | {"email": "ann@example.com"}
MARK = SessionSeal([SESSION_KEY], 3600).mark([USER, {"people": TOKEN}])
"""What tells Ann from other visitors."""
ADA = {"id": "personada000000", "name": "Ada"}
LIN = {"id": "personlin000000", "name": "林悦"}
ID = "todo00000000001"

WITH_PICTURE = {"expand": "pictures_via_person"}
"""The query with which PocketBase gives a person's picture along."""

# A reply that cannot be used, and the kind and status of the failure that it is.
TROUBLE = {
    "failing": ({"status": 500, "json": {"message": "secret trouble"}}, "status", 502),
    "overloaded": ({"status": 503, "body": "secret trouble"}, "status", 502),
    "refusing the visitor": ({"status": 403, "json": {"message": "secret trouble"}}, "status", 403),
    "not knowing the visitor": ({"status": 401, "json": {"message": "secret trouble"}}, "status", 401),
    "down": ({"body": Trouble.DOWN}, "refused", 502),
    "slow": ({"body": Trouble.SLOW}, "timeout", 504),
    "HTML": ({"body": "<h1>secret trouble</h1>", "content_type": "text/html"}, "not-json", 502),
    "half a JSON": ({"body": '{"items": ["secret trou'}, "not-json", 502),
    "of another form": ({"json": {"items": {"secret": "trouble"}}}, "bad-reply", 502),
}
# Replies without what is read through or gone over.
ANOTHER_FORM: list[dict[str, object]] = [{"json": {}}, {"body": "null"}]
# What can go wrong with a reply in which nothing is gone over.
TROUBLE_OF_ONE = {name: trouble for name, trouble in TROUBLE.items() if name != "of another form"}
# Where no token of a visitor was sent, its refusal says nothing of the visitor.
TROUBLE_WITHOUT_TOKEN = {
    name: (reply, kind, 502 if status in (401, 403) else status)
    for name, (reply, kind, status) in TROUBLE.items()
}
# What can go wrong with one row, where `ok` decides by what the reply holds.
TROUBLE_OF_WHAT_IS_READ = {
    **{
        name: (reply, "status" if kind == "not-json" else kind, status)
        for name, (reply, kind, status) in TROUBLE_OF_ONE.items()
    },
    "empty": ({"status": 200, "body": ""}, "status", 502),
}
REPEATED = {"overloaded", "down"}
"""The troubles in which a request that may be repeated is."""
TAKEN = {"status": 400, "json": {"data": {"id": {"code": "validation_not_unique"}}}}
"""What PocketBase says to an id that is there already."""
EMPTY = {"status": 200, "body": ""}


@pytest.fixture(scope="session", params=["mocked", "on_sockets"])
def shared_servers(request: pytest.FixtureRequest) -> dict[str, Server] | None:
    """What decides the way of all tests: each runs with mocked backends, and with servers on real sockets."""
    return None if request.param == "mocked" else request.getfixturevalue("running_servers")


@pytest.fixture(scope="session")
def shared_project(request: pytest.FixtureRequest, shared_servers: dict[str, Server] | None) -> Flask:
    """This project's app: from its recipes behind mocked backends, as it is built on real sockets.

    Its pages keep nothing but what `project` takes away.
    """
    return request.getfixturevalue("project_of_recipes" if shared_servers is None else "project_as_built")


# Of the two ways neither ends when a file goes on to the other.
@pytest.fixture(scope="session")
def project_of_recipes() -> Flask:
    return _app(ROOT, HOSTS)


@pytest.fixture(scope="session")
def running_servers() -> Iterator[dict[str, Server]]:
    with servers() as running:
        yield running


@pytest.fixture(scope="session")
def project_as_built(running_servers: dict[str, Server], tmp_path_factory: pytest.TempPathFactory) -> Flask:
    root = write_built(ROOT, tmp_path_factory.mktemp("built"))
    return _app(root, {name: server.url for name, server in running_servers.items()})


def _app(root: Path, urls: Mapping[str, str]) -> Flask:
    environ = {f"{name.upper()}_URL": url for name, url in urls.items()}
    app = create_app(root, environ=environ | {"BFF_SESSION_KEYS": SESSION_KEY})
    for client in app.extensions["bff"].clients.values():
        client.gate = Gate(
            client.concurrency
        )  # no breaker: a backend is not spared for what it did in another test
    return app


@pytest.fixture
def backends(shared_servers: dict[str, Server] | None, shared_project: Flask) -> Iterator[Backends]:
    """Backends that answer only what a test tells them to."""
    if shared_servers is None:
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            yield Backends(Mocked(mock))
    else:
        with hurried(shared_project.extensions["bff"]) as hurry:
            yield Backends(OnSockets(shared_servers, hurry))


@pytest.fixture
def project(shared_project: Flask) -> Flask:
    """This project's app, with nothing cached and all retries to spend."""
    for client in shared_project.extensions["bff"].clients.values():
        cache_of(client).clear()
        client.gate.budget = Budget()
    return shared_project


@pytest.fixture
def stranger(project: Flask, backends: Backends) -> FlaskClient:
    """Somebody who has not signed in, at an address of their own: strangers are counted by it."""
    client = project.test_client()
    client.environ_base["REMOTE_ADDR"] = own_address()
    client.environ_base["HTTP_X_REQUEST_ID"] = backends.request_id
    return client


@pytest.fixture
def visitor(stranger: FlaskClient) -> FlaskClient:
    """Ann, who signed in."""
    session = Session(USER, {"people": TOKEN}, int(time.time()) + 3600)
    stranger.set_cookie("bff-session", SessionSeal([SESSION_KEY], 3600).seal(session, time.time()))
    return stranger


def session_of(page: TestResponse) -> Session | None:
    """The session that an answer signs in with."""
    [cookie] = page.headers.getlist("Set-Cookie")
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
    value = cookie.partition(";")[0].removeprefix("bff-session=")
    return SessionSeal([SESSION_KEY], 3600).open(value, time.time())


def row(**fields: Any) -> dict[str, Any]:
    """A todo as PocketBase gives it: what is not there is an empty text."""
    found = {"id": ID, "title": "买牛奶", "note": "", "status": "open", "due": "", "owner": "", "helper": ""}
    found |= {"finished": "", "created": "2026-11-20 10:00:00.000Z", "updated": "2026-11-21 10:00:00.000Z"}
    return {"collectionName": "todos"} | found | fields


def pictured(person: dict[str, Any], file: str) -> dict[str, Any]:
    """A person with a picture, as PocketBase gives it."""
    return person | {"expand": {"pictures_via_person": {"file": file, "person": person["id"]}}}


def listed(*rows: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A page of a list as PocketBase gives it."""
    return {"page": 1, "perPage": 20, "totalItems": len(rows), "totalPages": 1, "items": list(rows)} | fields


def ended(page: TestResponse) -> tuple[int, str, str]:
    """How a page ended: its status, how a backend failed, for which step; and that no word of a backend is in it."""
    assert page.mimetype == "application/problem+json"
    assert "secret" not in page.text
    return page.status_code, page.json["failure"], page.json["step"]


def refused(page: TestResponse) -> tuple[int, str, str]:
    """How a rule of a page ended it: the status, the rule, what it says."""
    assert page.json["type"] == "urn:bff:problem:requirement-failed"
    return page.status_code, page.json["step"], page.json["detail"]


def missing(page: TestResponse) -> list[tuple[str, str, int, list[str]]]:
    """What a partial page lives without: the step, how a backend failed, its status, the fields of the page."""
    assert page.status_code in (200, 201)
    assert "secret" not in page.text
    errors = page.json["errors"]
    assert page.headers.get("X-Page-Partial", "") == ", ".join(error["step"] for error in errors)
    return [(error["step"], error["kind"], error["status"], error["fields"]) for error in errors]


def mistakes(page: TestResponse) -> list[str]:
    """What a visitor got wrong, by JSON pointer."""
    assert (page.status_code, page.json["type"]) == (400, "urn:bff:problem:invalid-input")
    return [error["pointer"] for error in page.json["errors"]]
