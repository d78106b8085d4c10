"""OpenTelemetry: spans of pages and of requests to backends, `traceparent`, and what is never in a span."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import responses
from flask.testing import FlaskClient
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from bff.errors import OperatorError
from bff.http import StreamBroke
from bff.settings import Settings
from bff.web.observing import tracing_of
from tests.fakes import FakeBackend, close, half
from tests.project import visitor

PAGE = """
    route: GET /api/page/{id}
    auth: none
    steps:
      todos: {client: todos, get: "/a/{path.id}", cache: 1m}
      notice: {client: notices, get: /n, fallback: null, retries: 1}
      some: {require: todos != 0, fail: {status: 409}}
    shape: [todos, notice]
    """
OUTSIDE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    found = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(found))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    yield found
    provider.shutdown()


@pytest.fixture
def client(tmp_path: Path, exporter: InMemorySpanExporter) -> FlaskClient:
    return visitor(tmp_path, PAGE, environ={"BFF_TRACING": "1"})


def told(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def page_and_requests(exporter: InMemorySpanExporter) -> tuple[ReadableSpan, list[ReadableSpan]]:
    spans = exporter.get_finished_spans()
    (page,) = [span for span in spans if span.name.startswith("GET /")]
    return page, [span for span in spans if span is not page]


@responses.activate
def test_a_page_and_each_request_have_a_span(client: FlaskClient, exporter: InMemorySpanExporter) -> None:
    responses.get("http://todos.test/a/7", json=1)
    responses.get("http://notices.test/n", status=503)
    responses.get("http://notices.test/n", status=404)
    assert client.get("/api/page/7").json == [1, None]
    page, requests = page_and_requests(exporter)
    assert (page.name, page.kind, page.parent) == ("GET /api/page/{id}", trace.SpanKind.SERVER, None)
    assert told(page) == {
        "bff.page": "page",
        "http.request.method": "GET",
        "http.route": "/api/page/{id}",
        "http.response.status_code": 200,
        "bff.partial": "notice",
    }
    assert sorted((span.name, told(span)["http.response.status_code"]) for span in requests) == [
        ("GET notices", 404),
        ("GET notices", 503),
        ("GET todos", 200),
    ]
    assert {span.parent.span_id for span in requests if span.parent} == {page.context.span_id}
    assert {span.kind for span in requests} == {trace.SpanKind.CLIENT}


@responses.activate
def test_backends_are_told_of_the_span_that_asks_them(
    client: FlaskClient, exporter: InMemorySpanExporter
) -> None:
    asked = responses.get("http://todos.test/a/7", json=1)
    responses.get("http://notices.test/n", json=1)
    client.get("/api/page/7")
    _, requests = page_and_requests(exporter)
    (span,) = [span for span in requests if span.name == "GET todos"]
    version, trace_id, span_id, _ = asked.calls[0].request.headers["traceparent"].split("-")
    assert (version, trace_id) == ("00", f"{span.context.trace_id:032x}")
    assert span_id == f"{span.context.span_id:016x}"
    assert "baggage" not in asked.calls[0].request.headers


@responses.activate
def test_a_trace_does_not_keep_replies_from_being_cached(client: FlaskClient) -> None:
    asked = responses.get("http://todos.test/a/7", json=1)
    responses.get("http://notices.test/n", json=1)
    assert [client.get("/api/page/7").status_code for _ in range(2)] == [200, 200]
    assert asked.call_count == 1


@responses.activate
@pytest.mark.parametrize(
    ("number", "status", "error"),
    [(1, 409, "requirement-failed"), (2, 404, "not-found"), (3, 502, "backend-failed")],
)
def test_how_a_page_ended_is_told(
    client: FlaskClient, exporter: InMemorySpanExporter, number: int, status: int, error: str
) -> None:
    responses.get("http://todos.test/a/1", json=0)
    responses.get("http://todos.test/a/2", status=404)
    responses.get("http://todos.test/a/3", status=500)
    responses.get("http://notices.test/n", json=1)
    assert client.get(f"/api/page/{number}").status_code == status
    page, _ = page_and_requests(exporter)
    assert (told(page)["http.response.status_code"], told(page)["error.type"]) == (status, error)
    assert page.status.is_ok is (status < 500)
    assert page.events == ()


@responses.activate
def test_nothing_of_a_visitor_is_in_a_span(client: FlaskClient, exporter: InMemorySpanExporter) -> None:
    responses.get("http://todos.test/a/path-secret", body=OSError("secret"))
    responses.get("http://notices.test/n", json="reply-secret")
    client.get("/api/page/path-secret?q=query-secret", headers={"X-Secret": "header-secret"})
    spans = exporter.get_finished_spans()
    assert len(spans) >= 2
    assert [span.to_json() for span in spans if "secret" in span.to_json()] == []


@responses.activate
@pytest.mark.parametrize(("trusted", "believed"), [("0", False), ("1", True)])
def test_a_trace_from_outside_is_gone_on_with_only_behind_trusted_proxies(
    trusted: str, believed: bool, tmp_path: Path, exporter: InMemorySpanExporter
) -> None:
    page = "route: GET /api/page\nauth: none\nshape: 1\n"
    client = visitor(tmp_path, page, environ={"BFF_TRACING": "1", "BFF_TRUSTED_PROXIES": trusted})
    client.get("/api/page", headers={"traceparent": OUTSIDE})
    (span,) = exporter.get_finished_spans()
    assert (f"{span.context.trace_id:032x}" == OUTSIDE.split("-")[1]) is believed


def test_under_an_instrumented_server_a_page_is_a_span_within_its(
    client: FlaskClient, exporter: InMemorySpanExporter
) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get("http://todos.test/a/7", json=1)
        mock.get("http://notices.test/n", json=1)
        with trace.get_tracer("server").start_as_current_span("outer") as outer:
            client.get("/api/page/7")
    page, _ = page_and_requests_within(exporter)
    assert page.kind is trace.SpanKind.INTERNAL
    assert page.parent is not None and page.parent.span_id == outer.get_span_context().span_id


def page_and_requests_within(exporter: InMemorySpanExporter) -> tuple[ReadableSpan, list[ReadableSpan]]:
    spans = [span for span in exporter.get_finished_spans() if span.name != "outer"]
    (page,) = [span for span in spans if span.name.startswith("GET /")]
    return page, [span for span in spans if span is not page]


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),
        ({"BFF_TRACING": "1"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_SERVICE_NAME": "bff"}, False),
        ({"BFF_TRACING": "1", "OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_spans_are_made_where_they_are_asked_for(environ: dict[str, str], wanted: bool) -> None:
    settings = Settings.from_environ(environ)
    assert (tracing_of(settings, environ) is not None) is wanted


def test_tracing_that_is_asked_for_and_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    variables = {"OTEL_TRACES_EXPORTER": "otlp"}
    assert tracing_of(Settings.from_environ({}), variables) is None
    asked = {"BFF_TRACING": "1"}
    with pytest.raises(OperatorError) as raised:
        tracing_of(Settings.from_environ(asked), asked)
    assert str(raised.value) == "BFF_TRACING=1 needs OpenTelemetry: pip install 'bff-recipes[tracing]'"


LINES = """
    route: GET /api/lines
    auth: none
    steps:
      todos: {client: todos, get: /a}
      notice: {client: notices, get: /n, fallback: null, defer: true}
      author: {client: people, get: "/p/{notice.by}", fallback: null}
    shape: [todos, notice, author]
    """


@responses.activate
def test_the_span_of_a_page_in_lines_ends_with_its_last_line(
    tmp_path: Path, exporter: InMemorySpanExporter
) -> None:
    responses.get("http://todos.test/a", json=1)
    responses.get("http://notices.test/n", json={"by": "ann"})
    responses.get("http://people.test/p/ann", status=404)
    visitor_ = visitor(tmp_path, LINES, environ={"BFF_TRACING": "1"})
    with visitor_.get("/api/lines", headers={"Accept": "application/x-ndjson"}) as found:
        assert [span.name for span in exporter.get_finished_spans() if span.name.startswith("GET /")] == []
        assert "complete" in found.text
    page, requests = page_and_requests(exporter)
    assert told(page)["bff.partial"] == "author"
    assert {span.name for span in requests} == {"GET todos", "GET notices", "GET people"}
    assert {span.parent.span_id for span in requests if span.parent} == {page.context.span_id}


PASSING = """
    route: GET /api/file
    auth: none
    pass: true
    steps:
      file: {client: people, get: /file}
    """


@responses.activate
def test_the_spans_of_a_body_that_goes_through_end_with_it(
    tmp_path: Path, exporter: InMemorySpanExporter
) -> None:
    asked = responses.get("http://people.test/file", body=b"abc", headers={"Content-Length": "3"})
    visitor_ = visitor(tmp_path, PASSING, environ={"BFF_TRACING": "1"})
    with visitor_.get("/api/file") as found:
        assert exporter.get_finished_spans() == ()
        assert found.data == b"abc"
    page, [request] = page_and_requests(exporter)
    assert (told(page)["http.response.status_code"], told(request)["http.response.status_code"]) == (200, 200)
    assert request.parent is not None and request.parent.span_id == page.context.span_id
    assert request.end_time is not None and page.end_time is not None
    assert request.end_time <= page.end_time
    [sent] = asked.calls
    assert f"{request.context.span_id:016x}" in sent.request.headers["traceparent"]


def test_a_body_that_breaks_off_is_told_in_its_spans(tmp_path: Path, exporter: InMemorySpanExporter) -> None:
    with FakeBackend() as backend:
        backend.on("GET /file", half)
        visitor_ = visitor(tmp_path, PASSING, environ={"BFF_TRACING": "1", "PEOPLE_URL": backend.url})
        with visitor_.get("/api/file") as found, pytest.raises(StreamBroke):
            assert found.data
    _, [request] = page_and_requests(exporter)
    assert (told(request)["error.type"], request.status.status_code) == ("refused", StatusCode.ERROR)


def test_a_stream_that_never_opens_has_a_span_that_says_why(
    tmp_path: Path, exporter: InMemorySpanExporter
) -> None:
    with FakeBackend() as backend:
        backend.on("GET /file", close)
        visitor_ = visitor(tmp_path, PASSING, environ={"BFF_TRACING": "1", "PEOPLE_URL": backend.url})
        assert visitor_.get("/api/file").status_code == 502
    page, requests = page_and_requests(exporter)
    assert {told(request)["error.type"] for request in requests} == {"refused"}
    assert told(page)["http.response.status_code"] == 502
