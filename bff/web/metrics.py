"""Counts of pages, steps and calls for Prometheus; imported only where `BFF_METRICS` asks for them.

Labels are page, step, client and outcome only: what an author wrote, never what a visitor sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector

from bff import clock
from bff.http import Broken, Call, Calls, Change, Client, Passage, Reply
from bff.web.journal import Journal

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The counters of one app; with PROMETHEUS_MULTIPROC_DIR all worker processes are counted together."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._shared = bool(environ.get("PROMETHEUS_MULTIPROC_DIR"))
        self._registry = CollectorRegistry()
        if not self._shared:
            ProcessCollector(registry=self._registry)
        self._pages = self._counter("bff_pages", "Pages answered", "page", "outcome")
        self._page_seconds = self._histogram("bff_page_seconds", "Seconds that pages took", "page")
        self._steps = self._counter("bff_steps", "Steps that ended", "page", "step", "outcome")
        self._step_seconds = self._histogram(
            "bff_step_seconds", "Seconds that steps with requests took", "page", "step"
        )
        self._calls = self._counter("bff_calls", "Replies given to steps", "client", "outcome")
        self._call_seconds = self._histogram(
            "bff_call_seconds", "Seconds that calls took, retries among them", "client"
        )
        self._retries = self._counter("bff_retries", "Further tries of calls", "client")
        self._reads = self._counter("bff_cached_reads", "Reads with a cache", "client", "outcome")
        self._hedges = self._counter("bff_hedges", "Second copies of late reads", "client")
        self._breakers = self._counter(
            "bff_breaker_changes", "Times a breaker opened or closed", "client", "outcome"
        )

    def exposition(self) -> tuple[bytes, str]:
        """All counters as Prometheus reads them, and the content type of that."""
        registry = self._registry
        if self._shared:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry), CONTENT_TYPE_LATEST

    def page_ended(self, journal: Journal, status: int) -> None:
        """Count a page and its steps."""
        page = journal.page
        self._pages.labels(page, _page_outcome(journal, status)).inc()
        self._page_seconds.labels(page).observe(journal.milliseconds / 1000)
        for trace in journal.traces.values():
            ended = trace.ended or trace.outcome == "failed"
            self._steps.labels(page, trace.name, trace.outcome if ended else "unfinished").inc()
            if trace.requests and trace.ended:
                self._step_seconds.labels(page, trace.name).observe(trace.milliseconds / 1000)

    def page_shed(self, page: str) -> None:
        """Count a page that was turned away because there were too many."""
        self._pages.labels(page, "shed").inc()

    def calls(self, *given: Any) -> Calls:
        """The calls of one page, counted; takes what `Calls` takes."""
        return _CountedCalls(self, *given)

    def breaker_turned(self, client: Client, change: str) -> None:
        """Count that a client's breaker has opened or closed."""
        self._breakers.labels(client.name, change).inc()

    def call_ended(self, call: Call, seconds: float, retries: int, copies: int) -> None:
        """Count a call with the further tries and second copies that were its own."""
        client, result = call.client.name, call.result
        if call.cached is not None:
            self._reads.labels(client, call.cached).inc()
        self._calls.labels(client, _call_outcome(result)).inc()
        if result is None or (isinstance(result, Reply) and result.from_cache):
            return
        self._call_seconds.labels(client).observe(seconds)
        if retries > 0:
            self._retries.labels(client).inc(retries)
        if copies > 0:
            self._hedges.labels(client).inc(copies)

    def _counter(self, name: str, doc: str, *labels: str) -> Counter:
        return Counter(name, f"{doc}.", labels, registry=self._registry)

    def _histogram(self, name: str, doc: str, *labels: str) -> Histogram:
        return Histogram(name, f"{doc}.", labels, registry=self._registry, buckets=_SECONDS)


class _CountedCalls(Calls):
    """Tells of each call that ended, with the seconds, further tries and second copies it took, and of breakers."""

    def __init__(self, metrics: Metrics, *given: Any) -> None:
        super().__init__(*given)
        self._metrics = metrics
        self._begun: dict[Call, float] = {}
        self._shared: set[object] = set()
        self._stream_begun = 0.0

    def start(self, *given: Any, **more: Any) -> Call:
        begun = clock.monotonic()
        call = super().start(*given, **more)
        self._begun[call] = begun
        return call

    def wait(self, until: float) -> list[Call]:
        ended = super().wait(until)
        now = clock.monotonic()
        for call in ended:
            self._metrics.call_ended(call, now - self._begun.pop(call, now), *self._tries_of(call))
        return ended

    def stream(self, *given: Any, **more: Any) -> Passage | Broken:
        self._stream_begun = clock.monotonic()
        return super().stream(*given, **more)

    def streamed(self, call: Call) -> None:
        self._metrics.call_ended(call, clock.monotonic() - self._stream_begun, *self._tries_of(call))

    def turned(self, client: Client, change: Change) -> None:
        self._metrics.breaker_turned(client, change)

    def _tries_of(self, call: Call) -> tuple[int, int]:
        """Further tries and second copies of a call; of reads that shared theirs, only the first counts them."""
        fetch = call.fetch
        if fetch is None or fetch in self._shared:
            return 0, 0
        self._shared.add(fetch)
        return fetch.attempts - 1 - fetch.copies, fetch.copies


def _page_outcome(journal: Journal, status: int) -> str:
    if status >= 500:
        return "failed"
    if status >= 400:
        return "refused"
    if journal.partial:
        return "partial"
    return "stale" if journal.stale else "ok"


def _call_outcome(result: Reply | Broken | None) -> str:
    if isinstance(result, Reply):
        return "cached" if result.from_cache else f"{result.status // 100}xx"
    return "unknown" if result is None else result.kind
