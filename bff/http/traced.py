"""OpenTelemetry spans of the requests to backends; imported only where tracing is asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from msgspec.structs import replace
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from bff.http.messages import Broken, Reply, StreamBroke
from bff.http.transport import Promise, Started, Stream, Transport, Try

_W3C = TraceContextTextMapPropagator()


class TracedTransport:
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
                end_with(span, status, server=False)
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
        end_with(span, inner.status, server=False)

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


def end_with(span: Span, status: int, *, server: bool) -> None:
    """Note a status; for a server only 5xx is an error of its own."""
    span.set_attribute("http.response.status_code", status)
    if status >= (500 if server else 400):
        span.set_status(Status(StatusCode.ERROR))
