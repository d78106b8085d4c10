"""A backend of fixed replies on a real socket, which can be waited for until it has answered all that it was sent."""

from __future__ import annotations

import json
import select
import socket
import struct
import threading
import time
from collections.abc import Mapping, Sequence

HEADERS = (
    "Content-Type: application/json",
    "Date: Sun, 01 Nov 2026 10:00:00 GMT",
    "Server: backend",
    "Referrer-Policy: no-referrer",
    "X-Content-Type-Options: nosniff",
    "X-Frame-Options: SAMEORIGIN",
    "X-Runtime: 0.004",
    "X-Powered-By: rows",
    "X-Version: 7",
)
"""With the length of the body they are ten, none of which says anything to a page."""
_PATIENCE = 10.0


def reply(body: object, status: int = 200, more: Sequence[str] = ()) -> bytes:
    """A reply with ten headers, and `more`."""
    encoded = json.dumps(body, separators=(",", ":")).encode()
    lines = (f"HTTP/1.1 {status} Fixed", *HEADERS, *more)
    return "\r\n".join((*lines, f"Content-Length: {len(encoded)}", "", "")).encode() + encoded


HANGS = b""
"""In place of a reply: the request is taken, and nothing comes."""


def cut(whole: bytes) -> bytes:
    """A reply that ends within its body, after which the connection is reset."""
    return whole[: -len(whole) // 8]


class Backend:
    """Answers each path with its replies in turn, all connections in one thread.

    How a page is called depends on which replies have come when it looks. Whoever counts waits at each look until
    there is nothing left to answer (`quiet`), so that neither the machine nor the scheduler has a part in it.
    """

    def __init__(self, replies: Mapping[str, Sequence[bytes]], resetting: Sequence[bytes] = ()) -> None:
        self._replies = {path.encode(): list(of_path) for path, of_path in replies.items()}
        self._resetting = frozenset(resetting)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._connections: dict[int, socket.socket] = {}
        self._epoll = select.epoll()
        self._epoll.register(self._listener, select.EPOLLIN)
        self._at_work = threading.Lock()
        self._unknown = ""
        # Bound and without a listener: whoever asks there is refused, and nobody else gets the port.
        self._nobody = socket.socket()
        self._nobody.bind(("127.0.0.1", 0))
        # It ends with the process, which is only there to count.
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def refusing(self) -> str:
        return f"http://127.0.0.1:{self._nobody.getsockname()[1]}"

    def quiet(self) -> None:
        """Return when everything that was sent here is answered."""
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            with self._at_work:
                if not self._epoll.poll(0):
                    break
            time.sleep(0.0001)  # leaves the interpreter to the backend's thread
        else:
            raise AssertionError("the backend does not answer")
        assert not self._unknown, f"no reply for {self._unknown}"

    def _serve(self) -> None:
        while True:
            self._epoll.poll()
            with self._at_work:
                for number, _ in self._epoll.poll(0):
                    if number == self._listener.fileno():
                        self._accept()
                    else:
                        self._answer(self._connections[number])

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections[connection.fileno()] = connection
        self._epoll.register(connection, select.EPOLLIN)

    def _answer(self, connection: socket.socket) -> None:
        received = connection.recv(65536)
        while received and not received.endswith(b"\r\n\r\n"):
            received += connection.recv(65536)
        if not received:
            self._close(connection)
            return
        target = received.split(b" ", 2)[1]
        replies = self._replies.get(target.partition(b"?")[0])
        if replies is None:
            self._unknown = target.decode()
            replies = [reply(None, 599)]
        replies.append(replies.pop(0))
        connection.sendall(replies[-1])
        if replies[-1] in self._resetting:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._close(connection)

    def _close(self, connection: socket.socket) -> None:
        self._epoll.unregister(connection)
        self._connections.pop(connection.fileno()).close()
