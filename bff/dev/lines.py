"""The log of an app for who writes it: one short line a request."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from bff import clock

_MOST = 3
_WORTH = 10  # milliseconds


def clock_of(moment: datetime) -> str:
    """The time of day where the author is."""
    return moment.astimezone().strftime("%H:%M:%S")


def line_of(status: int, what: str, milliseconds: float, *more: str) -> str:
    """One line of a request that has ended now."""
    return "  ".join([f"{clock_of(clock.now())} {status} {what} {milliseconds:.0f} ms", *filter(None, more)])


def page_line(entry: Mapping[str, Any], kept: Iterable[str] = ()) -> str:
    """The line of a page's log entry: what was slow, what it does without, and the steps that kept replies answered."""
    steps: Mapping[str, Mapping[str, Any]] = entry["steps"]
    took = {name: step["ms"] for name, step in steps.items() if step["ms"] is not None}
    slow = sorted((name for name in took if took[name] >= max(_WORTH, entry["ms"] / 2)), key=took.__getitem__)
    return line_of(
        entry["status"],
        entry["page"],
        entry["ms"],
        ", ".join(f"{name} {took[name]:.0f} ms" for name in slow[::-1][:_MOST]),
        _problem(entry, steps),
        _listed("partial", (_failed(name, steps.get(name, {})) for name in entry["partial"])),
        _listed("old", entry.get("stale", ())),
        _listed("kept", kept),
    )


def _problem(entry: Mapping[str, Any], steps: Mapping[str, Mapping[str, Any]]) -> str:
    if "problem" not in entry:
        return ""
    name = entry.get("step")
    step = f" {_failed(name, steps.get(name, {}))}" if name else ""
    cause = f": {entry['cause']}" if "cause" in entry else ""
    return f"{entry['problem']}{step}{cause}"


def _failed(name: str, step: Mapping[str, Any]) -> str:
    """A step with how it failed, in the words of the log."""
    how = [str(step[key]) for key in ("kind", "reason", "status") if key in step]
    return f"{name} ({' '.join(dict.fromkeys(how))})" if how else name


def _listed(title: str, names: Iterable[str]) -> str:
    found = ", ".join(names)
    return f"{title}: {found}" if found else ""


class DevLog(logging.Handler):
    """Writes a line for each page, and what else the layer has to say from warnings on.

    `kept_in` gives the steps of an entry that kept replies have answered.
    """

    def __init__(
        self, write: Callable[[str], None], kept_in: Callable[[Mapping[str, Any]], Iterable[str]]
    ) -> None:
        super().__init__()
        self._write = write
        self._kept_in = kept_in

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == "bff.page":
            entry = json.loads(record.getMessage())
            self._write(page_line(entry, self._kept_in(entry)))
        elif record.levelno >= logging.WARNING:
            self._write(f"{clock_of(clock.now())} {self.format(record)}")
