"""The part `sick`: what the page `home` costs while the backend of its notice is sick, beside the page that is well.

Ours is measured with a breaker and without, with retries and without, with a fallback (the page goes on without its
notice) and without (the page is a problem). Fastify does the same by hand: the same backend and time-out, a try/catch.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.lineup import BFF, HERE, HOME, Page, Peer
from benchmarks.load import Asked
from benchmarks.machine import cores, pinned
from benchmarks.measuring import drive, measure, middle, note_of, rounded
from benchmarks.parts import Rows, Run
from benchmarks.servers import PATIENCE, Backend, Server, ask, backend, serving

TIME_OUT = "100ms"
"""Of the request for the notice, and written in `peers/node/pages.mjs` too."""
WELL = ("well", "late")
SICK = ("refused", "500", "503", "hangs", "reset")
KINDS = WELL + SICK
USERS, USERS_WHO_WAIT = 8, 16
FIGURES = ("cpu_us", "p50_ms", "asked_per_page")
_FAILED = frozenset({b"502", b"503", b"504"})
_PEERS = ("bff", "fastify-undici")


@dataclass(frozen=True, slots=True)
class Way:
    """How the notice is asked for, and what becomes of the page without it."""

    kind: str
    breaker: bool = False
    retries: int = 0
    fallback: bool = True

    @property
    def name(self) -> str:
        ways = ("breaker" * self.breaker, "retries" * bool(self.retries))
        end = "fallback" if self.fallback else "required"
        return "-".join(filter(None, ("sick", self.kind, *ways, end)))

    @property
    def client(self) -> str:
        return f"notices_{self.kind}{'_with_breaker' * self.breaker}"

    @property
    def is_well(self) -> bool:
        return self.kind in WELL

    @property
    def compared_with(self) -> Way:
        """The same page with the backend well, and as late where this one is waited for."""
        return replace(self, kind="late" if self.kind == "hangs" and self.waits else "well", retries=0)

    @property
    def waits(self) -> bool:
        """Whether the page waits for its notice; where it hangs, a breaker has opened."""
        return self.kind == "late" or (self.kind == "hangs" and not self.breaker)

    @property
    def users(self) -> int:
        """Where each page waits it takes more of them to keep the processor as busy."""
        return USERS_WHO_WAIT if self.waits else USERS


def ways(peer: Peer) -> list[Way]:
    """All that a peer is measured in: what is well needs no retries, and what is late is there for pages that wait."""
    ours = peer.name == BFF.name
    return [
        Way(kind, breaker, retries, fallback)
        for kind in KINDS
        for breaker in ((False, True) if ours and kind != "late" else (False,))
        for retries in ((0, 1) if ours and kind in SICK else (0,))
        for fallback in (True, False)
    ]


def run(this: Run) -> Rows:
    """A row for each peer and way: CPU of the page, and how many times that is of the page that is well."""
    found: dict[str, dict[Way, Rows]] = defaultdict(lambda: defaultdict(list))
    peers = this.installed([peer for peer in this.peers if peer.name in _PEERS])
    with backend() as asked, _notices() as ports, _project() as folder:
        environ = {f"NOTICES_{kind.upper()}": f"http://127.0.0.1:{port}" for kind, port in ports.items()}
        for _ in this.each_round():
            for peer in peers:
                here = replace(peer, folder=folder) if peer.name == BFF.name else peer
                with this.attempt(), serving(here, "same", asked.at_once, environ) as server:
                    measure(server, asked, HOME, USERS, seconds=this.seconds, warm=this.seconds / 6)
                    for way in ways(peer):
                        with this.attempt():
                            found[peer.name][way].append(_measured(this, server, asked, ports["well"], way))
    return [row for name, of_ways in found.items() for row in _rows(name, of_ways)]


def _measured(this: Run, server: Server, asked: Backend, counts: int, way: Way) -> dict[str, Any]:
    load = _looked_at(server, way)
    asked.counts()
    ask(counts, "/-/counts")
    measured = drive(server, asked, load, way.users, seconds=this.seconds / 3, warm=this.seconds / 6)
    # Every page asks for its todos once: so many pages were begun.
    pages, notices = asked.counts().get("/todos", 0), json.loads(ask(counts, "/-/counts").body)
    found = {
        "cpu_us": None if measured.cpu_s_per_1000 is None else measured.cpu_s_per_1000 * 1000,
        "p50_ms": measured.p50_ms,
        "errors": measured.errors,
        # Who refuses sees nobody.
        "asked_per_page": notices.get(way.kind, 0) / pages if pages and way.kind != "refused" else None,
    }
    this.say(
        f"    {server.peer.name:16}{way.name:34}{found['cpu_us'] or 0:>8.0f} µs{measured.p50_ms or 0:>8.1f} ms"
        f"  {note_of(measured)}"
    )
    return found


def _looked_at(server: Server, way: Way) -> Asked:
    """The page as the load asks for it; raises ValueError where it is not what this way makes of it."""
    page = Page(way.name, HOME.input, HOME.expected)
    if not way.is_well and not way.fallback:
        return server.asked(page, statuses=_FAILED)
    answer = server.ask(page)
    expected = HOME.expected if way.is_well else HOME.expected | {"notice": None}
    if answer.status != 200 or json.loads(answer.body) != expected:
        raise ValueError(f"{server.peer.name} answers {way.name} with {answer.status} and another page")
    return server.asked(page)


def _rows(name: str, of_ways: Mapping[Way, Rows]) -> Rows:
    rows = {way: middle(rounds, FIGURES) for way, rounds in of_ways.items()}
    return [
        {
            "name": name,
            **asdict(way),
            **row,
            "times_well": _times(row["cpu_us"], rows.get(way.compared_with, {}).get("cpu_us")),
            "errors": sum(one["errors"] for one in of_ways[way]),
        }
        for way, row in rows.items()
    ]


def _times(cpu: float | None, well: float | None) -> float | None:
    return None if cpu is None or not well else rounded(cpu / well)


@contextlib.contextmanager
def _project() -> Iterator[Path]:
    """The project of the page with a page for each way, whose recipes follow that of `home`."""
    home = (BFF.folder / "orchestrations" / "home.yaml").read_text("utf-8")
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        shutil.copytree(BFF.folder, project, dirs_exist_ok=True)
        for way in ways(BFF):
            (project / "orchestrations" / f"{way.name}.yaml").write_text(_recipe(home, way), "utf-8")
            (project / "clients" / f"{way.client}.py").write_text(_client(way), "utf-8")
        yield project


def _recipe(home: str, way: Way) -> str:
    request = f"client: {way.client}\n    timeout: {TIME_OUT}\n    retries: {way.retries}\n"
    request += "    fallback: null\n" if way.fallback else ""
    text = home
    for old, new in (("GET /api/home\n", f"GET /api/{way.name}\n"), ("client: notices\n", request)):
        if text.count(old) != 1:
            raise ValueError(f"home.yaml does not say {old.strip()} once")
        text = text.replace(old, new)
    return text


def _client(way: Way) -> str:
    url, breaker = f"NOTICES_{way.kind.upper()}", "" if way.breaker else ", breaker=None"
    return (
        f'from bff import Client, env\n\nclient = Client(base_url=env("{url}"), concurrency=1024{breaker})\n'
    )


@contextlib.contextmanager
def _notices() -> Iterator[Mapping[str, int]]:
    """The backend of the notices, on the cores of the load: its port for each kind."""
    command = [sys.executable, str(HERE / "sick_backend.py")]
    with pinned(cores().others):
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(PATIENCE)
