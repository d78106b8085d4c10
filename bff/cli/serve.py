"""`serve`: the app of wsgi.py as in production, under granian."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from granian import Granian
from granian._internal import load_target
from granian.constants import Interfaces

from bff.errors import OperatorError

TARGET = "wsgi:app"
_LONGEST_STOP = 60
"""Seconds that a worker has for the pages under way, once it takes no more."""
_HEARD = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Serving:
    """How to serve; `drain` is the seconds between the signal to stop and the stop."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    threads: int = 16
    backlog: int = 2048
    drain: float = 5.0


def serve(root: Path, serving: Serving) -> int:
    """Serve until a signal ends it; raises OperatorError where there is nothing to serve."""
    folder = root.resolve()
    if not (folder / "wsgi.py").is_file():
        raise OperatorError(f"there is no wsgi.py in {folder}")
    os.chdir(folder)
    os.environ["BFF_THREADS"] = str(serving.threads)
    server = _Draining(
        TARGET,
        drain=serving.drain,
        address=serving.host,
        port=serving.port,
        interface=Interfaces.WSGI,
        workers=serving.workers,
        blocking_threads=serving.threads,
        backlog=serving.backlog,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=_LONGEST_STOP,
    )
    server.serve(target_loader=partial(load, folder), wrap_loader=True)
    return 0


def load(folder: Path, target: str) -> Any:
    """The app, in its worker: ready to be told of a stop, and its modules out of the collector's way.

    What imports leave behind is next to nothing, and to look for it takes longer than to import half of the app.
    """
    gc.disable()
    signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)  # before there are threads, which take it over
    app = load_target(target, wd=folder)
    site = getattr(app, "extensions", {}).get("bff")
    hearing = partial(_hear, site, os.getppid(), threading.get_ident())
    threading.Thread(target=hearing, name="bff-signals", daemon=True).start()
    gc.freeze()
    gc.enable()
    return app


def _hear(site: Any, main: int, first: int) -> None:
    """Take the signals of a worker: SIGUSR1 tells of the stop, SIGUSR2 ends it, SIGTERM only where `main` is gone.

    Hosts send SIGTERM to every process of a service at once, and workers go on while the main process drains. In a
    thread of its own, and the end is sent on to the first thread: one that is sent to the process may go to any, and
    the first, which granian leaves asleep, then does not hear of it.
    """
    while True:
        heard = signal.sigwait(_HEARD)
        if heard == signal.SIGUSR1:
            if site is not None:
                site.stop()
        elif heard == signal.SIGUSR2 or os.getppid() != main:
            signal.pthread_kill(first, signal.SIGINT)


def _end(worker: Any) -> None:
    """End a worker after its pages under way."""
    worker.interrupt_by_parent = True
    if worker.is_alive():
        with suppress(ProcessLookupError):
            os.kill(worker.inner.pid, signal.SIGUSR2)


class _Draining(Granian):  # type: ignore[misc, valid-type]
    """A granian that says that it is about to stop, while it still answers, before it stops.

    A load balancer takes an instance out only some time after it was told to stop: what it sends until then must be
    answered. SIGTERM begins that; a second one, or Ctrl-C, ends it at once.
    """

    def __init__(self, target: str, *, drain: float, **options: Any) -> None:
        super().__init__(target, **options)
        self._drain = drain
        self._draining = False

    def _spawn_worker(self, *which: Any, **what: Any) -> Any:
        worker = super()._spawn_worker(*which, **what)
        worker.terminate = partial(_end, worker)
        return worker

    def signal_handler_interrupt(self, number: int, frame: FrameType | None = None) -> None:
        stop: Callable[..., None] = super().signal_handler_interrupt
        if number != signal.SIGTERM or self._draining or not self._drain:
            stop()
            return
        self._draining = True
        for worker in self.wrks:
            with suppress(ProcessLookupError):
                os.kill(worker.inner.pid, signal.SIGUSR1)
        timer = threading.Timer(self._drain, stop)
        timer.daemon = True
        timer.start()
