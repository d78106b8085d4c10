"""The part `harness`: what load and backend cost themselves, so that it can be seen that they were not measured."""

from __future__ import annotations

import statistics
import time

from benchmarks import fixtures
from benchmarks.load import Asked, Load
from benchmarks.machine import cores, cpu_seconds, pinned
from benchmarks.measuring import Sample, rounded, summed_up
from benchmarks.parts import Rows, Run
from benchmarks.servers import Backend, backend

_PATHS = {
    f"/people/{fixtures.USER}": fixtures.me(),
    f"/todos?owner={fixtures.USER}": fixtures.todos(),
    "/people": fixtures.people(),
    "/notices/latest": fixtures.notice(),
}


def run(this: Run) -> Rows:
    """How many pages a second one core of load and backend can carry, and what a delayed reply takes."""
    with backend() as asked, pinned(cores().others):
        per_reply = {path: _reply(asked, path, body, this.seconds / 2) for path, body in _PATHS.items()}
        delayed = _delayed(asked, this.seconds / 2)
    backend_us = sum(spent.server for spent in per_reply.values()) * 1e6
    load_us = statistics.mean(spent.others for spent in per_reply.values()) * 1e6
    carried = 1e6 / (backend_us + load_us)
    this.say(
        f"  backend {backend_us:.0f} µs and load {load_us:.0f} µs a page: their core carries {carried:.0f} "
        f"pages/s; a delayed reply takes {delayed:.2f} ms"
    )
    return [
        {"name": "pages_per_s_at_most", "value": rounded(carried)},
        {"name": "backend_us_per_page", "value": rounded(backend_us)},
        {"name": "load_us_per_page", "value": rounded(load_us)},
        {"name": "delayed_reply_ms", "value": rounded(delayed)},
    ]


def _reply(asked: Backend, path: str, body: fixtures.JSON, seconds: float) -> Sample:
    """CPU seconds of one reply: of the backend and of the load."""

    def sample() -> Sample:
        return Sample(cpu_seconds(asked.process.pid), time.process_time())

    window = Load(_asked(asked.at_once, path, body), 50, sample, warm=0.1, seconds=seconds).run()
    pages = len(window.latencies)
    before, after = window.before, window.after
    return Sample((after.server - before.server) / pages, (after.others - before.others) / pages)


def _delayed(asked: Backend, seconds: float) -> float:
    """The median of a delayed reply for one user, in milliseconds."""
    path = f"/people/{fixtures.USER}"
    load = Load(_asked(asked.delayed, path, _PATHS[path]), 1, lambda: Sample(0, 0), seconds=seconds)
    found = summed_up(load.run(), 0).p50_ms
    assert found is not None
    return found


def _asked(port: int, path: str, body: fixtures.JSON) -> Asked:
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    return Asked(port, request, len(fixtures.encode(body)))
