"""One measurement: a page of a running server under load, and what it cost on both sides."""

from __future__ import annotations

import math
import os
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from subprocess import Popen
from typing import Any, Protocol

from benchmarks.lineup import Page
from benchmarks.load import Asked, Load, Window
from benchmarks.machine import cores, cpu_seconds, memory_mb, pinned
from benchmarks.servers import Server


class Backend(Protocol):
    """What servers ask, with its process: what that costs is no cost of the server."""

    @property
    def process(self) -> Popen[Any]: ...


@dataclass(frozen=True)
class Sample:
    """CPU seconds so far: of the server with all below it, of the backend and the load together."""

    server: float
    others: float


@dataclass(frozen=True)
class Measured:
    """What one window showed; what cannot be told of no page at all is None."""

    pages_per_s: float
    cpu_s_per_1000: float | None
    p50_ms: float | None
    p99_ms: float | None
    memory_mb: float
    errors: int
    kinds: dict[str, int]
    load_core: float
    """How busy the core of load and backend was, from 0 to 1: near 1 they were measured, not the server."""


def measure(
    server: Server, backend: Backend, page: Page, users: int, *, seconds: float, warm: float = 0.5
) -> Measured:
    """`users` at once on the page for so many seconds, from the cores of the load."""
    return drive(server, backend, server.asked(page), users, seconds=seconds, warm=warm)


def drive(
    server: Server, backend: Backend, asked: Asked, users: int, *, seconds: float, warm: float = 0.5
) -> Measured:
    def sample() -> Sample:
        others = time.process_time() + cpu_seconds(backend.process.pid)
        return Sample(cpu_seconds(server.process.pid), others)

    with pinned(cores().others):
        window = Load(asked, users, sample, warm=warm, seconds=seconds).run()
    return summed_up(window, memory_mb(server.process.pid))


def summed_up(window: Window[Sample], memory: float) -> Measured:
    """The figures of a window."""
    pages = len(window.latencies)
    ordered = sorted(window.latencies)
    spent = window.after.server - window.before.server
    return Measured(
        pages_per_s=pages / window.seconds,
        cpu_s_per_1000=spent * 1000 / pages if pages else None,
        p50_ms=percentile(ordered, 0.5) * 1000 if pages else None,
        p99_ms=percentile(ordered, 0.99) * 1000 if pages else None,
        memory_mb=memory,
        errors=sum(window.errors.values()),
        kinds=dict(window.errors),
        load_core=(window.after.others - window.before.others) / window.seconds,
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed; raises ValueError for none."""
    if not ordered:
        raise ValueError("no values")
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def rounded(value: float) -> float:
    """Three significant digits: more is not known."""
    if not value:
        return 0.0
    digits = 2 - math.floor(math.log10(abs(value)))
    return round(value, max(0, digits))


def middle(rounds: Sequence[dict[str, Any]], figures: Iterable[str]) -> dict[str, Any]:
    """The median of each figure over rounds, and under `spread` its least and greatest; None where all are None."""
    medians: dict[str, Any] = {}
    spread: dict[str, Any] = {}
    for figure in figures:
        values = [found[figure] for found in rounds if found[figure] is not None]
        medians[figure] = rounded(statistics.median(values)) if values else None
        spread[figure] = [rounded(min(values)), rounded(max(values))] if values else None
    return {**medians, "spread": spread, "rounds": len(rounds)}


def note_of(measured: Measured) -> str:
    """What a reader has to know about a measurement; empty where there is nothing."""
    notes = [f"{count} × {kind}" for kind, count in sorted(measured.kinds.items())]
    if measured.load_core > 0.9 and len(os.sched_getaffinity(0)) > 1:
        notes.append(f"the load's core was {measured.load_core:.0%} busy")
    return ", ".join(notes)
