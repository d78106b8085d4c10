"""The backends that all peers ask: fixed replies, at once on one port, late on another, with more headers on a third.

`python benchmarks/backend.py [--delay-ms 20]` prints the ports as JSON and serves until its standard input is closed.
One thread and epoll, because it shares a core with the load and must leave most of it. `/-/counts` tells how often
each kind of path was asked since the last time.
"""

from __future__ import annotations

import argparse
import json
import select
import socket
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import fixtures

COUNTS = b"/-/counts"
# What networks and gateways in front of backends add: in the replies of the third port beside their own two headers.
MORE_HEADERS = (
    b"Date: Mon, 23 Nov 2026 09:00:00 GMT",
    b"Server: envoy",
    b"Cache-Control: no-cache",
    b"Vary: Accept-Encoding",
    b"Strict-Transport-Security: max-age=31536000; includeSubDomains",
    b"X-Request-Id: 6f1c52c8-2f0e-4d0f-9a57-0a3f6d3c8b1e",
    b"Via: 1.1 8b6fa1c0d9e74c3da5.cloudfront.net (CloudFront)",
    b"X-Cache: Miss from cloudfront",
    b"X-Amz-Cf-Pop: FRA56-P8",
    b"X-Amz-Cf-Id: 4Jq0hZb9mTtqk2oV7sWc1uEw8xYyN3rPzLf6gD5aKi0HvBnM==",
)
_READ = 65536


def reply_of(target: str) -> bytes | None:
    """The whole reply to a path; None where it never comes."""
    parts = urlsplit(target)
    found = _body_of(parts.path, parse_qs(parts.query).get("id", []))
    if found is _NEVER:
        return None
    return written(404, {"error": "no such path"}) if found is None else written(200, found)


_NEVER = object()


def _body_of(path: str, ids: list[str]) -> object:
    match path.strip("/").split("/"):
        case ["todos"]:
            return fixtures.todos()
        case ["listed"]:
            return fixtures.listed()
        case ["people"]:
            return [fixtures.person(int(one[-3:])) for one in ids] if ids else fixtures.people()
        case ["people", fixtures.HANGS]:
            return _NEVER
        case ["people", fixtures.USER]:
            return fixtures.me()
        case ["people", one]:
            return fixtures.person(int(one[-3:]))
        case ["notices", "latest"]:
            return fixtures.notice()
        case ["small", number]:
            return fixtures.small(int(number))
        case ["sized", kilobytes]:
            return fixtures.sized(int(kilobytes))
    return None


def written(status: int, body: object) -> bytes:
    """A reply with a JSON body, as bytes of the wire."""
    encoded = fixtures.encode(body)
    head = (
        f"HTTP/1.1 {status} Fixed\r\nContent-Type: application/json\r\nContent-Length: {len(encoded)}\r\n\r\n"
    )
    return head.encode() + encoded


def with_more_headers(reply: bytes) -> bytes:
    """A reply with ten headers more."""
    status, line_end, rest = reply.partition(b"\r\n")
    return line_end.join((status, *MORE_HEADERS, rest))


class Backend:
    """A loop over all connections; `delay` is in seconds, for those that came to the second port."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._epoll = select.epoll()
        self._listeners = {one.fileno(): one for one in (_listener(), _listener(), _listener())}
        self._at_once, self._late, self._headed = self._listeners
        self._connections: dict[int, socket.socket] = {}
        self._delayed: set[int] = set()
        self._with_headers: set[int] = set()
        self._begun: dict[int, bytes] = {}
        self._rest: dict[int, memoryview] = {}
        # All wait equally long, so the first to come is the first to go.
        self._waiting: deque[tuple[float, int, socket.socket, bytes]] = deque()
        self._replies: dict[tuple[bytes, bool], bytes | None] = {}
        self._counts: Counter[str] = Counter()
        for number in self._listeners:
            self._epoll.register(number, select.EPOLLIN)

    @property
    def ports(self) -> dict[str, int]:
        at_once, late, headed = (one.getsockname()[1] for one in self._listeners.values())
        return {"at_once": at_once, "delayed": late, "with_headers": headed}

    def serve(self, stop: socket.socket | int) -> None:
        """Serve until `stop` can be read."""
        stop = stop if isinstance(stop, int) else stop.fileno()
        self._epoll.register(stop, select.EPOLLIN)
        while True:
            if self._waiting:
                # epoll rounds to milliseconds; select on top of it does not.
                select.select([self._epoll], [], [], max(0.0, self._waiting[0][0] - time.perf_counter()))
            for number, event in self._epoll.poll(0 if self._waiting else -1):
                if number == stop:
                    return
                if number in self._listeners:
                    self._accept(number)
                elif event & select.EPOLLOUT:
                    self._send_rest(number)
                else:
                    self._read(number)
            now = time.perf_counter()
            while self._waiting and self._waiting[0][0] <= now:
                _, number, connection, reply = self._waiting.popleft()
                if self._connections.get(number) is connection:
                    self._send(number, reply)

    def close(self) -> None:
        for one in (*self._connections.values(), *self._listeners.values()):
            one.close()
        self._epoll.close()

    def _accept(self, number: int) -> None:
        connection, _ = self._listeners[number].accept()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections[connection.fileno()] = connection
        if number == self._late:
            self._delayed.add(connection.fileno())
        if number == self._headed:
            self._with_headers.add(connection.fileno())
        self._epoll.register(connection.fileno(), select.EPOLLIN)

    def _read(self, number: int) -> None:
        connection = self._connections[number]
        try:
            received = connection.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        if not received:
            self._close(number)
            return
        received = self._begun.pop(number, b"") + received
        *requests, rest = received.split(b"\r\n\r\n")
        if rest:
            self._begun[number] = rest
        for request in requests:
            self._answer(number, connection, request.split(b" ", 2)[1])

    def _answer(self, number: int, connection: socket.socket, target: bytes) -> None:
        if target == COUNTS:
            self._send(number, written(200, self._counts))
            self._counts.clear()
            return
        self._counts[_kind(target)] += 1
        reply = self._reply(target, number in self._with_headers)
        if reply is None:
            return
        if number in self._delayed:
            self._waiting.append((time.perf_counter() + self._delay, number, connection, reply))
        else:
            self._send(number, reply)

    def _reply(self, target: bytes, headed: bool) -> bytes | None:
        if (target, headed) not in self._replies:
            reply = reply_of(target.decode())
            self._replies[target, headed] = with_more_headers(reply) if reply and headed else reply
        return self._replies[target, headed]

    def _send(self, number: int, reply: bytes) -> None:
        try:
            sent = self._connections[number].send(reply)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._close(number)
            return
        if sent < len(reply):
            self._rest[number] = memoryview(reply)[sent:]
            self._epoll.modify(number, select.EPOLLOUT)

    def _send_rest(self, number: int) -> None:
        rest = self._rest[number]
        try:
            rest = rest[self._connections[number].send(rest) :]
        except BlockingIOError:
            return
        except OSError:
            self._close(number)
            return
        if rest:
            self._rest[number] = rest
        else:
            del self._rest[number]
            self._epoll.modify(number, select.EPOLLIN)

    def _close(self, number: int) -> None:
        self._connections.pop(number).close()
        self._delayed.discard(number)
        self._with_headers.discard(number)
        self._begun.pop(number, None)
        self._rest.pop(number, None)


def _kind(target: bytes) -> str:
    """The first part of a path: what is counted."""
    return "/" + target.split(b"?")[0].split(b"/")[1].decode()


def _listener() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    listener.setblocking(False)
    return listener


def main(argv: list[str] | None = None, say: Callable[[str], object] = print) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--delay-ms", type=float, default=20.0)
    backend = Backend(parser.parse_args(argv).delay_ms / 1000)
    say(json.dumps(backend.ports))
    sys.stdout.flush()
    backend.serve(sys.stdin.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
