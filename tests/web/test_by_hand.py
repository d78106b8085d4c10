"""Views written by hand that ask a client on behalf of their visitor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import responses
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient

from bff import visitor_client
from tests.fakes import FakeBackend, answer, hang
from tests.project import app_of

LOGIN = """
    route: POST /api/login
    auth: none
    input:
      body: {type: object, properties: {token: {type: string}}}
    session:
      user: {id: 1}
      tokens: {people: body.token}
    shape: 1
    """
FORWARDS = {"people": "auth=__import__('bff').forward_token('people')"}


def app(root: Path, **environ: str) -> Flask:
    environ = {"BFF_SESSION_KEYS": Fernet.generate_key().decode(), **environ}
    found = app_of(root, {"login": LOGIN}, clients=FORWARDS, environ=environ)

    @found.route("/api/<name>", methods=["GET", "POST"])
    def by_hand(name: str) -> Any:
        return visitor_client(name).get("/rows").json()

    @found.get("/api/open/<name>")
    def open_to_all(name: str) -> Any:
        return visitor_client(name, auth="optional").get("/rows").json()

    @found.get("/api/quick")
    def quick() -> Any:
        return visitor_client("people", deadline=0.3).get("/rows").json()

    return found


@pytest.fixture
def site(tmp_path: Path) -> Flask:
    return app(tmp_path)


def signed_in(site: Flask, token: str = "token-7") -> FlaskClient:
    client = site.test_client()
    assert client.post("/api/login", json={"token": token}).status_code == 200
    return client


@responses.activate
def test_the_visitors_token_goes_to_the_client_that_forwards_it_and_to_no_other(site: Flask) -> None:
    for name in ("people", "todos"):
        responses.get(f"http://{name}.test/rows", json=[name])
    ann, bob = signed_in(site, "token-of-ann"), signed_in(site, "token-of-bob")
    assert ann.get("/api/people", headers={"X-Request-ID": "request-7"}).json == ["people"]
    assert bob.get("/api/people").json == ["people"]
    assert ann.get("/api/todos").json == ["todos"]
    sent = [call.request.headers for call in responses.calls]
    assert [headers.get("Authorization") for headers in sent] == [
        "Bearer token-of-ann",
        "Bearer token-of-bob",
        None,
    ]
    assert sent[0]["X-Request-ID"] == "request-7"
    assert 0 < int(sent[0]["X-Request-Deadline-Ms"]) <= 3000


@responses.activate
def test_a_stranger_is_a_problem_where_a_visitor_is_needed_and_nobody_where_not(site: Flask) -> None:
    responses.get("http://people.test/rows", json=[])
    stranger = site.test_client()
    refused = stranger.get("/api/people")
    assert (refused.status_code, refused.json["type"]) == (401, "urn:bff:problem:unauthorized")
    assert stranger.get("/api/open/people").json == []
    assert [call.request.headers.get("Authorization") for call in responses.calls] == [None]


@responses.activate
def test_another_site_cannot_act_for_a_visitor(site: Flask) -> None:
    found = signed_in(site).post("/api/people", headers={"Sec-Fetch-Site": "cross-site"})
    assert (found.status_code, found.json["type"]) == (403, "urn:bff:problem:other-site")


def test_every_request_ends_within_the_views_deadline(tmp_path: Path) -> None:
    with FakeBackend() as backend:
        backend.on("GET /rows", hang, answer(json=1))
        ann = signed_in(app(tmp_path, PEOPLE_URL=backend.url))
        assert ann.get("/api/quick").status_code == 500  # the view has no word for it
        [asked] = backend.requests
        assert int(asked.headers["x-request-deadline-ms"]) <= 300


def test_a_client_that_there_is_not_is_the_authors_mistake(site: Flask) -> None:
    with (
        site.test_request_context("/"),
        pytest.raises(LookupError, match=r"^unknown client 'peopel': did you mean 'people'\?  there are: "),
    ):
        visitor_client("peopel")


def test_the_client_itself_stays_the_apps(site: Flask) -> None:
    client = site.extensions["bff"].clients["people"]
    with responses.RequestsMock() as mock:
        mock.get("http://people.test/rows", json=[])
        signed_in(site).get("/api/people")
        client.get("/rows")
        assert "Authorization" not in mock.calls[1].request.headers
