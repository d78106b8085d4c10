"""By which way a visitor came: nothing that they say of it goes up; what is believed does, where a client says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request

from bff import Client, visitor_client
from bff.http import OutgoingRequest
from tests.fakes import FakeBackend, answer
from tests.project import app_of

SAID = {
    "Forwarded": "for=1.2.3.4;host=evil.test",
    "X-Forwarded-For": "1.2.3.4",
    "X-Forwarded-Host": "evil.test",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-User": "admin",
    "X-Original-URL": "/admin",
    "X-Rewrite-URL": "/admin",
    "X-Real-IP": "1.2.3.4",
    "X-Client-IP": "1.2.3.4",
    "True-Client-IP": "1.2.3.4",
    "CF-Connecting-IP": "1.2.3.4",
    "CF-IPCountry": "XX",
    "X-Envoy-External-Address": "1.2.3.4",
    "Via": "1.1 evil",
    "Sec-Fetch-Site": "same-origin",
    "Sec-CH-UA": "evil",
    "Cookie": "a=1.2.3.4",
    "Authorization": "Basic evil",
    "Proxy-Authorization": "Basic evil",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "baggage": "evil=1",
    "Referer": "http://evil.test",
    "Origin": "http://localhost",
}
OURS = {"host", "user-agent", "accept", "accept-encoding", "x-request-id", "x-request-deadline-ms"}
RECIPES = {
    "read": """
        route: GET /api/read
        auth: none
        steps: {rows: {client: todos, get: /rows}}
        shape: rows
        """,
    "kept": """
        route: GET /api/kept
        auth: none
        steps: {rows: {client: todos, get: /rows, cache: 60s}}
        cache: 60s
        shape: rows
        """,
    "write": """
        route: POST /api/write
        auth: none
        steps:
          made: {client: todos, post: /made, undo: {delete: /made}}
          never: {client: todos, get: /never}
        shape: [made, never]
        """,
    "file": """
        route: GET /api/file
        auth: none
        pass: true
        steps: {rows: {client: todos, get: /file}}
        """,
    "upload": """
        route: PUT /api/upload
        auth: none
        pass: true
        steps: {rows: {client: todos, put: /file}}
        """,
}
TELLS = {"todos": "forwarded_headers=True, timeout='10s'"}
ASKED = [("GET", "/api/read"), ("POST", "/api/write"), ("GET", "/api/file"), ("PUT", "/api/upload")]


@pytest.fixture
def backend() -> Any:
    with FakeBackend() as running:
        for name in ("GET /rows", "POST /made", "DELETE /made", "PUT /file"):
            running.on(name, answer(json=[]))
        running.on("GET /file", answer(body=b"x", headers={"Content-Type": "image/png"}))
        yield running


def app(root: Path, backend: FakeBackend, clients: Any = None, **environ: str) -> Flask:
    found = app_of(root, RECIPES, clients=clients, environ={"TODOS_URL": backend.url, **environ})

    @found.get("/api/by-hand")
    def by_hand() -> Any:
        return visitor_client("todos", auth="optional").get("/rows").json()

    return found


@pytest.mark.parametrize("transport", ["sockets", "threads"])
@pytest.mark.parametrize(("method", "path"), [*ASKED, ("GET", "/api/by-hand")])
@pytest.mark.parametrize("proxies", ["0", "1"])
def test_nothing_that_a_visitor_says_of_their_way_goes_up(
    proxies: str, method: str, path: str, transport: str, tmp_path: Path, backend: FakeBackend
) -> None:
    site = app(tmp_path, backend, BFF_TRUSTED_PROXIES=proxies, BFF_TRANSPORT=transport)
    site.test_client().open(path, method=method, headers=SAID, data=b"x" if method == "PUT" else None)
    assert backend.requests
    for received in backend.requests:
        assert received.headers.keys() <= OURS | {"content-length", "content-type", "connection"}


@pytest.mark.parametrize(("method", "path"), [*ASKED, ("GET", "/api/by-hand")])
@pytest.mark.parametrize(
    ("proxies", "told"),
    [
        ("0", ("127.0.0.1", "http", "localhost")),
        ("1", ("9.9.9.9", "https", "app.test")),
    ],
)
def test_a_client_that_says_so_is_told_what_is_believed(
    proxies: str, told: tuple[str, ...], method: str, path: str, tmp_path: Path, backend: FakeBackend
) -> None:
    said = SAID | {"X-Forwarded-For": "1.2.3.4, 9.9.9.9", "X-Forwarded-Host": "app.test"}
    site = app(tmp_path, backend, TELLS, BFF_TRUSTED_PROXIES=proxies)
    site.test_client().open(path, method=method, headers=said, data=b"x" if method == "PUT" else None)
    names = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host")
    assert backend.requests
    for received in backend.requests:  # of the write its undo too
        assert tuple(received.headers.get(name) for name in names) == told
        assert "1.2.3.4" not in repr(received.headers) and "evil" not in repr(received.headers)
    assert len(backend.requests) == (3 if method == "POST" else 1)


def test_what_an_address_had_a_part_in_is_that_visitors_alone(tmp_path: Path, backend: FakeBackend) -> None:
    visitor = app(tmp_path, backend, TELLS, BFF_TRUSTED_PROXIES="1").test_client()
    for address in ("9.9.9.1", "9.9.9.2", "9.9.9.1"):
        found = visitor.get("/api/kept", headers={"X-Forwarded-For": address})
        assert found.headers["Cache-Control"].startswith("private")
    assert [received.headers["x-forwarded-for"] for received in backend.requests] == ["9.9.9.1", "9.9.9.2"]


@pytest.mark.parametrize(
    "name", ["X-Forwarded-For", "via", "Cf-Connecting-Ip", "Sec-Fetch-Site", "Authorization"]
)
def test_a_view_by_hand_cannot_hand_them_on(
    name: str, tmp_path: Path, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    site = app(tmp_path, backend, TELLS)

    @site.get("/api/hands-on")
    def hands_on() -> Any:
        client = visitor_client("todos", auth="optional")
        return client.send("GET", OutgoingRequest("/rows", headers={name: request.headers[name]})).json()

    assert site.test_client().get("/api/hands-on", headers={name: "1.2.3.4"}).status_code == 500
    assert "may not set the header {name}" in caplog.text  # the line that raises it, without its value
    assert caplog.text.endswith("builtins.ValueError\n")
    assert "1.2.3.4" not in caplog.text
    assert backend.requests == []


def test_a_client_may_say_a_constant_and_not_both() -> None:
    Client("http://a.test", headers={"X-Forwarded-Proto": "https"})
    with pytest.raises(ValueError) as caught:
        Client("http://a.test", headers={"x-forwarded-proto": "https"}, forwarded_headers=True)
    assert str(caught.value) == (
        "forwarded_headers=True makes the header x-forwarded-proto: leave one of the two out"
    )
