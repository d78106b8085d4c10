"""A backend of our own on a real socket, which answers as scripted: late, half, dripping, or only when all are in.

::

    with FakeBackend() as backend:
        backend.on("GET /people", answer(json=[{"id": 1}]))
        client = Client(backend.url)
        ...
    assert [request.target for request in backend.requests] == ["/people?id=1"]
"""

from __future__ import annotations

import contextlib
import functools
import json as jsonlib
import socket
import socketserver
import ssl
import threading
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeAlias

PATIENCE = 20.0
"""Seconds after which a wait that should end is given up: a failed test."""


@dataclass(frozen=True)
class Received:
    """A request as it came over the wire; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    connection: int

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def json(self) -> Any:
        return jsonlib.loads(self.body)


class Wire:
    """What a script may do to the caller's connection."""

    def __init__(self, connection: socket.socket, backend: FakeBackend) -> None:
        self._connection = connection
        self.backend = backend
        self.open = True

    def send(self, raw: bytes) -> None:
        self._connection.sendall(raw)

    def close(self) -> None:
        """Ends the connection when the script is over."""
        self.open = False

    def until_closed(self, seconds: float | None = None) -> None:
        """Waits until the caller, or the end of the backend, closes the connection; at most so long."""
        self._connection.settimeout(seconds)
        with contextlib.suppress(OSError):
            while self._connection.recv(4096):
                pass
        self.open = False


Script: TypeAlias = Callable[[Received, Wire], None]


class FakeBackend:
    """A backend with a thread per connection; `requests` holds what came, in order."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Received] = []
        self.accepted = 0
        self.closing = threading.Event()
        self._scripts: dict[str, Script] = {}
        self._changed = threading.Condition()
        self._open: dict[socket.socket, int] = {}
        self._scheme = "http" if tls is None else "https"
        self._server = _Server(("127.0.0.1", 0), self, tls)
        self._port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._port}"

    def on(self, route: str, *scripts: Script) -> None:
        """Answers `METHOD /path` (query apart) by the scripts in turn, then by the last of them."""
        self._scripts[route] = in_turn(*scripts)

    def wait_for(self, holds: Callable[[], bool]) -> bool:
        """Waits until something holds that changes with connections or requests; False after `PATIENCE`."""
        with self._changed:
            return self._changed.wait_for(holds, PATIENCE)

    def wait_for_requests(self, count: int) -> bool:
        return self.wait_for(lambda: len(self.requests) >= count)

    def wait_for_connections(self, count: int) -> bool:
        """Waits until exactly so many connections are open."""
        return self.wait_for(lambda: len(self._open) == count)

    @property
    def open_connections(self) -> int:
        with self._changed:
            return len(self._open)

    def __enter__(self) -> FakeBackend:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        # What waits for callers notices the end when one comes.
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self._port), PATIENCE).close()
        self._thread.join(PATIENCE)
        self._server.server_close()
        self.hang_up()

    def _serve(self) -> None:
        while not self.closing.is_set():
            self._server.handle_request()

    def hang_up(self, numbers: Collection[int] | None = None) -> None:
        """Closes connections (all, or those of these numbers) as they are, without a word to the caller."""
        with self._changed:
            for connection, number in self._open.items():
                if numbers is None or number in numbers:
                    with contextlib.suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)

    def script_of(self, received: Received) -> Script:
        """What answers a request; a backend of another kind says so here."""
        return self._scripts.get(f"{received.method} {received.path}", answer(404))

    def _note(self, change: Callable[[], Any]) -> None:
        with self._changed:
            change()
            self._changed.notify_all()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 512

    def __init__(self, address: tuple[str, int], backend: FakeBackend, tls: ssl.SSLContext | None) -> None:
        self.backend = backend
        self._tls = tls
        super().__init__(address, _Conversation)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self._tls is not None:  # the handshake is left to the connection's own thread
            try:
                connection.getpeername()
            except OSError:  # the caller has gone: Python would leave what it makes of such a socket open
                connection.close()
                raise
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whoever comes at the end is no caller."""
        return not self.backend.closing.is_set()

    def close_request(self, request: Any) -> None:
        """Closes and forgets a connection as one: none is closed while it is hung up, or counted as gone before."""
        with self.backend._changed:
            super().close_request(request)
            self.backend._open.pop(request, None)
            self.backend._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Callers that go away in the middle are part of the tests."""


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        backend: FakeBackend = self.server.backend  # type: ignore[attr-defined]
        backend._note(lambda: self._opened(backend))
        wire = Wire(self.connection, backend)
        while wire.open and (received := self._read(self.number)) is not None:
            backend._note(functools.partial(backend.requests.append, received))
            backend.script_of(received)(received, wire)

    def _opened(self, backend: FakeBackend) -> None:
        self.number = backend.accepted
        backend.accepted += 1
        backend._open[self.connection] = self.number

    def _read(self, number: int) -> Received | None:
        line = self.rfile.readline().decode("latin-1").split()
        if len(line) != 3:
            return None
        headers: dict[str, str] = {}
        while (header := self.rfile.readline().decode("latin-1").strip()) != "":
            name, _, value = header.partition(":")
            headers[name.strip().lower()] = value.strip()
        if headers.get("transfer-encoding", "") == "chunked":
            body = b"".join(self._chunks())
        else:
            body = self.rfile.read(int(headers.get("content-length", "0")))
        return Received(line[0], line[1], headers, body, number)

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline() or b"0", 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()


def head(status: int, headers: Mapping[str, str] | Sequence[tuple[str, str]]) -> bytes:
    """A status line and headers, ready to send."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in pairs)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def answer(
    status: int = 200,
    *,
    json: Any = None,
    body: bytes | None = None,
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
) -> Script:
    """Answers at once and keeps the connection."""
    content = jsonlib.dumps(json).encode() if body is None else body
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)

    def script(_: Received, wire: Wire) -> None:
        wire.send(head(status, [*pairs, ("Content-Length", str(len(content)))]) + content)

    return script


def in_turn(*scripts: Script) -> Script:
    """The first script for the first request, and so on; the last one for all that follow."""
    lock = threading.Lock()
    left = list(scripts)

    def script(received: Received, wire: Wire) -> None:
        with lock:
            now = left.pop(0) if len(left) > 1 else left[0]
        now(received, wire)

    return script


def hang(_: Received, wire: Wire) -> None:
    """Never answers."""
    wire.until_closed()


def close(_: Received, wire: Wire) -> None:
    """Closes the connection without an answer."""
    wire.close()


def half(_: Received, wire: Wire) -> None:
    """Sends half of a JSON body, then closes."""
    wire.send(head(200, {"Content-Length": "100"}) + b'{"items": [1, 2')
    wire.close()


def half_chunked(_: Received, wire: Wire) -> None:
    """Sends one whole chunk, then closes where the next should come."""
    wire.send(head(200, {"Transfer-Encoding": "chunked"}) + b"3\r\n[1,\r\n")
    wire.close()


def drip(beginning: bytes, byte: bytes = b" ", pace: float = 0.02) -> Script:
    """Sends a beginning, then byte after byte for ever."""

    def script(_: Received, wire: Wire) -> None:
        with contextlib.suppress(OSError):
            wire.send(beginning)
            while not wire.backend.closing.wait(pace):
                wire.send(byte)
        wire.close()

    return script


def flood(size: int, *, announced: bool, sent: Callable[[int], None] = lambda _: None) -> Script:
    """Sends a body of so many bytes, chunked unless announced; tells how many it could send."""

    def script(_: Received, wire: Wire) -> None:
        block = b" " * 65536
        count = 0
        try:
            length = {"Content-Length": str(size)} if announced else {"Transfer-Encoding": "chunked"}
            wire.send(head(200, length))
            while count < size:
                wire.send(block if announced else b"%x\r\n%s\r\n" % (len(block), block))
                count += len(block)
        except OSError:
            pass
        sent(count)
        wire.close()

    return script


def chunked(*parts: bytes, headers: Mapping[str, str] | None = None) -> Script:
    """Answers in chunks and keeps the connection."""

    def script(_: Received, wire: Wire) -> None:
        wire.send(head(200, {"Transfer-Encoding": "chunked", **(headers or {})}))
        for part in (*parts, b""):
            wire.send(b"%x\r\n%s\r\n" % (len(part), part))

    return script


def gzipped(content: bytes) -> bytes:
    """The content as gzip has it."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    return compressor.compress(content) + compressor.flush()


def together(count: int, then: Script) -> Script:
    """Answers only when so many requests are in; a request that stays alone gets 500."""
    barrier = threading.Barrier(count)

    def script(received: Received, wire: Wire) -> None:
        try:
            barrier.wait(PATIENCE / 2)
        except threading.BrokenBarrierError:
            answer(500)(received, wire)
        else:
            then(received, wire)

    return script


def after(event: threading.Event, then: Script) -> Script:
    """Answers when the event is set."""

    def script(received: Received, wire: Wire) -> None:
        event.wait(PATIENCE)
        then(received, wire)

    return script
