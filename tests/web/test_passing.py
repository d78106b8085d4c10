"""Pages that hand a body through: what goes up and down of it, and what the visitor gets where it cannot."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bff.http import StreamBroke
from tests.fakes import (
    PATIENCE,
    FakeBackend,
    Received,
    Wire,
    answer,
    chunked,
    close,
    half,
    half_chunked,
    hang,
    head,
)
from tests.project import app_of

DOWN = """
    route: GET /api/files/{name}
    auth: none
    pass: true
    deadline: 30s
    cache: 10m
    input:
      query:
        size: {type: integer}
    steps:
      small:
        require: query.size is None or query.size < 100
        fail: {status: 422}
      file:
        client: people
        get: /files/{path.name}
        timeout: 20s
        retries: 0
        query: {size: query.size}
"""
UP = """
    route: PUT /api/files/{name}
    auth: none
    pass: true
    deadline: 30s
    steps:
      file:
        client: people
        put: /files/{path.name}
        timeout: 20s
        idempotency_key: true
"""
SLOW = """
    route: {method} /api/slow
    auth: none
    pass: true
    steps:
      file:
        client: people
        {verb}: /slow
        timeout: 200ms
        retries: 0
"""
PNG = {"Content-Type": "image/png"}
CHINESE = "UTF-8''%E6%8A%A5%E5%91%8A.pdf"


@pytest.fixture
def backend() -> Iterator[FakeBackend]:
    with FakeBackend() as running:
        yield running


@pytest.fixture
def make(tmp_path: Path, backend: FakeBackend) -> Iterator[Callable[..., FlaskClient]]:
    made_so_far: list[_Closing] = []

    def made(**environ: str) -> FlaskClient:
        recipes = {"download": DOWN, "upload": UP}
        recipes |= {f"slow_{verb}": SLOW.format(method=verb.upper(), verb=verb) for verb in ("get", "put")}
        app = app_of(tmp_path, recipes, environ={"PEOPLE_URL": backend.url, **environ})
        app.test_client_class = _Closing
        found = app.test_client()
        assert isinstance(found, _Closing)
        made_so_far.append(found)
        return found

    yield made
    for client in made_so_far:
        client.close_all()


class _Closing(FlaskClient):
    """A visitor who leaves at the end of a test, whatever of an answer is still to come."""

    def open(self, *given: Any, **more: Any) -> TestResponse:
        page = super().open(*given, **more)
        self.__dict__.setdefault("pages", []).append(page)
        return page

    def close_all(self) -> None:
        for page in self.__dict__.get("pages", ()):
            page.close()


@pytest.fixture
def visitor(make: Callable[..., FlaskClient]) -> FlaskClient:
    return make()


def problem_of(page: TestResponse) -> tuple[int, str, str | None]:
    """Status, kind and how the backend failed; that nothing of its words is in it."""
    assert page.mimetype == "application/problem+json"
    assert "secret" not in page.text
    return page.status_code, page.json["type"].removeprefix("urn:bff:problem:"), page.json.get("failure")


# --- down --------------------------------------------------------------------------------------------------------


def test_a_body_comes_down_as_it_is_with_these_headers_and_no_others(
    backend: FakeBackend, visitor: FlaskClient
) -> None:
    of_backend = {
        **PNG,
        "ETag": '"v1"',
        "Last-Modified": "Mon, 23 Nov 2026 08:54:15 GMT",
        "Accept-Ranges": "bytes",
        "Content-Disposition": 'attachment; filename="../../ann\u202egnp.exe"'.encode().decode("latin-1"),
        "Cache-Control": "public, max-age=9999",
        "Set-Cookie": "session=secret",
        "Location": "http://elsewhere.test/",
        "Content-Security-Policy": "default-src *",
        "X-Powered-By": "secret",
        "Refresh": "0; url=/",
        "Access-Control-Allow-Origin": "*",
    }
    backend.on("GET /files/a", answer(body=b"\x89PNG\x00<script>", headers=of_backend))
    page = visitor.get("/api/files/a")
    assert (page.status_code, page.data) == (200, b"\x89PNG\x00<script>")
    headers = dict(page.headers)
    assert headers.pop("X-Request-ID") and headers.pop("Server-Timing")
    assert headers.pop("Content-Disposition").startswith("inline; filename=")
    assert headers == {
        "Content-Type": "image/png",
        "Content-Length": "13",
        "ETag": '"v1"',
        "Last-Modified": "Mon, 23 Nov 2026 08:54:15 GMT",
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=600",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
    }


@pytest.mark.parametrize(
    ("content_type", "sent_as", "manner"),
    [
        ("image/webp", "image/webp", "inline"),
        ("Image/PNG", "Image/PNG", "inline"),
        ("application/json; charset=utf-8", "application/json; charset=utf-8", "inline"),
        ("application/pdf", "application/pdf", "attachment"),
        ("text/plain; charset=utf-8", "text/plain; charset=utf-8", "attachment"),
        ("application/vnd.oasis.opendocument.text", "application/octet-stream", "attachment"),
        ("text/css", "application/octet-stream", "attachment"),
        ("", "application/octet-stream", "attachment"),
        ("image/png, text/html", "application/octet-stream", "attachment"),
        ("image/png;" + "x" * 300, "application/octet-stream", "attachment"),
    ],
)
def test_what_a_browser_gets_is_a_type_that_it_does_not_run(
    content_type: str, sent_as: str, manner: str, backend: FakeBackend, visitor: FlaskClient
) -> None:
    backend.on(
        "GET /files/a", answer(body=b"x", headers={"Content-Type": content_type} if content_type else {})
    )
    page = visitor.get("/api/files/a")
    assert (page.headers["Content-Type"], page.headers["Content-Disposition"]) == (sent_as, manner)


@pytest.mark.parametrize(
    "content_type",
    [
        *("text/html", "TEXT/HTML; charset=utf-8", "application/xhtml+xml", "image/svg+xml", "text/xml"),
        *(
            "application/javascript",
            "text/javascript",
            "multipart/x-mixed-replace; boundary=a",
            "application/rss+xml",
        ),
    ],
)
def test_what_a_browser_would_run_is_not_handed_on(
    content_type: str, backend: FakeBackend, visitor: FlaskClient
) -> None:
    backend.on("GET /files/a", answer(body=b"<h1>secret</h1>", headers={"Content-Type": content_type}))
    assert problem_of(visitor.get("/api/files/a")) == (502, "backend-failed", "bad-reply")


def test_a_body_in_an_encoding_that_was_not_asked_for_is_not_handed_on(
    backend: FakeBackend, visitor: FlaskClient
) -> None:
    backend.on("GET /files/a", answer(body=b"secret", headers={**PNG, "Content-Encoding": "gzip"}))
    assert problem_of(visitor.get("/api/files/a")) == (502, "backend-failed", "bad-reply")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ('inline; filename="report 1.pdf"', 'attachment; filename="report 1.pdf"'),
        (
            "attachment; filename*=UTF-8''%E6%8A%A5%E5%91%8A.pdf",
            "attachment; filename=\"pdf\"; filename*=UTF-8''%E6%8A%A5%E5%91%8A.pdf",
        ),
        ("attachment; filename=my report.pdf", 'attachment; filename="my report.pdf"'),
        (
            'attachment; filename="\xe6\x8a\xa5.pdf"',
            "attachment; filename=\"pdf\"; filename*=UTF-8''%E6%8A%A5.pdf",
        ),
        (
            "attachment; filename*=UTF-8''%E6%8A%A5.pdf; filename=\"a.pdf\"",
            "attachment; filename=\"pdf\"; filename*=UTF-8''%E6%8A%A5.pdf",
        ),
        ('attachment; filename="..\\\\..\\\\.bashrc"', 'attachment; filename="bashrc"'),
        ('attachment; filename="/etc/passwd"', 'attachment; filename="passwd"'),
        ('attachment; filename=""', "attachment"),
        ("attachment; filename=" + "a" * 2000, "attachment"),
        ("attachment; filename=" + "a" * 200, f'attachment; filename="{"a" * 120}"'),
    ],
)
def test_a_name_of_a_file_is_plain_wherever_it_is_saved(
    written: str, shown: str, backend: FakeBackend, visitor: FlaskClient
) -> None:
    headers = {"Content-Type": "application/pdf", "Content-Disposition": written}
    backend.on("GET /files/a", answer(body=b"x", headers=headers))
    assert visitor.get("/api/files/a").headers["Content-Disposition"] == shown


@pytest.mark.parametrize(
    ("asked", "status", "came"),
    [
        ({"If-None-Match": '"v1"'}, 304, {"ETag": '"v1"'}),
        ({"If-Modified-Since": "Mon, 23 Nov 2026 08:54:15 GMT"}, 304, {"ETag": '"v1"'}),
        (
            {"Range": "bytes=0-1"},
            206,
            {"ETag": '"v1"', "Content-Range": "bytes 0-1/9", "Content-Length": "2"},
        ),
        ({"Range": "bytes=99-"}, 416, {"ETag": '"v1"', "Content-Range": "bytes */9", "Content-Length": "0"}),
    ],
)
def test_what_a_browser_asks_for_in_part_or_if_changed_is_answered_by_the_backend(
    asked: dict[str, str], status: int, came: dict[str, str], backend: FakeBackend, visitor: FlaskClient
) -> None:
    range_of = {206: "bytes 0-1/9", 416: "bytes */9"}
    content_range = {"Content-Range": range_of[status]} if status in range_of else {}
    body = b"ab" if status == 206 else b"secret" if status == 416 else b""

    def script(received: Received, wire: Wire) -> None:
        assert asked.items() <= {name.title(): text for name, text in received.headers.items()}.items()
        wire.send(
            head(status, {"ETag": '"v1"', **PNG, **content_range, "Content-Length": str(len(body))}) + body
        )

    backend.on("GET /files/a", script)
    page = visitor.get("/api/files/a", headers=asked)
    assert page.status_code == status
    assert {
        name: text
        for name, text in page.headers.items()
        if name in ("ETag", "Content-Range", "Content-Length")
    } == came
    assert page.data == (b"ab" if status == 206 else b"")


@pytest.mark.parametrize("status", [206, 304, 416])
def test_a_part_that_nobody_asked_for_is_a_failure(
    status: int, backend: FakeBackend, visitor: FlaskClient
) -> None:
    backend.on("GET /files/a", answer(status, body=b"", headers=PNG))
    assert problem_of(visitor.get("/api/files/a", headers={"Range": "lines=1-2"})) == (
        502,
        "backend-failed",
        "status",
    )


def test_nothing_else_of_a_visitors_headers_goes_up(backend: FakeBackend, visitor: FlaskClient) -> None:
    backend.on("GET /files/a", answer(body=b"x", headers=PNG))
    sent = {
        "Cookie": "a=b",
        "X-Forwarded-For": "1.2.3.4",
        "Accept": "text/html",
        "Origin": "http://localhost",
        "X-Own": "1",
    }
    visitor.get("/api/files/a", headers={**sent, "Range": "bytes=0-1,5-9", "Last-Event-ID": "7"})
    [request] = backend.requests
    assert request.headers.keys() == {
        *(
            "host",
            "user-agent",
            "accept",
            "accept-encoding",
            "last-event-id",
            "x-request-id",
            "x-request-deadline-ms",
        ),
    }
    assert (request.headers["accept"], request.headers["accept-encoding"]) == ("*/*", "identity")


@pytest.mark.parametrize("content_type", ["text/event-stream", "application/x-ndjson"])
def test_records_come_down_one_by_one(content_type: str, backend: FakeBackend, visitor: FlaskClient) -> None:
    got_first = threading.Event()

    def script(_: Received, wire: Wire) -> None:
        wire.send(head(200, {"Content-Type": content_type, "Transfer-Encoding": "chunked"}) + b"3\r\none\r\n")
        assert got_first.wait(PATIENCE)
        wire.send(b"3\r\ntwo\r\n0\r\n\r\n")

    backend.on("GET /files/events", script)
    page = visitor.get("/api/files/events")
    pieces = page.iter_encoded()
    assert next(pieces) == b"one"
    got_first.set()
    assert list(pieces) == [b"two"]
    assert "Content-Length" not in page.headers


def test_an_event_stream_is_kept_by_nobody_and_held_back_by_no_proxy(
    backend: FakeBackend, visitor: FlaskClient
) -> None:
    backend.on("GET /files/events", chunked(b"data: 1\n\n", headers={"Content-Type": "text/event-stream"}))
    page = visitor.get("/api/files/events")
    assert (page.headers["Cache-Control"], page.headers["X-Accel-Buffering"]) == ("no-store", "no")


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (None, "private, max-age=600"),
        ("max-age=5", "private, max-age=5"),
        ("public, max-age=2592000, stale-while-revalidate=86400", "private, max-age=600"),
        ("no-cache", "private, max-age=0"),
        ("max-age=60, no-store", "no-store"),
    ],
)
@pytest.mark.parametrize("status", [200, 304])
def test_a_body_is_kept_as_its_recipe_says_and_no_longer_than_its_backend_does(
    status: int, said: str | None, wanted: str, backend: FakeBackend, visitor: FlaskClient
) -> None:
    told = {} if said is None else {"Cache-Control": said}
    backend.on("GET /files/a", answer(status, headers=PNG | told))
    page = visitor.get("/api/files/a", headers={"If-None-Match": '"1"'})
    assert (page.status_code, page.headers["Cache-Control"]) == (status, wanted)


def test_any_other_body_without_a_length_gets_one(backend: FakeBackend, visitor: FlaskClient) -> None:
    """Some servers end a chunked answer in order even if it breaks off: its length is what shows that."""
    backend.on("GET /files/a", chunked(b"one", b"two", headers=PNG))
    page = visitor.get("/api/files/a")
    assert (page.headers["Content-Length"], page.data) == ("6", b"onetwo")


def test_a_body_without_a_length_is_held_up_to_the_bound_of_a_reply(
    backend: FakeBackend, make: Callable[..., FlaskClient]
) -> None:
    visitor = make(BFF_MAX_REPLY="5")
    backend.on("GET /files/a", chunked(b"12", b"345", headers=PNG))
    assert visitor.get("/api/files/a").data == b"12345"
    backend.on("GET /files/a", chunked(b"12", b"345", b"6", headers=PNG))
    assert problem_of(visitor.get("/api/files/a")) == (502, "backend-failed", "too-large")


def test_a_body_without_a_length_that_breaks_off_is_a_problem(
    backend: FakeBackend, visitor: FlaskClient
) -> None:
    backend.on("GET /files/a", half_chunked)
    assert problem_of(visitor.get("/api/files/a")) == (502, "backend-failed", "refused")


def test_a_body_that_breaks_off_breaks_the_answer_off_and_is_told_in_one_line(
    backend: FakeBackend, visitor: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    backend.on("GET /files/a", half)
    caplog.set_level(logging.INFO, "bff.page")
    page = visitor.get("/api/files/a")
    assert caplog.messages == []
    with pytest.raises(StreamBroke):
        _ = page.data
    page.close()
    [line] = map(json.loads, caplog.messages)
    assert {key: line.get(key) for key in ("level", "status", "bytes", "broken", "cut")} == {
        "level": "warning",
        "status": 200,
        "bytes": 15,
        "broken": "refused",
        "cut": None,
    }


def test_a_visitor_who_leaves_ends_the_request_to_the_backend(
    backend: FakeBackend, visitor: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    noticed = threading.Event()

    def script(_: Received, wire: Wire) -> None:
        wire.send(head(200, {**PNG, "Content-Length": "100"}) + b"one")
        wire.until_closed(PATIENCE)
        noticed.set()

    backend.on("GET /files/a", script)
    caplog.set_level(logging.INFO, "bff.page")
    page = visitor.get("/api/files/a")
    next(page.iter_encoded())
    page.close()
    assert noticed.wait(PATIENCE)
    [line] = map(json.loads, caplog.messages)
    assert (line["level"], line["bytes"], line["cut"]) == ("info", 3, True)


def test_head_tells_the_same_and_sends_nothing(backend: FakeBackend, visitor: FlaskClient) -> None:
    backend.on("GET /files/a", answer(body=b"abc", headers=PNG))
    page = visitor.head("/api/files/a")
    assert (page.status_code, page.headers["Content-Length"], page.data) == (200, "3", b"")
    assert [request.method for request in backend.requests] == ["GET"]


def test_a_length_over_the_bound_is_a_problem(make: Callable[..., FlaskClient], backend: FakeBackend) -> None:
    backend.on("GET /files/a", answer(body=b"x" * 101, headers=PNG))
    assert problem_of(make(BFF_MAX_DOWNLOAD="100").get("/api/files/a")) == (
        502,
        "backend-failed",
        "too-large",
    )


def test_records_over_the_bound_are_cut_off(make: Callable[..., FlaskClient], backend: FakeBackend) -> None:
    records = (b"x" * 60, b"y" * 60)
    backend.on("GET /files/a", chunked(*records, headers={"Content-Type": "text/event-stream"}))
    pieces = make(BFF_MAX_DOWNLOAD="100").get("/api/files/a").iter_encoded()
    with pytest.raises(StreamBroke, match="too-large"):
        list(pieces)


@pytest.mark.parametrize(
    ("script", "ending"),
    [
        (answer(500, json={"message": "secret"}), (502, "backend-failed", "status")),
        (answer(404, json={"message": "secret"}), (404, "not-found", "status")),
        (answer(401, json={"message": "secret"}), (502, "backend-failed", "status")),
        (answer(413, json={"message": "secret"}), (502, "backend-failed", "status")),
        (answer(301, headers={"Location": "http://secret.test/"}), (502, "backend-failed", "status")),
        (answer(429, headers={"Retry-After": "7"}), (429, "too-many-requests", "status")),
        (close, (502, "backend-failed", "refused")),
    ],
)
def test_a_failure_is_a_problem_by_the_rules_of_every_step(
    script: Any, ending: tuple[int, str, str], backend: FakeBackend, visitor: FlaskClient
) -> None:
    backend.on("GET /files/a", script)
    assert problem_of(visitor.get("/api/files/a")) == ending


def test_a_backend_that_hangs_is_given_up_at_the_time_out(backend: FakeBackend, visitor: FlaskClient) -> None:
    backend.on("GET /slow", hang)
    backend.on("PUT /slow", hang)
    assert problem_of(visitor.get("/api/slow")) == (504, "backend-timeout", "timeout")
    late = visitor.put("/api/slow", data=b"x")
    assert problem_of(late) == (504, "backend-timeout", "timeout")
    assert late.json["unknown"] == ["file"]


def test_input_and_guards_are_looked_at_before_anything_is_asked(
    backend: FakeBackend, visitor: FlaskClient
) -> None:
    assert problem_of(visitor.get("/api/files/a?size=big"))[:2] == (400, "invalid-input")
    assert problem_of(visitor.get("/api/files/a?size=100"))[:2] == (422, "requirement-failed")
    assert problem_of(visitor.get("/api/files/..%2Fa"))[0] in (400, 404)
    assert backend.requests == []


# --- up ----------------------------------------------------------------------------------------------------------


def test_a_body_goes_up_as_it_is_and_the_reply_comes_down(backend: FakeBackend, visitor: FlaskClient) -> None:
    backend.on(
        "PUT /files/a",
        answer(201, body=b'{"id": 1}', headers={"Content-Type": "application/json", "Location": "/x"}),
    )
    page = visitor.put(
        "/api/files/a", data=b"\x00\xff{", content_type="image/png", headers={"Range": "bytes=0-1"}
    )
    assert (page.status_code, page.data, page.headers["Cache-Control"]) == (201, b'{"id": 1}', "no-store")
    assert "Location" not in page.headers
    [request] = backend.requests
    assert (request.body, request.headers["content-type"], request.headers["content-length"]) == (
        b"\x00\xff{",
        "image/png",
        "3",
    )
    assert "range" not in request.headers
    assert len(request.headers["idempotency-key"]) == 32


@pytest.mark.parametrize(
    ("packed", "goes_up_as"),
    [
        ("gzip", "gzip"),
        ("GZIP, br", "gzip, br"),
        ("identity", None),
        ("identity, zstd", "zstd"),
        ("", None),
    ],
)
def test_a_body_that_is_packed_goes_up_as_what_it_is(
    packed: str, goes_up_as: str | None, backend: FakeBackend, visitor: FlaskClient
) -> None:
    backend.on("PUT /files/a", answer(204))
    sent = {"Content-Encoding": packed}
    page = visitor.put("/api/files/a", data=b"\x1f\x8b", content_type="application/json", headers=sent)
    assert page.status_code == 204
    [request] = backend.requests
    assert (request.body, request.headers.get("content-encoding")) == (b"\x1f\x8b", goes_up_as)


@pytest.mark.parametrize("packed", ["rot13", "gzip, rot13", "aws-chunked", "gzip; q=1", '"gzip"'])
def test_a_body_that_is_packed_in_a_way_nobody_knows_is_415(
    packed: str, backend: FakeBackend, visitor: FlaskClient
) -> None:
    page = visitor.put(
        "/api/files/a", data=b"x", content_type="image/png", headers={"Content-Encoding": packed}
    )
    assert (page.status_code, page.json["type"]) == (415, "urn:bff:problem:unsupported-media-type")
    assert page.headers["Accept-Encoding"] == "br, compress, deflate, gzip, x-compress, x-gzip, zstd"
    assert packed not in page.text
    assert backend.requests == []


@pytest.mark.parametrize(
    ("written", "content_type", "goes_up_as"),
    [
        ('attachment; filename="a b.png"', "image/png", 'attachment; filename="a b.png"'),
        (
            "inline; filename*=UTF-8''%E6%8A%A5.png; filename=x",
            "image/png",
            "attachment; filename=\"png\"; filename*=UTF-8''%E6%8A%A5.png",
        ),
        ('attachment; filename="../../a.png"', "image/png", 'attachment; filename="a.png"'),
        ("attachment", "image/png", None),
        ("attachment; filename=a.png", "multipart/form-data; boundary=x", None),
    ],
)
def test_the_name_of_a_single_file_goes_up_plain(
    written: str, content_type: str, goes_up_as: str | None, backend: FakeBackend, visitor: FlaskClient
) -> None:
    backend.on("PUT /files/a", answer(204))
    headers = {"Content-Disposition": written}
    assert (
        visitor.put("/api/files/a", data=b"x", content_type=content_type, headers=headers).status_code == 204
    )
    assert backend.requests[0].headers.get("content-disposition") == goes_up_as


@pytest.mark.parametrize(
    ("content_type", "goes_up_as"),
    [
        ("multipart/form-data; boundary=----a-b_1", "multipart/form-data; boundary=----a-b_1"),
        ("text/csv; charset=utf-8", "text/csv; charset=utf-8"),
        ("text/html", "application/octet-stream"),
        ("image/png; a=\tb", "application/octet-stream"),
        ("no type", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_a_type_goes_up_that_is_known(
    content_type: str, goes_up_as: str, backend: FakeBackend, visitor: FlaskClient
) -> None:
    backend.on("PUT /files/a", answer(204, body=b""))
    page = visitor.put(
        "/api/files/a", data=b"x", headers={"Content-Type": content_type} if content_type else {}
    )
    assert (page.status_code, backend.requests[0].headers["content-type"]) == (204, goes_up_as)


def test_without_a_body_none_goes_up(backend: FakeBackend, visitor: FlaskClient) -> None:
    backend.on("PUT /files/a", answer(204, body=b""))
    assert visitor.put("/api/files/a").status_code == 204
    assert backend.requests[0].headers["content-length"] == "0"


def test_a_length_over_the_bound_is_refused_before_the_backend_hears_of_it(
    make: Callable[..., FlaskClient], backend: FakeBackend
) -> None:
    small = make(BFF_MAX_UPLOAD="100", BFF_MAX_REQUEST_BODY="10")
    assert problem_of(small.put("/api/files/a", data=b"x" * 101))[:2] == (413, "body-too-large")
    assert (backend.requests, backend.accepted) == ([], 0)
    backend.on("PUT /files/a", answer(204, body=b""))
    assert small.put("/api/files/a", data=b"x" * 100).status_code == 204


def of_unknown_length(visitor: FlaskClient, body: bytes, content_type: str) -> TestResponse:
    environ = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    return visitor.put(
        "/api/files/a", input_stream=io.BytesIO(body), content_type=content_type, environ_overrides=environ
    )


def test_a_body_of_unknown_length_is_counted(make: Callable[..., FlaskClient], backend: FakeBackend) -> None:
    small = make(BFF_MAX_UPLOAD="100")
    page = of_unknown_length(small, b"x" * 101, "multipart/form-data; boundary=x")
    assert problem_of(page)[:2] == (413, "body-too-large")
    assert page.json["unknown"] == ["file"]


def test_a_body_of_unknown_length_without_a_last_line_of_its_own_is_refused(visitor: FlaskClient) -> None:
    assert problem_of(of_unknown_length(visitor, b"x", "image/png"))[:2] == (411, "length-required")


def test_a_body_that_is_shorter_than_it_says_is_no_request(
    visitor: FlaskClient, backend: FakeBackend
) -> None:
    environ = {"CONTENT_LENGTH": "10"}
    page = visitor.put("/api/files/a", input_stream=io.BytesIO(b"abc"), environ_overrides=environ)
    assert problem_of(page)[:2] == (400, "cut-body")
    assert backend.wait_for_connections(0)
    assert [request.body for request in backend.requests if len(request.body) == 10] == []


@pytest.mark.parametrize(
    ("script", "ending", "written"),
    [
        (answer(400, json={"message": "secret"}), (422, "unprocessable", "status"), None),
        (answer(413, json={"message": "secret"}), (413, "body-too-large", "status"), None),
        (answer(415, json={"message": "secret"}), (415, "unsupported-media-type", "status"), None),
        (answer(503, headers={"Retry-After": "7"}), (502, "backend-failed", "status"), None),
        (
            answer(200, body=b"<h1>secret", headers={"Content-Type": "text/html"}),
            (502, "backend-failed", "bad-reply"),
            {"done": ["file"]},
        ),
    ],
)
def test_a_failed_upload_tells_what_may_have_happened(
    script: Any,
    ending: tuple[int, str, str],
    written: dict[str, list[str]] | None,
    backend: FakeBackend,
    visitor: FlaskClient,
) -> None:
    backend.on("PUT /files/a", script)
    page = visitor.put("/api/files/a", data=b"x", headers={"Idempotency-Key": "k"})
    assert problem_of(page) == ending
    found = {name: page.json[name] for name in ("done", "unknown") if page.json.get(name)}
    assert found == (written or {})
    assert len(backend.requests) == 1


def test_another_site_uploads_nothing(visitor: FlaskClient, backend: FakeBackend) -> None:
    visitor.set_cookie("bff-session", "anything")
    page = visitor.put("/api/files/a", data=b"x", headers={"Sec-Fetch-Site": "cross-site"})
    assert (problem_of(page)[:2], backend.requests) == ((403, "other-site"), [])


def test_a_page_keeps_its_place_among_the_pages_until_its_body_has_ended(
    make: Callable[..., FlaskClient], backend: FakeBackend
) -> None:
    backend.on("GET /files/a", answer(body=b"abc", headers=PNG))
    crowded = make(BFF_MAX_PAGES="1", BFF_THREADS="17")
    page = crowded.get("/api/files/a")
    assert problem_of(crowded.get("/api/files/a"))[:2] == (503, "busy")
    page.close()
    assert crowded.get("/api/files/a").status_code == 200


def test_metrics_count_the_page_when_it_has_ended_and_the_call_at_its_head(
    make: Callable[..., FlaskClient], backend: FakeBackend
) -> None:
    backend.on("GET /files/a", answer(body=b"abc", headers=PNG))
    counted = make(BFF_METRICS="1")
    page = counted.get("/api/files/a")
    before = counted.get("/metrics").text
    page.close()
    after = counted.get("/metrics").text
    assert 'bff_calls_total{client="people",outcome="2xx"} 1.0' in before
    assert 'bff_pages_total{outcome="ok",page="download"}' not in before
    assert 'bff_pages_total{outcome="ok",page="download"} 1.0' in after


def test_a_breaker_that_a_stream_opens_is_counted(
    make: Callable[..., FlaskClient], backend: FakeBackend
) -> None:
    backend.on("GET /files/a", answer(503))
    counted = make(BFF_METRICS="1")
    for _ in range(100):
        page = counted.get("/api/files/a")
        if problem_of(page)[2] == "breaker":
            break
    found = counted.get("/metrics").text
    assert 'bff_breaker_changes_total{client="people",outcome="opened"} 1.0' in found
    assert 'bff_calls_total{client="people",outcome="breaker"} 1.0' in found
