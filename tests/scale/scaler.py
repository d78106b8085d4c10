"""Instances of the whole app that are started and stopped as the load wants it, from none to some and back."""

from __future__ import annotations

import math
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

from tests.nginx import KEEPS_NO_CONNECTION, PASSES_ON, Nginx
from tests.scale.access import AccessLog
from tests.scale.activator import Activator
from tests.scale.bundles import Bundle
from tests.scale.kills import Kill, kill
from tests.servers import PATIENCE, Layer
from tests.soak.gauges import sample

MOST = 8
REQUESTS_A_SECOND = 5.0
"""What one instance is to have of them."""
_TURN = 0.25
_COUNTED = 2.0
"""Seconds over which requests are counted."""
_STEADY = 3.0
"""Seconds for which fewer must have been enough, before one is stopped."""
_HANGS_FOR = 1.0


@dataclass
class Instance:
    """A process of the app; `first_page` is the seconds from its start to its first page, `memory` bytes at most."""

    layer: Layer
    first_page: Future[float]
    memory: float = 0.0

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self.layer.process is not None
        return self.layer.process


@dataclass(frozen=True, slots=True)
class Moment:
    """Seconds since the beginning, what was wanted, who served and was being started, and requests a second."""

    at: float
    wanted: int
    serving: int
    starting: int
    rate: float


@dataclass
class Seen:
    """What happened: moments, kills, and of every instance that was started its figures and its exit status."""

    moments: list[Moment] = field(default_factory=list)
    kills: list[Kill] = field(default_factory=list)
    first_pages: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    exits: list[int] = field(default_factory=list)


class Scaler:
    """Instances of a bundle behind nginx. A request that finds none waits, and so calls for one.

    Of those that are too many the first of each `kills_every` is killed where it stands; the others leave nginx first,
    and are then told to stop. `cookies` are those of somebody who may see the page at `first_page`.
    """

    def __init__(
        self,
        bundle: Bundle,
        folder: Path,
        backend_url: str,
        cookies: Mapping[str, str],
        *,
        kills_every: int,
        **environ: str,
    ) -> None:
        self.nginx = Nginx(folder)
        self.log = AccessLog(self.nginx.log)
        self.seen = Seen()
        self.door = 0
        self._bundle, self._folder, self._backend_url = bundle, folder, backend_url
        self._cookies, self._environ, self._kills_every = cookies, environ, kills_every
        self._activator = Activator()
        self._starting: list[Instance] = []
        self._serving: list[Instance] = []
        self._ending: list[Instance] = []
        self._too_many = 0
        self._wanted: list[tuple[float, int]] = []
        self._probes = ThreadPoolExecutor(MOST)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Within the block it scales, from none on; at its end it must have come down to none."""
        over = threading.Event()
        self._activator.start()
        self.door = self._activator.door(self._somebody)
        self.nginx.start(self._http(), self._server())
        with ThreadPoolExecutor(1) as scaling:
            try:
                done = scaling.submit(self._scale, over)
                yield
                self.until_none(done)
            finally:
                over.set()
                self.nginx.stop()
                self._activator.stop()
            done.result()

    def until_none(self, done: Future[None] | None = None) -> None:
        """Wait until the last instance has ended."""
        until = time.monotonic() + PATIENCE
        while self._starting or self._serving or self._ending:
            assert time.monotonic() < until, "there are instances without load"
            if done is not None and done.done():
                done.result()
            time.sleep(_TURN)

    # --- in the scaler's own thread, which begins every child and outlives each ---------------------------

    def _scale(self, over: threading.Event) -> None:
        begun = time.monotonic()
        try:
            while not over.wait(_TURN):
                self._turn(begun)
        finally:
            self._probes.shutdown(cancel_futures=True)
            for instance in [*self._starting, *self._serving, *self._ending]:
                instance.layer.stop()

    def _turn(self, begun: float) -> None:
        self.log.follow()
        rate = self._rate()
        wanted = self._steady(min(MOST, math.ceil(rate / REQUESTS_A_SECOND)))
        self._take_in()
        self._reap()
        while len(self._serving) + len(self._starting) < wanted:
            self._start_one()
        if len(self._serving) > wanted and not self._starting:
            self._stop_one()
        for instance in self._serving:
            instance.memory = max(instance.memory, sample(instance.process.pid).memory)
        now = time.monotonic() - begun
        self.seen.moments.append(Moment(now, wanted, len(self._serving), len(self._starting), rate))

    def _rate(self) -> float:
        """Requests a second now; those that wait count as if they came in one."""
        since = time.time() - _COUNTED
        lately = 0
        for line in reversed(self.log.lines):
            if line.ended < since:
                break
            lately += 1
        return lately / _COUNTED + self._activator.waiting

    def _steady(self, wanted: int) -> int:
        now = time.monotonic()
        self._wanted = [(at, many) for at, many in self._wanted if at > now - _STEADY] + [(now, wanted)]
        return max(many for _, many in self._wanted)

    def _start_one(self) -> None:
        layer = self._bundle.instance(self._backend_url, self._folder, **self._environ)
        begun = time.monotonic()
        layer.begin()
        self._starting.append(Instance(layer, self._probes.submit(self._first_page, layer, begun)))

    def _first_page(self, layer: Layer, begun: float) -> float:
        """The seconds until an instance has answered its first page."""
        while time.monotonic() < begun + PATIENCE:
            try:
                answer = requests.get(f"{layer.url}/api/home", cookies=self._cookies, timeout=PATIENCE)
            except requests.ConnectionError:
                time.sleep(0.01)
                continue
            assert answer.status_code == 200, answer.text
            return time.monotonic() - begun
        raise AssertionError(f"no page from {layer.url}: {layer.log.read_text()}")

    def _take_in(self) -> None:
        started = [instance for instance in self._starting if instance.first_page.done()]
        for instance in started:
            self.seen.first_pages.append(instance.first_page.result())
            self._starting.remove(instance)
            self._serving.append(instance)
        if started:
            self.nginx.change(self._http(), self._server())

    def _stop_one(self) -> None:
        self._too_many += 1
        instance = self._serving[0]
        if self._too_many % self._kills_every == 1:
            self.seen.kills.append(kill(instance.layer, _HANGS_FOR))
        self._serving.remove(instance)
        self.nginx.change(self._http(), self._server())
        if instance.process.poll() is None:
            instance.process.terminate()
            self._ending.append(instance)
        else:
            self.seen.memory.append(instance.memory)

    def _reap(self) -> None:
        for instance in [one for one in self._ending if one.process.poll() is not None]:
            self._ending.remove(instance)
            self.seen.exits.append(instance.process.returncode)
            self.seen.memory.append(instance.memory)

    # --- nginx --------------------------------------------------------------------------------------------------------

    def _somebody(self) -> int | None:
        return self._serving[0].layer.port if self._serving else None

    def _http(self) -> str:
        servers = "".join(f"server 127.0.0.1:{one.layer.port} max_fails=0; " for one in self._serving)
        door = f"server 127.0.0.1:{self.door} {'backup ' if servers else ''}max_fails=0;"
        return f"upstream app {{ {servers} {door} }}"

    def _server(self) -> str:
        return f"""
            {KEEPS_NO_CONNECTION}
            location / {{
                access_log {self.nginx.log} line;
                proxy_pass http://app; {PASSES_ON} proxy_next_upstream error;
            }}"""


def table(scaler: Scaler) -> str:
    """What was measured, as text."""
    seen, lines = scaler.seen, scaler.log.lines
    first, memory = seen.first_pages, [one / 1024**2 for one in seen.memory]
    waited = [line.took for line in lines if scaler.door in line.upstreams]
    rows = (
        f"{one.at:5.1f} s{one.rate:12.1f}{one.wanted:8}{one.starting:10}{one.serving:9}  {'#' * one.serving}"
        for one in seen.moments[:: round(2.5 / _TURN)]
    )
    figures = (
        f"started   {len(first)}: {statistics.median(first):.2f} s to the first page, at most {max(first):.2f} s",
        f"waited    {len(waited)} requests for an instance, at most {max(waited):.2f} s",
        f"pages     {_latency(scaler, '/api/login', wanted=False)}",
        f"sign-ins  {_latency(scaler, '/api/login', wanted=True)}",
        f"memory    {statistics.median(memory):.0f} MiB an instance, at most {max(memory):.0f} MiB",
        f"stopped   {len(seen.exits)} by SIGTERM; {len(seen.kills)} killed",
        f"requests  {len(lines)}: {sum(line.cut for line in lines)} cut by a kill, "
        f"{sum(line.failed and not line.cut for line in lines)} failed otherwise, "
        f"{sum(len(line.upstreams) > 1 for line in lines)} answered by another than the first that was asked",
    )
    return "\n".join(["   time  requests/s  wanted  starting  serving", *rows, *figures])


def _latency(scaler: Scaler, path: str, *, wanted: bool) -> str:
    """How long requests to a path took, or those to all others, where an instance was there to take them."""
    warm = sorted(
        line.took
        for line in scaler.log.lines
        if (line.path == path) is wanted and not line.failed and scaler.door not in line.upstreams
    )
    p50, p99 = (1000 * warm[int(len(warm) * share)] for share in (0.5, 0.99))
    return f"{len(warm)} where an instance was there: p50 {p50:.0f} ms, p99 {p99:.0f} ms"
