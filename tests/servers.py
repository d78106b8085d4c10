"""The layer as a process of its own, and who talks to it: a visitor, a Redis."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from cryptography.fernet import Fernet
from redis import Redis
from redis.exceptions import RedisError
from requests.adapters import HTTPAdapter

from clients.local.pocketbase import free_port, start_child, stop_child

ROOT = Path(__file__).resolve().parents[1]
SESSION_KEY = Fernet.generate_key().decode()
PATIENCE = 30.0


@dataclass
class Layer:
    """One instance, of `bff serve` or of `flask run`; `log` is a file with all that it has said."""

    port: int
    environ: Mapping[str, str]
    log: Path
    wrapper: Sequence[str] = ()
    threads: int = 16
    root: Path = ROOT
    drain: str = "0s"
    by_flask: bool = False
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.begin()
        self.wait()

    def begin(self) -> None:
        """Start it, and wait for nothing."""
        command = [
            sys.executable,
            "-m",
            "bff",
            "serve",
            "--threads",
            str(self.threads),
            "--drain",
            self.drain,
        ]
        if self.by_flask:
            command = [sys.executable, "-m", "flask", "run"]
        command += ["--port", str(self.port)]
        with self.log.open("ab") as output:
            self.process = start_child(
                [*self.wrapper, *command], cwd=self.root, env=self.environ, stdout=output, stderr=output
            )

    def wait(self) -> None:
        """Wait until it answers."""
        assert self.process is not None
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            assert self.process.poll() is None, self.log.read_text()
            with contextlib.suppress(requests.ConnectionError):
                if requests.get(f"{self.url}/readyz", timeout=PATIENCE).status_code == 200:
                    return
            time.sleep(0.01)  # leaves the processor to what is starting
        raise AssertionError(f"no answer from {self.url}: {self.log.read_text()}")

    def kill(self) -> None:
        """End it at once, as a host does that takes its instance away (`kill -9` for it and its workers)."""
        assert self.process is not None
        os.killpg(self.process.pid, 9)
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None:
            stop_child(self.process)


def until_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until somebody answers there, whatever that is."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(requests.ConnectionError):
            requests.get(url, timeout=PATIENCE)
            return
        time.sleep(0.01)  # leaves the processor to what is starting
    raise AssertionError(f"no answer from {url}: {log.read_text()}")


def environ_of(backend_url: str, **more: str) -> dict[str, str]:
    """The environment of an instance whose clients all ask one backend."""
    urls = dict.fromkeys(("PEOPLE_URL", "TODOS_URL", "NOTICES_URL"), backend_url)
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("BFF_", "FLASK_"))}
    return {**plain, **urls, "BFF_SESSION_KEYS": SESSION_KEY, **more}


def program(name: str) -> str:
    """Where a program is: children are started by their whole path."""
    found = shutil.which(name)
    assert found is not None, f"{name} is missing"
    return found


@contextlib.contextmanager
def layer(
    backend_url: str,
    folder: Path,
    *,
    wrapper: Sequence[str] = (),
    threads: int = 16,
    root: Path = ROOT,
    by_flask: bool = False,
    **more: str,
) -> Iterator[Layer]:
    """A started instance on a free port, stopped at the end; `root` may be another project than this one."""
    port = free_port()
    wrapped = [program(wrapper[0]), *wrapper[1:]] if wrapper else ()
    environ, log = environ_of(backend_url, **more), folder / f"layer-{port}.log"
    running = Layer(port, environ, log, wrapped, threads, root, by_flask=by_flask)
    try:
        running.start()
        yield running
    finally:
        running.stop()


_numbers = itertools.count(1)


def own_address() -> str:
    """An address of this machine that nobody else in the tests has: strangers are counted by theirs."""
    number = next(_numbers)
    return f"127.{1 + os.getpid() % 250}.{number // 250 % 250}.{1 + number % 250}"


class _From(HTTPAdapter):
    """Connections that begin at an address."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *given: Any, **more: Any) -> None:
        super().init_poolmanager(*given, source_address=(self._address, 0), **more)


class Visitor:
    """Somebody with an account and an address of their own, who talks to the app over HTTP as a browser does."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.mount("http://", _From(own_address()))
        self.id = ""
        self.name = ""

    def ask(self, method: str, path: str, **more: object) -> requests.Response:
        return self.session.request(method, f"{self.base_url}{path}", timeout=PATIENCE, **more)  # type: ignore[arg-type]

    def sign_up(self, name: str, email: str, password: str = "password-1") -> Visitor:
        answer = self.ask("POST", "/api/signup", json={"name": name, "email": email, "password": password})
        assert answer.status_code == 201, answer.text
        self.id, self.name = answer.json()["user"]["id"], name
        return self

    def add(self, title: str, **fields: object) -> str:
        answer = self.ask("POST", "/api/todos", json={"title": title, **fields})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def titles(self, query: str = "") -> list[str]:
        answer = self.ask("GET", f"/api/home?per_page=100&{query}")
        assert answer.status_code == 200, answer.text
        return [todo["title"] for todo in answer.json()["todos"]]


class RedisServer:
    """A Redis that keeps nothing on disk, unless `options` say so; it may be paused, stopped and started again."""

    def __init__(self) -> None:
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.options: Sequence[str] = ("--appendonly", "no", "--dir", "/tmp")
        # Asked for its password, the server shows whether one ever gets into a log.
        self.password = "redis-password-7"
        self.client = Redis(
            host="127.0.0.1", port=self.port, password=self.password, socket_timeout=PATIENCE, retry=None
        )

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, unless it runs, and wait until it answers."""
        if self.process is not None:
            return
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", ""]
        options += ["--requirepass", self.password, *self.options]
        self.process = start_child([program("redis-server"), *options], stdout=subprocess.DEVNULL)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            assert self.process.poll() is None, "redis-server has ended"
            with contextlib.suppress(RedisError):
                if self.client.ping():
                    return
        raise AssertionError("no answer from redis-server")

    def stop(self) -> None:
        if self.process is not None:
            self.client.close()
            stop_child(self.process)
            self.process = None

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Meanwhile it takes connections and answers nothing."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self.process.pid, signal.SIGCONT)


@contextlib.contextmanager
def no_redis() -> Iterator[str]:
    """The URL of a Redis where something else listens, which answers everything as an HTTP server does."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(4096)
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=talk, daemon=True).start()
        try:
            yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        finally:
            server.shutdown(socket.SHUT_RDWR)
