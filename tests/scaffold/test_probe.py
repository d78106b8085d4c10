"""What a backend is asked once, and what is kept of its answer."""

from __future__ import annotations

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
import responses

from bff import clock
from bff.errors import OperatorError
from bff.scaffold.probe import Asked, ask

URL = "https://api.example.com/v1/items?limit=2"
ORIGIN, TARGET = "https://api.example.com", "/v1/items?limit=2"


def answered(**reply: object) -> Asked:
    with responses.RequestsMock() as backend:
        backend.get(URL, **reply)
        found = ask(URL)
        assert len(backend.calls) == 1
        assert backend.calls[0].request.headers["Accept"] == "application/json"
    return found


ROW = {"id": 1, "name": "Tea", "tags": ["a"], "seller": {"id": 2}, "e-mail": "x", "price": None}


@pytest.mark.parametrize(
    ("reply", "within", "fields"),
    [
        ([ROW], "", ("id", "name", "price")),
        ({"total": 1, "items": [ROW]}, "items", ("id", "name", "price")),
        ({"my items": [ROW], "rows": [ROW]}, "rows", ("id", "name", "price")),
        ({"extras": [], "rows": [ROW]}, "rows", ("id", "name", "price")),
        ({"extras": [], "rows": []}, "extras", ()),
        ([], "", ()),
        ({"status": "up", "parts": {}, "at": 1.5}, None, ("status", "at")),
        ([{f"f{number}": 1 for number in range(20)}], "", tuple(f"f{number}" for number in range(8))),
    ],
)
def test_the_names_of_plain_members_are_kept(
    reply: object, within: str | None, fields: tuple[str, ...]
) -> None:
    assert answered(json=reply) == Asked(ORIGIN, TARGET, within, fields)


@pytest.mark.parametrize(
    ("reply", "trouble"),
    [
        ({"status": 401}, "answers 401"),
        ({"status": 500, "json": []}, "answers 500"),
        ({"status": 302, "headers": {"Location": "https://elsewhere.example"}}, "leads elsewhere (302)"),
        ({"body": "<html>"}, "answers something else than JSON"),
        ({"body": "[" * 100_000}, "answers something else than JSON"),
        ({"body": b"\xff"}, "answers something else than JSON"),
        ({"body": "[" + " " * 1024 * 1024 + "]"}, "answers more than 1 MiB"),
        ({"body": requests.ConnectionError()}, "cannot be reached"),
        ({"body": requests.Timeout()}, "takes longer than 5 s"),
        ({"json": 3}, "has no rows"),
        ({"json": [1, 2]}, "has no rows"),
    ],
)
def test_what_goes_wrong_is_said_in_words(reply: dict[str, object], trouble: str) -> None:
    assert answered(**reply) == Asked(ORIGIN, TARGET, trouble=trouble)


@pytest.mark.parametrize(
    "url", ["items", "ftp://example.com/", "http://", "https://example.com:0/", "http://[x/"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(OperatorError) as raised:
        ask(url)
    assert str(raised.value) == "--backend takes an address like https://api.example.com/items"


@pytest.mark.parametrize(
    "url",
    [
        "https://ada:S3cret@example.com/",
        "https://example.com/?api_key=S3cret",
        "https://example.com/?Token=S3cret",
    ],
)
def test_a_secret_in_the_address_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(OperatorError) as raised:
        ask(url)
    assert "S3cret" not in str(raised.value)


@contextmanager
def dripping() -> Iterator[str]:
    """A backend that sends a byte of JSON now and then, and does not end."""
    ended = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            try:
                while not ended.wait(0.01):
                    self.wfile.write(b" " * 70_000)
            except OSError:
                pass

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/items"
        finally:
            ended.set()
            server.shutdown()
            thread.join()


def test_a_backend_that_drips_is_left_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([0.0, 1.0, 6.0])
    monkeypatch.setattr(clock, "monotonic", lambda: next(moments))
    with dripping() as url:
        assert ask(url).trouble == "takes longer than 5 s"


def test_a_backend_that_is_not_there_is_said_to_be_so() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        assert ask(url) == Asked(url.removesuffix("/"), "/", trouble="cannot be reached")


def test_no_value_of_the_backend_is_kept() -> None:
    found = answered(json=[{"id": "S3cret", "name": "S3cret"}])
    assert "S3cret" not in json.dumps([found.origin, found.target, found.within, found.fields, found.trouble])
