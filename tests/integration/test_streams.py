"""Bodies that go through a real server: piece by piece, in little memory, and never with an end that is none."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from bff.testing.server import PATIENCE, Received, Wire, answer, chunked, head
from clients.local.pocketbase import free_port, start_child, stop_child
from tests.fakes import FakeBackend
from tests.project import write_project
from tests.servers import ROOT, until_answers

MIB = 2**20
DOWN = """
    route: GET /api/files/{name}
    auth: none
    pass: true
    deadline: 30s
    steps:
      file:
        client: people
        get: /files/{path.name}
        timeout: 10s
"""
UP = """
    route: PUT /api/files/{name}
    auth: none
    pass: true
    deadline: 30s
    steps:
      file:
        client: people
        put: /files/{path.name}
        timeout: 10s
"""


@dataclass(frozen=True)
class Served:
    """A layer in a process of its own, before a backend of ours."""

    url: str
    port: int
    worker: int
    backend: FakeBackend

    @property
    def memory(self) -> int:
        """The most that the process that serves has taken, in bytes."""
        status = Path(f"/proc/{self.worker}/status").read_text()
        [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = write_project(tmp_path_factory.mktemp("streams"), {"download": DOWN, "upload": UP})
    (root / "wsgi.py").write_text("from bff import create_app\napp = create_app()\n")
    port = free_port()
    with FakeBackend() as backend:
        environ = {
            **os.environ,
            "PEOPLE_URL": backend.url,
            "PYTHONPATH": str(ROOT),
            "BFF_MAX_UPLOAD": "64 MiB",
        }
        command = [
            sys.executable,
            "-m",
            "bff",
            "serve",
            "--port",
            str(port),
            "--threads",
            "8",
            "--drain",
            "0s",
        ]
        with (root / "log").open("wb") as log:
            process = start_child(
                command,
                cwd=root,
                env=environ,
                stdout=log,
                stderr=log,
            )
        try:
            until_answers(f"http://127.0.0.1:{port}/readyz", process, root / "log")
            yield Served(f"http://127.0.0.1:{port}", port, _worker_of(process), backend)
        finally:
            stop_child(process)


def _worker_of(process: subprocess.Popen[bytes]) -> int:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(children[-1])


def test_the_first_piece_is_with_the_visitor_before_the_backend_sends_the_last(served: Served) -> None:
    got_first = threading.Event()

    def script(_: Received, wire: Wire) -> None:
        wire.send(head(200, {"Content-Type": "image/png", "Content-Length": "6"}) + b"one")
        assert got_first.wait(PATIENCE)
        wire.send(b"two")

    served.backend.on("GET /files/a", script)
    with requests.get(f"{served.url}/api/files/a", stream=True, timeout=PATIENCE) as page:
        assert page.raw.read(3) == b"one"
        got_first.set()
        assert page.raw.read() == b"two"


def test_events_come_one_by_one(served: Served) -> None:
    got_first = threading.Event()

    def script(_: Received, wire: Wire) -> None:
        wire.send(head(200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}))
        wire.send(b"9\r\ndata: 1\n\n\r\n")
        assert got_first.wait(PATIENCE)
        wire.send(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")

    served.backend.on("GET /files/events", script)
    with requests.get(f"{served.url}/api/files/events", stream=True, timeout=PATIENCE) as page:
        lines = page.iter_lines(chunk_size=1)
        assert next(lines) == b"data: 1"
        got_first.set()
        assert [line for line in lines if line] == [b"data: 2"]


def test_large_bodies_go_both_ways_in_little_memory(served: Served) -> None:
    served.backend.on("GET /files/warm", answer(body=b"x", headers={"Content-Type": "image/png"}))
    requests.get(f"{served.url}/api/files/warm", timeout=PATIENCE)
    before = served.memory

    def script(_: Received, wire: Wire) -> None:
        wire.send(head(200, {"Content-Type": "application/zip", "Content-Length": str(60 * MIB)}))
        for _ in range(60):
            wire.send(b"z" * MIB)

    served.backend.on("GET /files/large", script)
    with requests.get(f"{served.url}/api/files/large", stream=True, timeout=PATIENCE) as page:
        assert sum(len(piece) for piece in page.iter_content(MIB)) == 60 * MIB
    served.backend.on("PUT /files/large", answer(204, body=b""))
    sent = requests.put(f"{served.url}/api/files/large", data=b"u" * (60 * MIB), timeout=PATIENCE)
    assert (sent.status_code, len(served.backend.requests[-1].body)) == (204, 60 * MIB)
    assert served.memory - before < 24 * MIB


def test_a_body_that_breaks_off_breaks_the_visitors_connection(served: Served) -> None:
    def script(_: Received, wire: Wire) -> None:
        wire.send(head(200, {"Content-Type": "image/png", "Content-Length": "1000"}) + b"half")
        wire.close()

    served.backend.on("GET /files/half", script)
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE)
    connection.request("GET", "/api/files/half")
    page = connection.getresponse()
    with pytest.raises(http.client.IncompleteRead):
        page.read()
    connection.close()


def test_a_body_without_a_length_has_one_for_the_visitor_and_none_that_is_wrong(served: Served) -> None:
    served.backend.on("GET /files/b", chunked(b"one", b"two", headers={"Content-Type": "image/png"}))
    page = requests.get(f"{served.url}/api/files/b", timeout=PATIENCE)
    assert (page.headers["Content-Length"], page.content) == ("6", b"onetwo")


def test_a_visitor_who_leaves_ends_the_request_to_the_backend(served: Served) -> None:
    noticed = threading.Event()

    def script(_: Received, wire: Wire) -> None:
        wire.send(head(200, {"Content-Type": "image/png", "Content-Length": str(60 * MIB)}))
        with contextlib.suppress(OSError):
            for _ in range(60):
                wire.send(b"z" * MIB)
            return
        noticed.set()

    served.backend.on("GET /files/left", script)
    visitor = socket.create_connection(("127.0.0.1", served.port), PATIENCE)
    visitor.sendall(b"GET /api/files/left HTTP/1.1\r\nHost: x\r\n\r\n")
    assert visitor.recv(1000)
    visitor.close()
    assert noticed.wait(PATIENCE)


def test_an_upload_that_breaks_off_is_no_whole_one_for_the_backend(served: Served) -> None:
    count = len(served.backend.requests)
    served.backend.on("PUT /files/cut", answer(204, body=b""))
    visitor = socket.create_connection(("127.0.0.1", served.port), PATIENCE)
    visitor.sendall(b"PUT /api/files/cut HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf")
    visitor.shutdown(socket.SHUT_WR)
    said = visitor.recv(1000)
    visitor.close()
    assert said[9:12] in (b"400", b"")
    assert [request for request in served.backend.requests[count:] if len(request.body) == 1000] == []


def test_a_multipart_body_of_unknown_length_goes_up(served: Served) -> None:
    served.backend.on("PUT /files/parts", answer(204, body=b""))
    parts = (b"--x\r\n\r\none\r\n", b"--x--\r\n")
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    sent = requests.put(f"{served.url}/api/files/parts", data=iter(parts), headers=kind, timeout=PATIENCE)
    assert (sent.status_code, served.backend.requests[-1].body) == (204, b"".join(parts))
