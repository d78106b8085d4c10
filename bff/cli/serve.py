"""`serve`: the app of wsgi.py as in production, under granian."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import FrameType
from typing import Any

from granian import Granian
from granian._internal import load_target
from granian.constants import Interfaces
from granian.log import logger
from msgspec import Struct

from bff.errors import OperatorError
from bff.server import Bridge

TARGET = "wsgi:app"
_LONGEST_STOP = 60
"""Seconds that a worker has for the pages under way, once it takes no more."""
_HEARD = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM)


class Serving(Struct, frozen=True):
    """How to serve; `drain` is the seconds between the signal to stop and the stop."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    threads: int = 128
    backlog: int = 2048
    drain: float = 5.0


def serve(root: Path, serving: Serving) -> int:
    """Serve until a signal ends it (0), or it cannot (1); raises OperatorError where there is nothing to serve."""
    folder = root.resolve()
    if not (folder / "wsgi.py").is_file():
        raise OperatorError(f"there is no wsgi.py in {folder}")
    if (why := _taken(serving.host, serving.port)) is not None:
        print(f"bff: cannot listen on {serving.host}:{serving.port}: {why}", file=sys.stderr)
        return 1
    os.chdir(folder)
    os.environ["BFF_THREADS"] = str(serving.threads)
    server = _Server(
        TARGET,
        drain=serving.drain,
        address=serving.host,
        port=serving.port,
        interface=Interfaces.ASGINL,
        workers=serving.workers,
        backlog=serving.backlog,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=_LONGEST_STOP,
    )
    server.serve(target_loader=partial(load, folder, serving.threads), wrap_loader=True)
    return 1 if server.cannot_start else 0


def _taken(host: str, port: int) -> str | None:
    """Why nobody can listen there: a server of ours would share the port with another one, and get half of it."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":  # as servers do: a connection that has ended does not take its port
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, OverflowError) as error:
        return getattr(error, "strerror", None) or str(error)
    return None


def load(folder: Path, threads: int, target: str, parent: Connection) -> Any:
    """The app, in its worker: ready to be told of a stop, and its modules out of the collector's way.

    What imports leave behind is next to nothing, and to look for it takes longer than to import half of the app.
    `parent` is told how it went: with an empty text that it went well, else with all that there is to say.
    """
    gc.disable()
    signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)  # before there are threads, which take it over
    try:
        app: Any = load_target(target, wd=folder)
    except (Exception, SystemExit) as error:
        parent.send(_why(error))
        raise SystemExit(1) from None
    site = getattr(app, "extensions", {}).get("bff")
    hearing = partial(_hear, site, os.getppid(), threading.get_ident())
    threading.Thread(target=hearing, name="bff-signals", daemon=True).start()
    gc.freeze()
    gc.enable()
    parent.send("")
    if site is None:
        return Bridge(app, threads)
    return Bridge(app, threads, idle=site.body_timeout, seconds_for=site.body_seconds)


def _why(error: BaseException) -> str:
    """What wsgi.py has said, or the trace where it has said nothing."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, str) else f"wsgi.py ended with status {error.code}"
    return "".join(traceback.format_exception(error)).rstrip()


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


class _Server(Granian):  # type: ignore[misc, valid-type]
    """A granian that says that it is about to stop, while it still answers, and that ends where it cannot start.

    A load balancer takes an instance out only some time after it was told to stop: what it sends until then must be
    answered. SIGTERM begins that; a second one, or Ctrl-C, ends it at once. A worker that died is started again, but
    not one whose app cannot be loaded: the next could not either.
    """

    def __init__(self, target: str, *, drain: float, **options: Any) -> None:
        super().__init__(target, **options)
        self._drain = drain
        self._draining = False
        self._told = threading.Lock()
        self._has_started = False
        self.cannot_start = False

    def _spawn_worker(self, idx: int, target: Any, callback_loader: Any) -> Any:
        heard, said = Pipe(duplex=False)
        worker = super()._spawn_worker(
            idx=idx, target=target, callback_loader=partial(callback_loader, parent=said)
        )
        worker.terminate = partial(_end, worker)
        worker._watcher = partial(self._follow, worker, heard)
        return worker

    def _follow(self, worker: Any, heard: Connection) -> None:
        """Wait until a worker has ended; only the first thread may ask for its status, else neither gets it."""
        ended = worker.inner.sentinel
        if heard in wait([heard, ended]):
            with suppress(EOFError):  # it was killed before it could say anything
                if why := heard.recv():
                    self._give_up(why)
                else:
                    self._has_started = True
            wait([ended])
        heard.close()
        if not (worker.interrupt_by_parent or self.cannot_start):
            logger.error(f"worker-{worker.idx + 1} has ended unexpectedly")
            self.interrupt_children.append(worker.idx)
            self.main_loop_interrupt.set()

    def _give_up(self, why: str) -> None:
        """Say once why no worker can start, and stop."""
        with self._told:
            if not self.cannot_start:
                self.cannot_start = True
                sys.stderr.write(f"{why}\n")  # in one piece: other threads write to it too
                sys.stderr.flush()
        self.interrupt_signal = True
        self.main_loop_interrupt.set()

    def _stop_workers(self) -> None:
        if self.cannot_start and not self._has_started:  # nobody is being answered
            for worker in self.wrks:
                worker.kill()
        super()._stop_workers()

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
