"""OpenTelemetry spans of pages; imported only where tracing is asked for.

Only the API is used: the operator's SDK decides what becomes of the spans. They hold names that an author wrote,
methods and statuses; never a path, a query, a header, a body or the text of an error.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from bff.errors import PageError
from bff.http import Transport
from bff.http.traced import TracedTransport, end_with
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
            end_with(span, error.status, server=True)
            span.end()
            raise
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            end_with(span, getattr(error, "code", None) or 500, server=True)
            span.end()
            raise
        end_with(span, answer.status, server=True)
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
        return TracedTransport(transport, self._tracer)

    def _context_of(self, request: PageRequest) -> Context:
        if not self._trusted:
            return Context()
        carrier = {name: text for name in ("traceparent", "tracestate") if (text := request.header(name))}
        return _W3C.extract(carrier, Context())


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
