"""Counts the calls of every kind of page and prints them as JSON: `python -m tests.counts.measure`.

A process of its own, so that nothing that tests import, mock or listen to takes part.
"""

from __future__ import annotations

import gc
import io
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from bff import clock, create_app
from tests.counts.backend import Backend
from tests.counts.kinds import CLIENTS, CUT, KINDS, REPLIES, ROOT, USER, Kind, path_of, recipes
from tests.project import write_project

WARM, COUNTED = 10, 20
SESSION_KEY = "A" * 43 + "="
# Where a thread may wait for a backend: there the backend is let answer first.
_WAITS = frozenset({"poll", "select", "recv", "recv_into", "read"})


class StandingClock:
    """The clocks of `bff.clock`, which stand still and are read by one call of C, as the real ones are."""

    def __init__(self) -> None:
        self._moments = {
            name: float(round(getattr(clock, name)())) for name in ("monotonic", "wall", "thread_time")
        }
        self.go_on(1.0)

    def go_on(self, seconds: float) -> None:
        for name in self._moments:
            self._moments[name] += seconds
            # A float's method that gives the float: made in C and without arguments, like `time.monotonic`.
            setattr(clock, name, self._moments[name].conjugate)


class Counts:
    """The calls of one page: Python's by file and name, C's by name."""

    def __init__(self, backend: Backend, sleeping: Callable[[], None], project: Path) -> None:
        self.python: Counter[tuple[str, str]] = Counter()
        self.c: Counter[str] = Counter()
        self._backend = backend
        self._sleeping = sleeping
        self._project = project

    @property
    def totals(self) -> tuple[int, int]:
        return self.python.total(), self.c.total()

    def note(self, frame: FrameType, event: str, arg: Any) -> None:
        if frame.f_code.co_filename == __file__:
            return  # this module asks, which a server does
        if event == "call":
            self.python[frame.f_code.co_filename, frame.f_code.co_qualname] += 1
        elif event == "c_call":
            self.c[_name(arg)] += 1
            if arg.__name__ in _WAITS:
                self._backend.quiet()
                self._sleeping()

    def told(self) -> dict[str, dict[str, int]]:
        python: Counter[str] = Counter()
        for (file, name), count in self.python.items():
            python[f"{_short(file, self._project)}:{name}"] += count
        return {"python": dict(sorted(python.items())), "c": dict(sorted(self.c.items()))}


def _name(function: Any) -> str:
    """A function of C by its class or module."""
    name: str = function.__qualname__
    if name == "float.conjugate":
        return "bff.clock"
    return name if "." in name or not function.__module__ else f"{function.__module__}.{name}"


def _short(file: str, project: Path) -> str:
    """A file's path from the root of what it belongs to."""
    for root in sorted({str(project), str(ROOT), *filter(None, sys.path)}, key=len, reverse=True):
        if file.startswith(root + os.sep):
            return file[len(root) + 1 :]
    return file


class Visitor:
    """Asks a WSGI app in this thread, as a server does."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._begun: tuple[str, list[tuple[str, str]]] = ("", [])

    def _start(self, status: str, headers: list[tuple[str, str]], exc: object = None) -> None:
        self._begun = status, headers

    def ask(self, environ: dict[str, Any]) -> bytes:
        """The body of the answer, taken and closed."""
        body: Iterable[bytes] = self._app(environ, self._start)
        whole = b"".join(body)
        if hasattr(body, "close"):
            body.close()
        return whole

    @property
    def status(self) -> int:
        return int(self._begun[0][:3])

    def sign_in(self) -> str:
        body = json.dumps({"name": USER}).encode()
        sent = {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
        self.ask(environ_of("/api/login", method="POST", body=body) | sent)
        return dict(self._begun[1])["Set-Cookie"].partition(";")[0]


def environ_of(path: str, query: str = "", method: str = "GET", body: bytes = b"") -> dict[str, Any]:
    """What a server gives the app of a request by a browser's script."""
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_ACCEPT": "application/json",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


@dataclass(frozen=True, slots=True)
class Bench:
    """What pages are counted with."""

    backend: Backend
    clock: StandingClock
    project: Path
    cookie: str

    def count(self, visitor: Visitor, name: str) -> Counts:
        """The least of some pages, after others."""
        for _ in range(WARM):
            self._page(visitor, name)
        return min((self._page(visitor, name) for _ in range(COUNTED)), key=lambda counts: counts.totals)

    def _page(self, visitor: Visitor, name: str) -> Counts:
        kind = KINDS[name]
        # A second earns the client of a page that is always tried twice its next retry.
        self.clock.go_on(1.0 if kind.sleeps else 0.0)
        environ = environ_of(path_of(name), kind.query)
        environ |= {"HTTP_COOKIE": self.cookie} if kind.signed_in else {}
        counts = Counts(self.backend, partial(self.clock.go_on, kind.sleeps), self.project)
        sys.setprofile(counts.note)
        try:
            body = visitor.ask(environ)
        finally:
            sys.setprofile(None)
        _check(name, kind, visitor.status, body)
        return counts


def _check(name: str, kind: Kind, status: int, body: bytes) -> None:
    answer = json.loads(body)
    if kind.answer is not None:
        answer.pop("errors", None)
    if status != kind.status or (kind.answer is not None and answer != kind.answer):
        raise AssertionError(f"{name} is answered {status} {body[:500]!r}")


def variables(backend: Backend) -> dict[str, str]:
    """What the project takes from its environment."""
    urls = {f"{client.upper()}_URL": backend.url for client in CLIENTS}
    return {**urls, "SICK_REFUSED_URL": backend.refusing, "BFF_SESSION_KEYS": SESSION_KEY}


def measure() -> Mapping[str, Any]:
    """Kinds with the calls of each."""
    backend, standing = Backend(REPLIES, [CUT]), StandingClock()
    with tempfile.TemporaryDirectory() as folder:
        project = write_project(Path(folder).resolve(), recipes(), clients=CLIENTS)
        environ = variables(backend)
        plain = Visitor(create_app(project, environ=environ))
        metered = Visitor(create_app(project, environ={**environ, "BFF_METRICS": "1"}))
        bench = Bench(backend, standing, project, plain.sign_in())
        gc.collect()
        gc.disable()  # else what it finds would be counted with the page that it comes upon
        return {
            name: bench.count(metered if kind.metrics else plain, name).told() for name, kind in KINDS.items()
        }


def main() -> None:
    out = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the lines of the log
    with out:
        json.dump(measure(), out)


if __name__ == "__main__":
    main()
