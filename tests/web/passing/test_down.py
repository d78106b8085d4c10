"""Bodies that come down: with what headers, within what bounds, and what the visitor gets where it cannot."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

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
from tests.web.passing.pages import PNG, problem_of


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
