"""When each step of a page began and ended, as bars under one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bff.executor import StepTrace

WIDTH = 40
"""Characters that stand for the whole page."""


def waterfall(traces: Sequence[StepTrace], begun: float, ended: float) -> Iterator[str]:
    """A line for each step with its bar, its milliseconds and how it went; times are `clock.monotonic()` seconds."""
    whole = max(ended - begun, 1e-6)
    widest = max([len("page"), *(len(trace.name) for trace in traces)])
    yield f"{'page'.ljust(widest)}  {'=' * WIDTH}  {whole * 1000:7.1f} ms"
    for trace in sorted(traces, key=lambda trace: trace.begun):
        until = trace.ended or ended
        at = min(WIDTH - 1, round((trace.begun - begun) / whole * WIDTH))
        to = max(at + 1, min(WIDTH, round((until - begun) / whole * WIDTH)))
        bar = (" " * at + "=" * (to - at)).ljust(WIDTH)
        yield f"{trace.name.ljust(widest)}  {bar}  {(until - trace.begun) * 1000:7.1f} ms  {_how(trace)}"


def _how(trace: StepTrace) -> str:
    """How a step went, in words of closed sets."""
    outcome = trace.outcome if trace.ended else "unfinished"
    requests = f"  {trace.requests} requests" if trace.requests > 1 else ""
    if trace.failure is None:
        return f"{outcome}{requests}"
    failure = trace.failure
    why = failure.kind if failure.upstream_status is None else f"status {failure.upstream_status}"
    return f"{outcome} ({why}){requests}"
