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
from bff.http import (
    Broken,
    CacheOutcome,
    Call,
    Calls,
    Change,
    Client,
    Ended,
    HandOver,
    Joined,
    Passage,
    Reply,
)
from bff.web.journal import Journal

_BY_STATUS = tuple(f"{hundreds}xx" for hundreds in range(10))
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
        self._hand_overs = self._counter(
            "bff_hand_overs", "Requests that left the quick way to their backend", "client", "outcome"
        )
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
        self._pages[page, _page_outcome(journal, status)].inc()
        self._page_seconds[page,].observe(journal.milliseconds / 1000)
        for trace in journal.traces.values():
            ended = trace.ended or trace.outcome == "failed"
            self._steps[page, trace.name, trace.outcome if ended else "unfinished"].inc()
            if trace.requests and trace.ended:
                self._step_seconds[page, trace.name].observe(trace.ended - trace.begun)

    def handed_over(self, client: Client, why: HandOver) -> None:
        """Count a request that left the quick way to its backend."""
        self._hand_overs[client.name, why].inc()

    def page_shed(self, page: str) -> None:
        """Count a page that was turned away because there were too many."""
        self._pages[page, "shed"].inc()

    def calls(self, *given: Any) -> Calls:
        """The calls of one page, counted; takes what `Calls` takes."""
        return _CountedCalls(self, *given)

    def breaker_turned(self, client: Client, change: str) -> None:
        """Count that a client's breaker has opened or closed."""
        self._breakers[client.name, change].inc()

    def cache_hit(self, client: str) -> None:
        """Count a read that was answered with a kept reply, without a call."""
        self._reads[client, "hit"].inc()
        self._calls[client, "cached"].inc()

    def reply_came(self, client: str, status: int, seconds: float) -> None:
        """Count a call that took one try and brought a reply which is not kept."""
        self._calls[client, _BY_STATUS[status // 100]].inc()
        self._call_seconds[client,].observe(seconds)

    def call_ended(
        self,
        client: str,
        result: Reply | Broken | None,
        seconds: float,
        retries: int,
        copies: int,
        cached: CacheOutcome | None = None,
    ) -> None:
        """Count a call with the further tries and second copies that were its own."""
        if cached is not None:
            self._reads[client, cached].inc()
        self._calls[client, _call_outcome(result)].inc()
        if result is None or (isinstance(result, Reply) and result.from_cache):
            return
        self._call_seconds[client,].observe(seconds)
        if retries > 0:
            self._retries[client,].inc(retries)
        if copies > 0:
            self._hedges[client,].inc(copies)

    def _counter(self, name: str, doc: str, *labels: str) -> _Labelled:
        return _Labelled(Counter(name, f"{doc}.", labels, registry=self._registry))

    def _histogram(self, name: str, doc: str, *labels: str) -> _Labelled:
        return _Labelled(Histogram(name, f"{doc}.", labels, registry=self._registry, buckets=_SECONDS))


class _Labelled(dict[tuple[str, ...], Any]):
    """What a metric counts under each of its labels, found without the work of looking it up there."""

    def __init__(self, metric: Counter | Histogram) -> None:
        super().__init__()
        self._metric = metric

    def __missing__(self, labels: tuple[str, ...]) -> Any:
        found = self[labels] = self._metric.labels(*labels)
        return found


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

    def wait(self, until: float) -> list[Call | Ended]:
        ended = super().wait(until)
        now = clock.monotonic()
        for one in ended:
            if isinstance(one, Call):
                begun = self._begun.pop(one, now) if one.begun is None else one.begun
                self._ended_call(one, now - begun)
            elif isinstance(one, Joined) or not one.plain or one.attempts > 1:
                self._metrics.call_ended(one.client.name, one.result, now - one.began, one.further_tries, 0)
            else:  # of a plain reply nothing is read that the page does not
                self._metrics.reply_came(one.route.client.name, one.status, now - one.began)
        return ended

    def _ended_call(self, call: Call, seconds: float) -> None:
        tries, copies = self._tries_of(call)
        self._metrics.call_ended(call.client.name, call.result, seconds, tries, copies, call.cached)

    def stream(self, *given: Any, **more: Any) -> Passage | Broken:
        self._stream_begun = clock.monotonic()
        return super().stream(*given, **more)

    def streamed(self, call: Call) -> None:
        self._ended_call(call, clock.monotonic() - self._stream_begun)

    def cache_hit(self, client: Client) -> None:
        self._metrics.cache_hit(client.name)

    def refused(self, client: Client, why: Broken) -> None:
        self._metrics.call_ended(client.name, why, 0.0, 0, 0)

    def handed_over(self, client: Client, why: HandOver) -> None:
        self._metrics.handed_over(client, why)

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
        return "cached" if result.from_cache else _BY_STATUS[result.status // 100]
    return "unknown" if result is None else result.kind
