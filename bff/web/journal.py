"""One JSON log line per page, and Server-Timing: names, times and outcomes, never a visitor's values."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Any, TextIO

from msgspec import Struct, field

from bff import clock
from bff.errors import Failure, PageError, Reason
from bff.executor import StepTrace, Writes
from bff.jsontext import encode

pages = logging.getLogger("bff.page")
operator = logging.getLogger("bff")


class Journal(Struct):
    """What is told of one page while it is made; `begun` is `clock.monotonic()` seconds.

    `repeated` says that the answer was an earlier one's, `cut` that the visitor left before the body's end.
    Of a body that goes through, `bytes` are those that went out, and `broken` is how it broke off, if it did, `reason`
    why.
    """

    request_id: str
    begun: float
    page: str = ""
    route: str = ""
    traces: Mapping[str, StepTrace] = field(default_factory=dict)
    writes: Writes = field(default_factory=Writes)
    partial: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    error: PageError | None = None
    repeated: bool = False
    cut: bool = False
    bytes: int | None = None
    broken: str = ""
    reason: Reason = ""

    @property
    def milliseconds(self) -> float:
        return (clock.monotonic() - self.begun) * 1000

    def server_timing(self, *, with_steps: bool) -> str:
        """The header: `total`, and where allowed each step that ended, in the order of the recipe.

        A step that did not simply go well has its outcome for a description.
        """
        parts = [
            f"{trace.name};dur={trace.milliseconds:.1f}{_described(trace)}"
            for trace in self.traces.values()
            if with_steps and trace.ended
        ]
        return ", ".join([*parts, f"total;dur={self.milliseconds:.1f}"])

    def log(self, method: str, status: int) -> None:
        """Write the page's one line; a 5xx is an error, a page that is partial, old or broken off a warning."""
        lacking = self.partial or self.stale or self.broken
        level = logging.ERROR if status >= 500 else logging.WARNING if lacking else logging.INFO
        if pages.isEnabledFor(level):
            _say(level, encode(self._line(method, status, level)).decode())

    def _line(self, method: str, status: int, level: int) -> dict[str, Any]:
        line: dict[str, Any] = {
            "time": clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": logging.getLevelName(level).lower(),
            "request_id": self.request_id,
            "page": self.page,
            "route": self.route,
            "method": method,
            "status": status,
            "ms": round(self.milliseconds, 1),
            "steps": {
                trace.name: {
                    "ms": round(trace.milliseconds, 1) if trace.ended else None,
                    "outcome": trace.outcome if trace.ended else "unfinished",
                    "requests": trace.requests,
                    **(_NO_FAILURE if trace.failure is None else _told(trace.failure)),
                }
                for trace in self.traces.values()
            },
            "partial": list(self.partial),
        }
        if self.stale:
            line["stale"] = list(self.stale)
        if self.repeated:
            line["repeated"] = True
        if self.cut:
            line["cut"] = True
        if self.bytes is not None:
            line["bytes"] = self.bytes
        if self.broken:
            line["broken"] = self.broken
            if self.reason:
                line["reason"] = self.reason
        if self.error is not None:
            line["problem"] = self.error.kind
            line["step"] = self.error.step
            if self.writes.members:
                line["written"] = self.writes.members
            if self.error.log is not None:
                line["cause"] = self.error.log
        return line


def name_of(endpoint: str | None) -> str:
    """What an endpoint is called: the recipe of a page, else the view that the project has added; '' for none."""
    return page_of(endpoint or "") or endpoint or ""


def page_of(endpoint: str) -> str:
    """The name of the recipe behind an endpoint of a page; empty for any other."""
    kind, _, name = endpoint.partition(".")
    return name.rpartition(".")[0] if kind == "page" else ""


_NO_FAILURE: Mapping[str, Any] = {}


def _told(failure: Failure) -> dict[str, Any]:
    """How a step failed: words of closed sets, and the backend's status."""
    found: dict[str, Any] = {"kind": failure.kind}
    if failure.reason:
        found["reason"] = failure.reason
    if failure.upstream_status is not None:
        found["status"] = failure.upstream_status
    if failure.log is not None:
        found["cause"] = failure.log
    return found


def _described(trace: StepTrace) -> str:
    return "" if trace.outcome == "ok" else f";desc={trace.outcome}"


class _Lines(logging.StreamHandler[TextIO]):
    """Writes each message as it is."""

    def say(self, text: str) -> None:
        """Write a line that needs no record of the logging module, which costs several times the line."""
        self.acquire()
        try:
            self.stream.write(f"{text}\n")
            self.stream.flush()
        finally:
            self.release()


def _say(level: int, text: str) -> None:
    """Log a line; past the logging module where nobody but our own handler is there to hear of it."""
    ours = operator.handlers[0] if len(operator.handlers) == 1 else None
    heard_elsewhere = pages.handlers or pages.filters or operator.filters or logging.root.handlers
    if isinstance(ours, _Lines) and not heard_elsewhere and pages.propagate:
        ours.say(text)
    else:
        pages.log(level, text)


def write_to_stdout() -> None:
    """Let the log lines out as they are, unless the program has set up logging of its own."""
    if operator.hasHandlers():
        return
    operator.addHandler(_Lines(sys.stdout))
    operator.setLevel(logging.INFO)
