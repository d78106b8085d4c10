"""What the simulation is fed with: figures of `benchmarks/results.json`, and how they become times of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.lineup import THREADS
from benchmarks.scale_prices import LAMBDA_MB, LAMBDA_VCPU_MB

# Ours and what one would write by hand in the same language.
PEERS = ("bff", "flask-requests")
BACKEND_MS = 20


class NotMeasured(ValueError):
    """A figure that the simulation needs is not in the results."""


@dataclass(frozen=True)
class Software:
    """One way of making the page, as it was measured with backends that take 20 ms."""

    name: str
    start_s: float
    """From the start of a process to the first page, backends at once."""
    function_start_s: float
    """The same under Lambda's own runtime, where it was measured for everybody; else as it is elsewhere."""
    wait_s: float
    """What a page waits for its backends."""
    page_s: float
    """The median page of one visitor, warm."""
    pages_per_s: float
    """The most that one core was measured to serve."""
    threads: int
    """Of a server; the same for everybody, because an autoscaler counts by them."""
    memory_mb: float

    @property
    def core_s(self) -> float:
        """What a page takes of a busy core."""
        return 1 / self.pages_per_s

    @property
    def delay_s(self) -> float:
        """The rest of a page, in which the core is free."""
        return max(0.0, self.page_s - self.core_s)

    @property
    def function_page_s(self) -> float:
        """A page on a function host, whose share of a core is what comes with its memory."""
        return self.wait_s + (self.page_s - self.wait_s) * max(1.0, LAMBDA_VCPU_MB.value / LAMBDA_MB)


def measured(found: Mapping[str, Any], name: str) -> Software:
    """The inputs of one peer; raises NotMeasured."""
    pages = [
        row
        for row in found.get("pages", [])
        if (row["name"], row["work"], row["backend_ms"]) == (name, "same", BACKEND_MS)
    ]
    one = next((row for row in pages if row["users"] == 1 and row["p50_ms"]), None)
    if one is None:
        raise NotMeasured(f"no page of {name} with 1 user and {BACKEND_MS} ms backends: --only pages")
    start = _one(found, "cold_start", name)["first_page_ms"] / 1000
    memory = max(row["memory_mb"] for row in pages)
    if memory > LAMBDA_MB:
        raise NotMeasured(f"{name} took {memory:.0f} MB, more than the {LAMBDA_MB} MB that are rented")
    return Software(
        name=name,
        start_s=start,
        function_start_s=_on_lambda(found, name) or start,
        wait_s=2 * _one(found, "harness", "delayed_reply_ms")["value"] / 1000,
        page_s=one["p50_ms"] / 1000,
        pages_per_s=max(row["pages_per_s"] for row in pages),
        threads=THREADS,
        memory_mb=memory,
    )


def _one(found: Mapping[str, Any], part: str, name: str) -> Mapping[str, Any]:
    row: Mapping[str, Any] | None = next((row for row in found.get(part, []) if row["name"] == name), None)
    if row is None:
        raise NotMeasured(f"no {name} in {part}: --only {part.replace('_', '-')}")
    return row


def _on_lambda(found: Mapping[str, Any], name: str) -> float | None:
    """The start of this page under Lambda's own runtime: one way of measuring for everybody, or none."""
    starts = {row["name"]: row["first_page_ms"] / 1000 for row in found.get("lambda", [])}
    return starts[name] if starts.keys() >= set(PEERS) else None
