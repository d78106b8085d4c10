"""The real parts of a run as processes that can be struck: PocketBase on a folder of its own, Redis, an instance."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from clients.local.pocketbase import Backend, free_port, running
from tests.servers import Layer, RedisServer
from tests.soak.judge import Truth
from tests.soak.ledger import address
from tests.soak.visitor import PASSWORD

_ROWS_A_PAGE = 1000


def _kill(process: subprocess.Popen[bytes] | None) -> None:
    assert process is not None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _signal(process: subprocess.Popen[bytes] | None, number: signal.Signals) -> None:
    assert process is not None
    os.killpg(process.pid, number)


class Database:
    """A PocketBase that keeps its rows in a folder while it comes and goes."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.backend: Backend | None = None
        self._folder = folder
        self._password = secrets.token_urlsafe(24)
        self._running = contextlib.ExitStack()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def now(self) -> Backend:
        """The one that runs."""
        assert self.backend is not None
        return self.backend

    def start(self) -> None:
        self.backend = self._running.enter_context(running(self._folder, self.port, self._password))

    def stop(self) -> None:
        self._running.close()

    def kill(self) -> None:
        _kill(self.now.process)
        self._running.close()

    def pause(self) -> None:
        self.now.pause()

    def resume(self) -> None:
        self.now.resume()

    def sign_up(self, visitors: int) -> list[str]:
        """The ids of so many new people, in the order of their numbers."""

        def one(number: int) -> str:
            row = self.now.add(
                "people",
                name=f"Visitor {number}",
                email=address(number),
                password=PASSWORD,
                passwordConfirm=PASSWORD,
            )
            return str(row["id"])

        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(one, range(visitors)))

    def truth(self) -> Truth:
        return Truth(self._all("todos"), self._all("comments"))

    def _all(self, collection: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            page = len(found) // _ROWS_A_PAGE + 1
            rows = self.now.rows(collection, perPage=_ROWS_A_PAGE, page=page, sort="id", skipTotal=1)
            found += rows
            if len(rows) < _ROWS_A_PAGE:
                return found


class Store(RedisServer):
    """A Redis that keeps what it has taken on even when it is killed, as one that remembers writes must."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.options = ("--appendonly", "yes", "--dir", str(folder))

    def kill(self) -> None:
        _kill(self.process)
        self.process = None

    def pause(self) -> None:
        _signal(self.process, signal.SIGSTOP)

    def resume(self) -> None:
        _signal(self.process, signal.SIGCONT)


class Instance(Layer):
    """An instance of the layer, as `make serve` starts it."""

    def pause(self) -> None:
        _signal(self.process, signal.SIGSTOP)

    def resume(self) -> None:
        _signal(self.process, signal.SIGCONT)


@contextlib.contextmanager
def stopped_at_end(*parts: Database | Store | Instance) -> Iterator[None]:
    """Stops all parts, the last first."""
    with contextlib.ExitStack() as stack:
        for part in parts:
            stack.callback(part.stop)
        yield
