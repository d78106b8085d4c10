"""OpenTelemetry spans of pages and of the requests to backends; imported only where tracing is asked for.

Only the API is used: the operator's SDK decides what becomes of the spans. They hold names that an author wrote,
methods and statuses; never a path, a query, a header, a body or the text of an error.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager

from msgspec.structs import replace
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from bff.errors import PageError
from bff.http import Broken, Promise, Reply, Started, Stream, StreamBroke, Transport, Try
from bff.web.answer import Answer
from bff.web.headers import value_of
from bff.web.journal import Journal
from bff.web.live import LiveBody
from bff.web.request import PageRequest

_W3C = TraceContextTextMapPropagator()


class Tracing:
    """Makes the spans of one app; a `traceparent` that comes in is believed only behind trusted proxies."""

    def __init__(self, *, trusted: bool, provider: TracerProvider | None = None) -> None:
        self._trusted = trusted
        self._tracer = trace.get_tracer("bff", tracer_provider=provider)

    def page(self, route: str, request: PageRequest, journal: Journal, make: Callable[[], Answer]) -> Answer:
        """The answer, made within a span of its page, which ends when the answer has been made or an error comes."""
        span = self._begin(journal.page, route, request)
        try:
            with _within(span):
                answer = make()
        except PageError as error:
            span.set_attribute("error.type", error.kind)
            _end_with(span, error.status, server=True)
            span.end()
            raise
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            _end_with(span, getattr(error, "code", None) or 500, server=True)
            span.end()
            raise
        _end_with(span, answer.status, server=True)
        body = answer.body
        if isinstance(body, LiveBody):
            body.within(functools.partial(_within, span))
            body.at_end(functools.partial(_answered, span, journal, answer))
        else:
            _answered(span, journal, answer)
        return answer

    def _begin(self, page: str, route: str, request: PageRequest) -> Span:
        instrumented = trace.get_current_span().get_span_context().is_valid
        attributes = {
            "bff.page": page,
            "http.request.method": request.method,
            "http.route": route.partition(" ")[2],
        }
        return self._tracer.start_span(
            route,
            context=None if instrumented else self._context_of(request),
            kind=SpanKind.INTERNAL if instrumented else SpanKind.SERVER,
            attributes=attributes,
        )

    def watch(self, transport: Transport) -> Transport:
        """The transport, with a span for each request that it sends."""
        return _TracedTransport(transport, self._tracer)

    def _context_of(self, request: PageRequest) -> Context:
        if not self._trusted:
            return Context()
        carrier = {name: text for name in ("traceparent", "tracestate") if (text := request.header(name))}
        return _W3C.extract(carrier, Context())


class _TracedTransport:
    """Hands everything on, with a span around each try and its `traceparent` among the headers."""

    def __init__(self, inner: Transport, tracer: trace.Tracer) -> None:
        self._inner = inner
        self._tracer = tracer
        self._spans: dict[Started, Span] = {}

    def start(self, request: Try) -> Started:
        span, watched = self._begin(request)
        started = self._inner.start(watched)
        self._spans[started] = span
        return started

    def stream(self, request: Try, body: Iterable[bytes] | None) -> Stream | Broken:
        span, watched = self._begin(request)
        try:
            opened = self._inner.stream(watched, body)
        except Exception:  # the visitor's body
            span.set_attribute("error.type", "abandoned")
            span.end()
            raise
        if isinstance(opened, Broken):
            _end_broken(span, opened)
            return opened
        return _TracedStream(opened, span)

    def _begin(self, request: Try) -> tuple[Span, Try]:
        """A span for a request, and the request with its `traceparent`."""
        span = self._tracer.start_span(
            f"{request.method} {request.client.name}",
            kind=SpanKind.CLIENT,
            attributes={"bff.client": request.client.name, "http.request.method": request.method},
        )
        own: dict[str, str] = {}
        _W3C.inject(own, trace.set_span_in_context(span))
        kept = {name: value for name, value in request.headers.items() if name.lower() not in own}
        # Only here: as part of what a step sends it would be part of every key of the cache.
        return span, replace(request, headers=kept | own)

    def promise(self) -> Promise:
        return self._inner.promise()

    def wait(self, started: Collection[Started], until: float) -> Sequence[Started]:
        ended = self._inner.wait(started, until)
        for one in ended:
            self._end(one)
        return ended

    def abandon(self, started: Started) -> None:
        span = self._spans.pop(started, None)
        self._inner.abandon(started)
        if span is not None:
            span.set_attribute("error.type", "abandoned")
            span.end()

    def _end(self, started: Started) -> None:
        span = self._spans.pop(started, None)
        if span is None:
            return
        match started.outcome:
            case Reply(status=status):
                _end_with(span, status, server=False)
                span.end()
            case Broken() as broken:
                _end_broken(span, broken)
            case None:
                span.end()


class _TracedStream:
    """A stream whose span ends with it."""

    def __init__(self, inner: Stream, span: Span) -> None:
        self.status = inner.status
        self.headers = inner.headers
        self._inner = inner
        self._span: Span | None = span
        _end_with(span, inner.status, server=False)

    def chunks(self) -> Iterator[bytes]:
        try:
            yield from self._inner.chunks()
        except StreamBroke as error:
            if self._span is not None:
                self._span.set_attribute("error.type", error.broken.kind)
                self._span.set_status(Status(StatusCode.ERROR))
            raise

    def close(self) -> None:
        span, self._span = self._span, None
        self._inner.close()
        if span is not None:
            span.end()


def _end_broken(span: Span, broken: Broken) -> None:
    """End the span of a request that brought no reply."""
    span.set_attribute("error.type", broken.kind)
    span.set_status(Status(StatusCode.ERROR))
    span.end()


def _within(span: Span) -> AbstractContextManager[Span]:
    """Make a span the current one; of what is raised within nothing is recorded, since its message may hold a value."""
    return trace.use_span(span, record_exception=False, set_status_on_exception=False)


def _answered(span: Span, journal: Journal, answer: Answer) -> None:
    """End the span of a page whose answer has been made."""
    partial = ", ".join(journal.partial) or value_of(answer.headers, "x-page-partial")
    if partial:
        span.set_attribute("bff.partial", partial)
    stale = ", ".join(journal.stale) or value_of(answer.headers, "x-page-stale")
    if stale:
        span.set_attribute("bff.stale", stale)
    if journal.error is not None:
        span.set_attribute("error.type", journal.error.kind)
        span.set_status(Status(StatusCode.ERROR))
    span.end()


def _end_with(span: Span, status: int, *, server: bool) -> None:
    """Note a status; for a server only 5xx is an error of its own."""
    span.set_attribute("http.response.status_code", status)
    if status >= (500 if server else 400):
        span.set_status(Status(StatusCode.ERROR))
