"""Bodies that stop, trickle or are cut off before a real server: they end, and hold back nobody else."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPResponse
from pathlib import Path

import pytest
import requests

from bff.testing.server import after, answer
from tests.fakes import FakeBackend
from tests.project import write_project
from tests.servers import PATIENCE, ROOT, layer

NOTE = """
    route: POST /api/notes
    auth: none
    deadline: 20s
    input:
      body:
        type: object
        properties:
          text: {type: string}
    shape: body.text
    """
QUICK = NOTE.replace("/api/notes", "/api/quick").replace("20s", "2s")
UP = """
    route: PUT /api/files/{name}
    auth: none
    pass: true
    deadline: 3s
    steps:
      file:
        client: people
        put: /files/{path.name}
        timeout: 3s
    """
READ = """
    route: GET /api/read
    auth: none
    shape: "'read'"
    """
HELD = """
    route: GET /api/held
    auth: none
    deadline: 30s
    steps:
      part:
        client: people
        get: /held
        timeout: 30s
    shape: part
    """
THREADS = 4
JSON = "Content-Type: application/json\r\n"


def project(root: Path, **recipes: str) -> Path:
    write_project(root, recipes or {"note": NOTE, "quick": QUICK, "upload": UP, "read": READ})
    (root / "wsgi.py").write_text("from bff import create_app\n\napp = create_app()\n")
    return root


@pytest.fixture(scope="module")
def backend() -> Iterator[FakeBackend]:
    with FakeBackend() as running:
        yield running


@pytest.fixture(scope="module")
def port(backend: FakeBackend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    root = project(tmp_path_factory.mktemp("bodies"))
    more = {"PEOPLE_URL": backend.url, "PYTHONPATH": str(ROOT), "BFF_BODY_TIMEOUT": "1s"}
    with layer(backend.url, root, root=root, threads=THREADS, **more) as running:
        yield running.port


def sent(port: int, request: str, headers: str, body: bytes = b"") -> socket.socket:
    """A connection on which this has been sent, and no more."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    connection.sendall(f"{request} HTTP/1.1\r\nHost: a\r\n{headers}\r\n".encode() + body)
    return connection


def answered(connection: socket.socket) -> tuple[int, bytes, str | None]:
    """Status, body and `Retry-After`; the server may then leave the connection to who has not sent all yet."""
    with HTTPResponse(connection) as reply:
        reply.begin()
        return reply.status, reply.read(), reply.headers["Retry-After"]


STOPPING = {
    "json": ("POST /api/notes", f"{JSON}Content-Length: 500\r\n", b"{"),
    "none of it": ("POST /api/notes", f"{JSON}Content-Length: 500\r\n", b""),
    "chunked": ("POST /api/notes", f"{JSON}Transfer-Encoding: chunked\r\n", b'5\r\n{"te'),
    "upload": ("PUT /api/files/a", "Content-Type: image/png\r\nContent-Length: 500\r\n", b"x"),
    "long upload": ("PUT /api/files/a", "Content-Type: image/png\r\nContent-Length: 3000000\r\n", b"x" * 1_500_000),
}  # fmt: skip


@pytest.mark.parametrize("kind", STOPPING)
def test_a_body_that_stops_is_answered_408(port: int, backend: FakeBackend, kind: str) -> None:
    backend.on("PUT /files/a", answer(status=204))
    with closing(sent(port, *STOPPING[kind])) as connection:
        status, found, _ = answered(connection)
    assert status == 408
    assert b'"urn:bff:problem:upload-too-slow"' in found


def test_a_body_that_trickles_is_answered_at_its_pages_deadline(port: int) -> None:
    stopped = threading.Event()
    with closing(sent(port, "POST /api/quick", f"{JSON}Content-Length: 500\r\n", b"{")) as connection:

        def trickle() -> None:
            while not stopped.wait(0.5):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

        begun = time.monotonic()
        trickling = threading.Thread(target=trickle)
        trickling.start()
        try:
            assert connection.recv(12) == b"HTTP/1.1 408"
        finally:
            stopped.set()
            trickling.join()
        assert time.monotonic() - begun >= 1.9


@pytest.mark.parametrize(
    ("request_line", "status"),
    [("POST /api/nowhere", 404), ("DELETE /api/read", 405), ("GET /api/read", 200)],
)
def test_a_body_that_nobody_reads_is_not_waited_for(port: int, request_line: str, status: int) -> None:
    with closing(sent(port, request_line, f"{JSON}Content-Length: 500\r\n", b"{")) as connection:
        assert connection.recv(12) == f"HTTP/1.1 {status}".encode()


def test_other_pages_answer_while_more_bodies_than_threads_stop(port: int, backend: FakeBackend) -> None:
    backend.on("PUT /files/a", answer(status=204))
    with ExitStack() as stopping:
        for kind in ("json", "chunked", "upload", "long upload"):
            for _ in range(2 * THREADS):
                stopping.enter_context(closing(sent(port, *STOPPING[kind])))
        for path in ("/healthz", "/readyz", "/api/read"):
            assert requests.get(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE).status_code == 200
        page = requests.post(f"http://127.0.0.1:{port}/api/notes", json={"text": "tea"}, timeout=PATIENCE)
        assert page.json() == "tea"


def test_more_long_uploads_than_may_wait_are_told_to_come_back(port: int, backend: FakeBackend) -> None:
    backend.on("PUT /files/a", answer(status=204))
    with ExitStack() as stopping:
        connections = [
            stopping.enter_context(closing(sent(port, *STOPPING["long upload"]))) for _ in range(THREADS)
        ]
        answers = [answered(connection) for connection in connections]
    assert sorted(status for status, *_ in answers) == [408, 408, 503, 503]
    refused = [(found, wait) for status, found, wait in answers if status == 503]
    assert all(b'"urn:bff:problem:busy"' in found and wait == "1" for found, wait in refused)


def test_a_body_that_is_cut_off_is_no_whole_body(port: int) -> None:
    with closing(sent(port, *STOPPING["chunked"])) as connection:
        connection.shutdown(socket.SHUT_WR)
        status, *_ = answered(connection)
    assert status == 400


def test_health_answers_while_every_thread_makes_a_page(backend: FakeBackend, tmp_path: Path) -> None:
    go_on = threading.Event()
    root = project(tmp_path, held=HELD)
    backend.on("GET /held", after(go_on, answer(json={})))
    before = len(backend.requests)
    more = {"PEOPLE_URL": backend.url, "PYTHONPATH": str(ROOT)}
    with layer(backend.url, root, root=root, threads=2, **more) as running, ExitStack() as held_pages:
        for _ in range(6):
            held_pages.enter_context(closing(sent(running.port, "GET /api/held", "")))
        assert backend.wait_for_requests(before + 2)
        assert requests.get(f"{running.url}/healthz", timeout=PATIENCE).status_code == 200
        go_on.set()


@pytest.fixture(scope="module")
def reading_by_threads(backend: FakeBackend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server that hands bodies on before it has read them."""
    root = project(tmp_path_factory.mktemp("threads"))
    more = {"PEOPLE_URL": backend.url, "PYTHONPATH": str(ROOT), "BFF_BODY_TIMEOUT": "500ms"}
    with layer(backend.url, root, root=root, by_flask=True, **more) as running:
        yield running.port


@pytest.mark.parametrize("kind", STOPPING)
def test_a_server_whose_threads_read_bodies_answers_408_after_a_silence(
    backend: FakeBackend, reading_by_threads: int, kind: str
) -> None:
    backend.on("PUT /files/a", answer(status=204))
    with closing(sent(reading_by_threads, *STOPPING[kind])) as connection:
        status, found, _ = answered(connection)
    assert status == 408
    assert b'"urn:bff:problem:upload-too-slow"' in found
