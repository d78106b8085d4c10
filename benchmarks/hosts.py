"""The part `hosts`: every page of the app by the command that its host starts it by, on a real PocketBase.

From the start of the process to its first page, then warm pages and memory. A function on AWS starts with its first
event: times hold what the emulator takes to hand it on, memory is without it. The visits are mostly those of tests.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import emulator
from benchmarks.hosts_built import HANDLER, Place, build, places
from benchmarks.lineup import INSTALLED
from benchmarks.machine import cores, memory_mb, pinned, tree
from benchmarks.measuring import middle
from benchmarks.parts import Rows, Run
from benchmarks.servers import PATIENCE, DidNotStart, free_port
from clients.local import pocketbase
from tests.deploy.aws_events import Answer, Asked, answer_of, http_api
from tests.deploy.aws_visits import VISITS, Person, at_the_app
from tests.servers import SESSION_KEY, layer

WARM = 30
"""Pages of each started process after its first."""
FIGURES = ("start_to_first_page_ms", "warm_ms", "memory_mb")

_MOST_ROUNDS = 3
# They take turns: PocketBase clears the folder of a picture a moment after its row, and refuses who adds one meanwhile.
_VISITORS = 10
_TODOS = 20
_CLIENTS = ("PEOPLE_URL", "TODOS_URL", "NOTICES_URL")
_OWN = ("PATH", "HOME", "LANG")

Send = Callable[[Asked], Answer]


def _home(person: Person) -> Asked:
    return person.request("GET", "/api/home")


def _todo(person: Person) -> Asked:
    path = f"/api/todos/{person.add_todo()}"
    person.ask("POST", f"{path}/comments", json={"text": "With milk?"})
    return person.request("GET", path)


# Those of the tests may find nothing, and PocketBase delays on purpose who often filters for what is not there.
_VISITS = {**VISITS, "home": _home, "todo": _todo}


@dataclass
class Started:
    """A process that has begun at that time of `perf_counter`; `root` is the first one of the page's own."""

    send: Send
    begun: float
    process: subprocess.Popen[bytes]
    root: Callable[[], int]


def run(this: Run) -> Rows:
    """Start, warm page, memory and size of every page: medians of starts that take turns."""
    if lacking := emulator.missing():
        this.missing.append(lacking)
        return []
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="hosts-", dir=INSTALLED) as folder, this.attempt():
        build(Path(folder))
        return measured(this, places(Path(folder), sorted(VISITS)), Path(folder))
    return []


def measured(this: Run, built: Sequence[Place], folder: Path) -> Rows:
    """A row for each place; its log is written into the folder."""
    some = replace(this, rounds=min(this.rounds, _MOST_ROUNDS))
    found: dict[tuple[str, str], Rows] = defaultdict(list)
    with (
        pinned(cores().others),
        pocketbase.temporary() as store,
        layer(store.url, folder, BFF_TRUSTED_PROXIES="1") as resident,
    ):
        store.add("notices", en="Hello", zh="你好", published="2026-01-01 00:00:00.000Z")
        visitors = itertools.cycle([Person(resident.port).sign_up() for _ in range(_VISITORS)])
        for _ in range(_TODOS):
            next(visitors).add_todo()
        for _ in some.each_round():
            for place in built:
                with this.attempt():
                    start = _start(place, visitors, store.url, folder / "host.log")
                    found[place.page, place.host].append(start)
    rows = [_row(place, starts) for place in built if (starts := found.get((place.page, place.host)))]
    for row in rows:
        figures = ", ".join(f"{figure} {row[figure]}" for figure in (*FIGURES, "bundle_mb"))
        this.say(f"    {row['host']:11}{row['page']:16}{figures}")
    return rows


def _row(place: Place, starts: Rows) -> dict[str, object]:
    return {
        "page": place.page,
        "host": place.host,
        "command": place.command,
        **middle(starts, FIGURES),
        "bundle_mb": round(place.bundle_mb, 1),
        "zipped_mb": None if place.zipped_mb is None else round(place.zipped_mb, 1),
    }


def _start(place: Place, visitors: Iterator[Person], backend: str, log: Path) -> dict[str, float]:
    """One start of a page and what follows; what a visit needs first is done at the resident app, untimed."""
    visit = _VISITS[place.page]
    asked = visit(next(visitors))
    with _started(place, backend, log) as started:
        _checked(place, _first(started, asked, log))
        first = time.perf_counter() - started.begun
        warm = []
        for _ in range(WARM):
            if asked.method != "GET":
                asked = visit(next(visitors))
            begun = time.perf_counter()
            answer = started.send(asked)
            warm.append(time.perf_counter() - begun)
            _checked(place, answer)
        memory = memory_mb(started.root())
    return {
        "start_to_first_page_ms": first * 1000,
        "warm_ms": statistics.median(warm) * 1000,
        "memory_mb": memory,
    }


def _checked(place: Place, answer: Answer) -> None:
    if answer.status >= 300:
        raise DidNotStart(f"{place.page} on {place.host} answered {answer.status}: {answer.body[:200]!r}")


def _first(started: Started, asked: Asked, log: Path) -> Answer:
    """The first answer; a server takes no connections before it can answer."""
    while time.perf_counter() < started.begun + PATIENCE and started.process.poll() is None:
        with contextlib.suppress(ConnectionRefusedError):
            return started.send(asked)
        time.sleep(0.001)
    raise DidNotStart(f"{started.process.args}: no first page; {log.read_text('utf-8', 'replace')[-300:]}")


# --- processes ------------------------------------------------------------------------------------------------------


def _started(place: Place, backend: str, log: Path) -> contextlib.AbstractContextManager[Started]:
    environ = {name: os.environ[name] for name in _OWN if name in os.environ}
    environ |= {**dict.fromkeys(_CLIENTS, backend), "BFF_SESSION_KEYS": SESSION_KEY, **place.environ}
    return _server(place, environ, log) if place.words else _function(place, environ, log)


@contextlib.contextmanager
def _function(place: Place, environ: dict[str, str], log: Path) -> Iterator[Started]:
    with emulator.emulated(place.folder, HANDLER, environ, log) as (port, process):

        def send(asked: Asked) -> Answer:
            return answer_of(emulator.invoke(port, http_api(asked)))

        yield Started(send, time.perf_counter(), process, lambda: tree(process.pid)[1])


@contextlib.contextmanager
def _server(place: Place, environ: dict[str, str], log: Path) -> Iterator[Started]:
    port = free_port()
    with log.open("wb") as said, pinned(cores().server):
        begun = time.perf_counter()
        process = subprocess.Popen(
            list(place.words),
            cwd=place.folder,
            env={**environ, "BFF_TRUSTED_PROXIES": "1", "PORT": str(port)},
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        yield Started(lambda asked: at_the_app(port, asked), begun, process, lambda: process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)
