"""Counts of pages, steps and calls for Prometheus; imported only where `BFF_METRICS` asks for them.

Labels are page, step, client and outcome only: what an author wrote, never what a visitor sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector

from bff import forks
from bff.http.counted import Counting
from bff.web.journal import Journal

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics(Counting):
    """The counters of one app; with PROMETHEUS_MULTIPROC_DIR all worker processes are counted together."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._shared = bool(environ.get("PROMETHEUS_MULTIPROC_DIR"))
        self._registry = CollectorRegistry()
        if not self._shared:
            ProcessCollector(registry=self._registry)
        self._tallies: list[_Tallies] = []
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
        for tallies in self._tallies:
            tallies.add_up()
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

    def page_shed(self, page: str) -> None:
        """Count a page that was turned away because there were too many."""
        self._pages[page, "shed"].inc()

    def call_ended(
        self,
        client: str,
        outcome: str,
        seconds: float | None,
        retries: int = 0,
        copies: int = 0,
        cached: str | None = None,
    ) -> None:
        """Count a call; only one that somebody was asked for took seconds, further tries and second copies."""
        if cached is not None:
            self._reads[client, cached].inc()
        self._calls[client, outcome].inc()
        if seconds is None:
            return
        self._call_seconds[client,].observe(seconds)
        if retries > 0:
            self._retries[client,].inc(retries)
        if copies > 0:
            self._hedges[client,].inc(copies)

    def handed_over(self, client: str, why: str) -> None:
        """Count a request that left the quick way to its backend."""
        self._hand_overs[client, why].inc()

    def breaker_turned(self, client: str, change: str) -> None:
        """Count that a client's breaker has opened or closed."""
        self._breakers[client, change].inc()

    def _counter(self, name: str, doc: str, *labels: str) -> _Labelled:
        counter = Counter(name, f"{doc}.", labels, registry=self._registry)
        if self._shared:  # whichever process is asked tells of all
            return _Labelled(counter)
        self._tallies.append(_Tallies(counter))
        return self._tallies[-1]

    def _histogram(self, name: str, doc: str, *labels: str) -> _Labelled:
        return _Labelled(Histogram(name, f"{doc}.", labels, registry=self._registry, buckets=_SECONDS))


class _Labelled(dict[tuple[str, ...], Any]):
    """What a metric counts under each of its labels, found without the work of looking it up there."""

    def __init__(self, metric: Counter | Histogram) -> None:
        super().__init__()
        self._metric = metric

    def __missing__(self, labels: tuple[str, ...]) -> Any:
        return self.setdefault(labels, self._metric.labels(*labels))


class _Tallies(_Labelled):
    """The same for a counter of this process alone, which is told how many there were when somebody asks it."""

    def __init__(self, counter: Counter) -> None:
        super().__init__(counter)
        self._lock = forks.lock()

    def __missing__(self, labels: tuple[str, ...]) -> Any:
        return self.setdefault(labels, _Tally(self._metric.labels(*labels), self._lock))

    def add_up(self) -> None:
        """Tell the counter what has been counted since the last time."""
        for tally in list(self.values()):
            tally.add_up()


class _Tally:
    """What was counted under some labels since somebody asked: a counter takes four calls for each time."""

    __slots__ = ("_counter", "_lock", "_new")

    def __init__(self, counter: Any, lock: Lock) -> None:
        self._counter = counter
        self._lock = lock
        self._new = 0

    def inc(self, amount: int = 1) -> None:
        with self._lock:
            self._new += amount

    def add_up(self) -> None:
        with self._lock:
            new, self._new = self._new, 0
        self._counter.inc(new)


def _page_outcome(journal: Journal, status: int) -> str:
    if status >= 500:
        return "failed"
    if status >= 400:
        return "refused"
    if journal.partial:
        return "partial"
    return "stale" if journal.stale else "ok"
