"""One JSON log line per page, and Server-Timing: names, times and outcomes, never a visitor's values."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Mapping
from typing import Any, TextIO

from msgspec import Struct

from bff import clock
from bff.errors import Failure, PageError, Reason
from bff.executor import StepTrace, Writes
from bff.jsontext import encode

_is_request_id = re.compile(r"[A-Za-z0-9._-]{1,64}").fullmatch
pages = logging.getLogger("bff.page")
operator = logging.getLogger("bff")

_LEVELS = {logging.INFO: "info", logging.WARNING: "warning", logging.ERROR: "error"}


def journal_of(
    environ: Mapping[str, Any],
    page: str = "",
    route: str = "",
    said: str = "",
    invalidates: tuple[str, ...] = (),
) -> Journal:
    """The journal of a request that has just come: with the id that it brings, or a new one.

    A server that waits for the body says since when.
    """
    given = environ.get("HTTP_X_REQUEST_ID")
    request_id = given if given and _is_request_id(given) else os.urandom(16).hex()
    return Journal(request_id, environ.get("bff.begun") or clock.monotonic(), page, route, said, invalidates)


class Journal(Struct):
    """What is told of one page while it is made; `begun` is `clock.monotonic()` seconds.

    `said` is the part of its log line that is the same for all requests of its method, where it was made at start.
    `invalidates` are the names of the kept replies that its writes make old.
    `repeated` says that the answer was an earlier one's, `cut` that the visitor left before the body's end.
    Of a body that goes through, `bytes` are those that went out, and `broken` is how it broke off, if it did, `reason`
    why.
    """

    request_id: str
    begun: float
    page: str = ""
    route: str = ""
    said: str = ""
    invalidates: tuple[str, ...] = ()
    traces: Mapping[str, StepTrace] = {}
    writes: Writes | None = None
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

    @property
    def written(self) -> dict[str, Any]:
        """What a problem says of the page's writes."""
        return {} if self.writes is None else self.writes.members

    def end_with(self, error: PageError) -> None:
        """Note the problem that ends the page, without the way that it came.

        The frames there know this journal: the collector alone could end such a circle.
        """
        self.error = error
        error.__traceback__ = error.__context__ = error.__cause__ = None

    def server_timing(self) -> str:
        """The header with each step that ended, in the order of the recipe, and `total`.

        A step that did not simply go well has its outcome for a description.
        """
        parts = [
            f"{trace.name};dur={trace.milliseconds:.1f}{_described(trace)}"
            for trace in self.traces.values()
            if trace.ended
        ]
        return ", ".join([*parts, f"total;dur={self.milliseconds:.1f}"])

    def log(self, method: str, status: int) -> None:
        """Write the page's one line; a 5xx is an error, a page that is partial, old or broken off a warning."""
        lacking = self.partial or self.stale or self.broken
        level = logging.ERROR if status >= 500 else logging.WARNING if lacking else logging.INFO
        if not pages.isEnabledFor(level):
            return
        text = self._line(method, status, level)
        if is_heard_elsewhere():
            pages.log(level, text)
        else:  # past the logging module
            operator.handlers[0].say(text)  # type: ignore[attr-defined]

    def _line(self, method: str, status: int, level: int) -> str:
        """The line as JSON, whose usual members are written at once: an encoder takes twice as long."""
        steps = ""
        if self.traces:
            each = [
                f'"{trace.name}":{{"ms":{(trace.ended - trace.begun) * 1000:.1f},"outcome":"{trace.outcome}",'
                f'"requests":{trace.requests}{"" if trace.failure is None else _told(trace.failure)}}}'
                if trace.ended
                else f'"{trace.name}":{{"ms":null,"outcome":"unfinished","requests":{trace.requests}}}'
                for trace in self.traces.values()
            ]
            steps = ",".join(each)
        moment = clock.now().isoformat(timespec="milliseconds")[:-6]
        ms = (clock.monotonic() - self.begun) * 1000
        said = self.said or said_of(self.page, self.route, method)
        partial = '","'.join(self.partial)
        partial = partial and f'"{partial}"'
        is_rare = self.error is not None or self.bytes is not None or self.stale or self.repeated or self.cut
        more = self._rare() if is_rare or self.broken else ""
        return (
            f'{{"time":"{moment}Z","level":"{_LEVELS[level]}","request_id":"{self.request_id}",{said},'
            f'"status":{status},"ms":{ms:.1f},"steps":{{{steps}}},"partial":[{partial}]{more}}}'
        )

    def _rare(self) -> str:
        """The members of what few lines tell, behind the others."""
        more: dict[str, Any] = {}
        if self.stale:
            more["stale"] = self.stale
        if self.repeated:
            more["repeated"] = True
        if self.cut:
            more["cut"] = True
        if self.bytes is not None:
            more["bytes"] = self.bytes
        if self.broken:
            more["broken"] = self.broken
            if self.reason:
                more["reason"] = self.reason
        if self.error is not None:
            more["problem"] = self.error.kind
            more["step"] = self.error.step
            if self.written:
                more["written"] = self.written
            if self.error.log is not None:
                more["cause"] = self.error.log
        return f",{_members(more)}"


def said_of(page: str, route: str, method: str) -> str:
    """The members of a line that are the same for all requests of a method for a page."""
    return _members({"page": page, "route": route, "method": method})


def name_of(endpoint: str | None) -> str:
    """What an endpoint is called: the recipe of a page, else the view that the project has added; '' for none."""
    return page_of(endpoint or "") or endpoint or ""


def page_of(endpoint: str) -> str:
    """The name of the recipe behind an endpoint of a page; empty for any other."""
    kind, _, name = endpoint.partition(".")
    return name.rpartition(".")[0] if kind == "page" else ""


def _told(failure: Failure) -> str:
    """How a step failed: words of closed sets, and the backend's status."""
    reason = failure.reason and f',"reason":"{failure.reason}"'
    status = "" if failure.upstream_status is None else f',"status":{failure.upstream_status}'
    cause = "" if failure.log is None else f",{_members({'cause': failure.log})}"
    return f',"kind":"{failure.kind}"{reason}{status}{cause}'


def _members(found: Mapping[str, Any]) -> str:
    """The members of a JSON object, without its braces."""
    return encode(found).decode()[1:-1]


def _described(trace: StepTrace) -> str:
    return "" if trace.outcome == "ok" else f";desc={trace.outcome}"


class _Lines(logging.StreamHandler[TextIO]):
    """Writes each message as it is."""

    def say(self, text: str) -> None:
        """Write a line that needs no record of the logging module, which costs several times the line."""
        lock, stream = self.lock, self.stream
        assert lock is not None, "every handler has one"
        with lock:
            stream.write(f"{text}\n")
            stream.flush()


def is_heard_elsewhere() -> bool:
    """Whether anybody but our own handler hears of pages."""
    own = operator.handlers
    if len(own) != 1 or own[0].__class__ is not _Lines or own[0].filters:
        return True
    return bool(
        pages.handlers or pages.filters or operator.filters or logging.root.handlers or not pages.propagate
    )


def write_to_stdout() -> None:
    """Let the log lines out as they are, unless the program has set up logging of its own."""
    if operator.hasHandlers():
        return
    operator.addHandler(_Lines(sys.stdout))
    operator.setLevel(logging.INFO)
