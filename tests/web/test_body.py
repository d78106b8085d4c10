"""The body of a request: of what type, how large, whole or not at all, and in what time."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.clock import Clock
from tests.project import visitor
from tests.web.echo import ECHO


@pytest.mark.parametrize(
    ("raw", "detail"),
    [
        (b"", "The body is empty; this page takes a JSON body."),
        (b"  ", "The body is empty; this page takes a JSON body."),
        (b'{"title": ', "The body is not JSON in UTF-8."),
        (b'{"title": NaN}', "The body is not JSON in UTF-8."),
        (b'{"title": "\xff"}', "The body is not JSON in UTF-8."),
        (b'{"title": "\\ud800"}', "The body is not JSON in UTF-8."),
        (b"[" * 101 + b"]" * 101, "The body nests too deeply."),
        (b"[" * 100_000 + b"]" * 100_000, "The body nests too deeply."),
    ],
)
def test_a_body_that_is_no_json_is_400(echo: FlaskClient, raw: bytes, detail: str) -> None:
    answer = echo.post("/api/things/1?must=x", data=raw, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json["type"] == "urn:bff:problem:malformed-body"
    assert answer.json["detail"] == detail


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_a_body_of_another_type_is_415(echo: FlaskClient, content_type: str) -> None:
    answer = echo.post("/api/things/1?must=x", data=b'{"title": "a"}', content_type=content_type)
    assert answer.status_code == 415
    assert answer.json["type"] == "urn:bff:problem:unsupported-media-type"
    assert answer.headers["Accept"] == "application/json"


@pytest.mark.parametrize("packed", ["gzip", "br", "gzip, br", "rot13"])
def test_a_packed_body_is_415_and_told_how_to_come(echo: FlaskClient, packed: str) -> None:
    raw, sent = gzip.compress(b'{"title": "a"}'), {"Content-Encoding": packed}
    answer = echo.post("/api/things/1?must=x", data=raw, content_type="application/json", headers=sent)
    assert answer.status_code == 415
    assert answer.json["type"] == "urn:bff:problem:unsupported-media-type"
    assert (
        answer.json["detail"] == "The body is packed; this page takes it as it is, without Content-Encoding."
    )
    assert answer.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("named", ["identity", "Identity", ""])
def test_a_body_that_says_it_is_not_packed_is_taken(echo: FlaskClient, named: str) -> None:
    sent = {"Content-Encoding": named}
    assert echo.post("/api/things/1?must=x", json={"title": "a"}, headers=sent).status_code == 200


def test_json_with_a_charset_or_a_suffix_is_taken(echo: FlaskClient) -> None:
    for content_type in ("application/json; charset=utf-8", "application/merge-patch+json"):
        answer = echo.post("/api/things/1?must=x", data=b'{"title": "a"}', content_type=content_type)
        assert answer.status_code == 200


def test_a_body_over_the_bound_is_413(tmp_path: Path) -> None:
    small = visitor(tmp_path, ECHO, environ={"BFF_MAX_REQUEST_BODY": "100"})
    answer = small.post("/api/things/1?must=x", json={"title": "a" * 100})
    assert answer.status_code == 413
    assert answer.json["type"] == "urn:bff:problem:body-too-large"


def test_a_page_without_a_body_schema_does_not_read_the_body(tmp_path: Path) -> None:
    page = visitor(tmp_path, "route: POST /api/page\nauth: none\nshape:\n  ok: true\n")
    assert page.post("/api/page", data=b"not json").json == {"ok": True}


@pytest.mark.parametrize(
    ("body", "announced", "status"),
    [
        (b"{}", None, 200),
        (b"{}" + b" " * 2**20, None, 413),
        (b'{"a": "' + b"x" * 2**20 + b'"}', None, 413),
        (b"{}", "2", 200),
        (b"{}", "50", 400),
    ],
    ids=["chunked", "padded over the bound", "over the bound", "with a length", "cut off"],
)
def test_a_body_is_taken_whole_or_not_at_all(
    tmp_path: Path, body: bytes, announced: str | None, status: int
) -> None:
    """As granian hands it over: framed by the server, which also ends it where the visitor hung up."""
    recipe = "route: POST /api/page\nauth: none\ninput:\n  body: {type: object}\nshape: body\n"
    environ = {
        "CONTENT_TYPE": "application/json",
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
    }
    if announced is not None:
        environ["CONTENT_LENGTH"] = announced
    answered = visitor(tmp_path, recipe).post("/api/page", environ_overrides=environ)
    assert answered.status_code == status


class _Slow(io.BytesIO):
    """A body that takes a minute to come."""

    def __init__(self, body: bytes, clock: Clock) -> None:
        super().__init__(body)
        self._clock = clock

    def read(self, size: int | None = -1) -> bytes:
        self._clock.go_on(60.0)
        return super().read(size)


def test_the_deadline_counts_while_the_body_comes(tmp_path: Path, clock: Clock) -> None:
    client = visitor(tmp_path, "route: POST /api/page\nauth: none\ninput:\n  body: true\nshape: body\n")
    environ = {
        "wsgi.input": _Slow(b"{}", clock),
        "CONTENT_LENGTH": "2",
        "CONTENT_TYPE": "application/json",
    }
    answer = client.post("/api/page", environ_overrides=environ)
    assert (answer.status_code, answer.json["type"]) == (408, "urn:bff:problem:upload-too-slow")


def test_the_deadline_counts_while_the_body_is_checked(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = "route: POST /api/page\nauth: none\ninput:\n  body: {type: object}\nshape: body\n"
    client = visitor(tmp_path, recipe)

    def slowly(schema: Any, value: Any) -> Any:
        clock.go_on(60.0)
        return value

    monkeypatch.setattr("bff.web.body.prune", slowly)
    assert client.post("/api/page", json={}).status_code == 408
