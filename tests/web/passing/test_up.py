"""Bodies that go up: as what, within what bounds, and what may have happened where it fails."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.fakes import FakeBackend, answer
from tests.web.passing.pages import PNG, problem_of


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
