"""A page in lines through real servers: each line goes out at once, and who leaves holds nothing up."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
import requests

from bff import create_app
from clients.local.pocketbase import free_port, start_child, stop_child
from tests.fakes import PATIENCE, FakeBackend, Wire, after, answer
from tests.project import BACKENDS, write_project
from tests.servers import ROOT, until_answers

LINES = {"Accept": "application/x-ndjson"}
PAGE = """
    route: GET /api/page
    auth: none
    deadline: 20s
    steps:
      todos: {client: todos, get: /todos}
      notice: {client: notices, get: /notice, timeout: 19s, fallback: null, defer: true}
    shape: {todos: todos, notice: notice}
    """


@pytest.fixture
def backend() -> Iterator[FakeBackend]:
    with FakeBackend() as running:
        running.on("GET /todos", answer(json=["write"]))
        yield running


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write_project(tmp_path, {"page": PAGE})
    (tmp_path / "wsgi.py").write_text("from bff import create_app\n\napp = create_app()\n")
    return tmp_path


def _urls(backend: FakeBackend) -> dict[str, str]:
    return {f"{name.upper()}_URL": backend.url for name in BACKENDS}


@contextlib.contextmanager
def _program(project: Path, backend: FakeBackend, *command: str) -> Iterator[str]:
    port = free_port()
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("BFF_", "FLASK_"))}
    environ = {**plain, **_urls(backend), "PYTHONPATH": str(ROOT)}
    log = project / "server.log"
    with log.open("wb") as output:
        process = start_child(
            [sys.executable, "-m", *command, "--port", str(port)],
            cwd=project, env=environ, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        until_answers(f"http://127.0.0.1:{port}/healthz", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop_child(process)


def bff_serve(project: Path, backend: FakeBackend) -> contextlib.AbstractContextManager[str]:
    return _program(project, backend, "bff", "serve", "--threads", "4", "--drain", "0s")


def flask_run(project: Path, backend: FakeBackend) -> contextlib.AbstractContextManager[str]:
    return _program(project, backend, "flask", "--app", "wsgi", "run")


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@contextlib.contextmanager
def wsgiref(project: Path, backend: FakeBackend) -> Iterator[str]:
    """The server that does what PEP 3333 says and no more."""
    app = create_app(project, environ=_urls(backend))
    with make_server("127.0.0.1", 0, app, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(PATIENCE)


Server = Callable[[Path, FakeBackend], contextlib.AbstractContextManager[str]]


@pytest.mark.parametrize("server", [bff_serve, flask_run, wsgiref])
def test_the_first_line_is_there_while_a_backend_still_hangs(
    server: Server, project: Path, backend: FakeBackend
) -> None:
    hanging = threading.Event()
    backend.on("GET /notice", after(hanging, answer(json="Hello")))
    with server(project, backend) as url:
        found = requests.get(f"{url}/api/page", headers=LINES, stream=True, timeout=PATIENCE)
        arriving = map(json.loads, found.iter_lines(chunk_size=1))
        assert next(arriving) == {"page": {"todos": ["write"], "notice": None}, "pending": ["notice"]}
        hanging.set()
        assert list(arriving) == [
            {
                "steps": ["notice"],
                "patch": [{"op": "replace", "path": "/notice", "value": "Hello"}],
                "pending": [],
            },
            {"complete": True, "partial": []},
        ]
        assert (found.status_code, "Content-Length" in found.headers) == (200, False)


@pytest.mark.parametrize("server", [bff_serve, flask_run, wsgiref])
def test_who_leaves_holds_no_call_any_more(server: Server, project: Path, backend: FakeBackend) -> None:
    """A server sees that nobody is there when it sends the next line; what then still hangs is given up."""
    parts = "".join(
        f"      p{at}: {{client: notices, get: /p{at}, timeout: 19s, fallback: null, defer: true}}\n"
        for at in range(3)
    )
    shape = "    shape: [todos, notice, p0, p1, p2]\n"
    write_project(
        project, {"page": PAGE.replace("    shape: {todos: todos, notice: notice}\n", parts + shape)}
    )
    gates = [threading.Event() for _ in range(3)]
    given_up = threading.Event()

    def hanging(_: Any, wire: Wire) -> None:
        wire.until_closed(PATIENCE)
        given_up.set()

    backend.on("GET /notice", hanging)
    for at, gate in enumerate(gates):
        backend.on(f"GET /p{at}", after(gate, answer(json="Hello")))
    with server(project, backend) as url:
        host, _, port = url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), PATIENCE) as visitor:
            visitor.sendall(b"GET /api/page HTTP/1.1\r\nHost: x\r\nAccept: application/x-ndjson\r\n\r\n")
            text = b""
            while b"pending" not in text:
                text += visitor.recv(4096)
            visitor.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for gate in gates:
            gate.set()
            if given_up.wait(1):
                break
        assert given_up.wait(5), "the call that hangs was not given up"
