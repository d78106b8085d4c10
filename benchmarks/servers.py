"""Starts and stops what is measured and what it asks, each on its core."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path

from benchmarks import fixtures
from benchmarks.lineup import HERE, INSTALLED, Page, Peer, Target
from benchmarks.load import PAGES, Asked
from benchmarks.machine import cores, pinned

# Only for sessions that this benchmark makes itself.
SESSION_KEY = base64.urlsafe_b64encode(b"benchmark" * 3 + b"12345").decode()
PATIENCE = 30.0
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR")


class DidNotStart(Exception):
    """A server that ended or never answered, with the last lines that it wrote."""


@dataclass(frozen=True)
class Answer:
    """What came back: status, headers by name in lower case, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Backend:
    """The running backend: where it answers at once, where after a delay, and where at once with ten headers more."""

    process: subprocess.Popen[str]
    at_once: int
    delayed: int
    with_headers: int

    def port(self, delay_ms: int) -> int:
        return self.delayed if delay_ms else self.at_once

    def counts(self) -> dict[str, int]:
        """How often each kind of path was asked since the last time."""
        found: dict[str, int] = json.loads(ask(self.at_once, "/-/counts").body)
        return found


@contextlib.contextmanager
def backend(delay_ms: float = 20.0) -> Iterator[Backend]:
    """The backend, on the cores of the load."""
    with pinned(cores().others):
        process = subprocess.Popen(
            [sys.executable, str(HERE / "backend.py"), "--delay-ms", str(delay_ms)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    assert process.stdin is not None and process.stdout is not None
    try:
        ports = json.loads(process.stdout.readline())
        yield Backend(process, **ports)
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(PATIENCE)


@dataclass
class Server:
    """A running peer, `begun` then (`perf_counter`); `cookie` is of somebody who has signed in."""

    peer: Peer
    work: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path
    begun: float
    cookie: str = ""

    def target(self, page: Page) -> Target:
        return self.peer.target(page, self.work)

    def headers(self, page: Page) -> dict[str, str]:
        cookie = {"Cookie": self.cookie} if self.cookie else {}
        return {**self.target(page).headers, **cookie}

    def ask(self, page: Page, headers: Mapping[str, str] | None = None) -> Answer:
        """One page, asked once."""
        return ask(self.port, self.target(page).path, headers={**self.headers(page), **(headers or {})})

    def asked(self, page: Page, statuses: frozenset[bytes] = PAGES) -> Asked:
        """The page as the load asks for it; raises ValueError where it is not there."""
        answer = self.ask(page)
        if str(answer.status).encode() not in statuses:
            raise ValueError(f"{self.peer.name} answers {page.name} with {answer.status}")
        lines = [f"GET {self.target(page).path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json"]
        lines += [f"{name}: {value}" for name, value in self.headers(page).items()]
        return Asked(self.port, ("\r\n".join(lines) + "\r\n\r\n").encode(), len(answer.body), statuses)

    def sign_in(self, user: str) -> str:
        """The cookie of a user who has signed in."""
        return self.cookie_from("/api/sign-in", {"user": user})

    def cookie_from(self, path: str, body: Mapping[str, str]) -> str:
        """The cookie that comes of a POST; empty where none does."""
        answer = ask(self.port, path, body=json.dumps(body).encode())
        return answer.headers.get("set-cookie", "").partition(";")[0]

    def last_lines(self) -> str:
        lines = self.log.read_text("utf-8", "replace").strip().splitlines()
        return " | ".join(lines[-3:])


def environ_of(peer: Peer, work: str, port: int, backend_port: int) -> dict[str, str]:
    """The whole environment of a peer."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {
        **kept,
        "PORT": str(port),
        "BACKEND": f"http://127.0.0.1:{backend_port}",
        "WORK": work,
        "SESSION_KEY": SESSION_KEY,
        "BFF_SESSION_KEYS": SESSION_KEY,
        "NODE_ENV": "production",
        **peer.environ,
    }


def started(peer: Peer, work: str, backend_port: int, more: Mapping[str, str] | None = None) -> Server:
    """The peer's process, just begun, on the core of the server."""
    port = free_port()
    logs = INSTALLED / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"{peer.name}-{work}-{port}.log"
    command = peer.command(port)
    with log.open("wb") as written, pinned(cores().server):
        begun = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=peer.folder,
            env=environ_of(peer, work, port, backend_port) | dict(more or {}),
            stdout=written,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    return Server(peer, work, port, process, log, begun)


def wait_for(server: Server, patience: float = PATIENCE) -> None:
    """Return when the server takes connections; raises DidNotStart."""
    until = time.monotonic() + patience
    while time.monotonic() < until and server.process.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
            return
        time.sleep(0.01)
    raise DidNotStart(f"{server.peer.name} ({server.work}) did not start: {server.last_lines()}")


def stop(server: Server) -> None:
    """End the server and all below it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.process.wait(5)
            break
    # The leader has ended; what it may have left has not.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.process.pid, signal.SIGKILL)
    server.log.unlink(missing_ok=True)


@contextlib.contextmanager
def serving(
    peer: Peer, work: str, backend_port: int, more: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """A peer that takes requests, with somebody signed in where it knows sessions."""
    server = started(peer, work, backend_port, more)
    try:
        wait_for(server)
        if work == "same":
            server.cookie = server.sign_in(fixtures.USER)
        yield server
    except (OSError, HTTPException) as error:
        raise DidNotStart(f"{peer.name} ({work}): {error}; {server.last_lines()}") from error
    finally:
        stop(server)


def ask(
    port: int,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    timeout: float = PATIENCE,
) -> Answer:
    """One request on a connection of its own."""
    connection = HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        sent = dict(headers or {}) | ({"Content-Type": "application/json"} if body is not None else {})
        connection.request("GET" if body is None else "POST", path, body, sent)
        response: HTTPResponse = connection.getresponse()
        return Answer(
            response.status,
            {name.lower(): value for name, value in response.getheaders()},
            response.read(),
        )
    finally:
        connection.close()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
