"""The limit: one page written by hand on raw sockets, without a framework; served by granian.

All requests of a page are written first, then the replies are read in the same thread. It understands just the
replies of this benchmark's backend, so it is no design, but what everything else can be held against.
"""

from __future__ import annotations

import hashlib
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pages

_ADDRESS = urlsplit(pages.BACKEND)
_kept = threading.local()
Start = Callable[[str, list[tuple[str, str]]], Any]


class Late(Exception):
    """The page's deadline has passed."""


def ask(*paths: str, ends: float) -> list[Any]:
    """The replies to paths, asked side by side; `ends` is time.perf_counter() seconds."""
    sockets = _sockets(len(paths))
    for connection, path in zip(sockets, paths, strict=False):
        connection.send(b"GET %b HTTP/1.1\r\nHost: backend\r\n\r\n" % path.encode())
    try:
        return [_reply(connection, ends) for connection in sockets[: len(paths)]]
    except Late:
        _kept.sockets = []
        raise


def _sockets(count: int) -> list[socket.socket]:
    sockets: list[socket.socket] = _kept.__dict__.setdefault("sockets", [])
    while len(sockets) < count:
        connection = socket.create_connection((_ADDRESS.hostname, _ADDRESS.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sockets.append(connection)
    return sockets


def _reply(connection: socket.socket, ends: float) -> Any:
    received = _received(connection, ends)
    while (end := received.find(b"\r\n\r\n")) < 0:
        received += _received(connection, ends)
    if received[9:12] != b"200":
        raise ValueError("status")
    at = received.index(b"Content-Length: ") + 16
    need = end + 4 + int(received[at : received.index(b"\r\n", at)])
    if len(received) < need:
        parts, length = [received], len(received)
        while length < need:
            parts.append(_received(connection, ends))
            length += len(parts[-1])
        received = b"".join(parts)
    return orjson.loads(received[end + 4 :])


def _received(connection: socket.socket, ends: float) -> bytes:
    if pages.SAME_WORK:
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        if not poll.poll(max(0.0, ends - time.perf_counter()) * 1000):
            raise Late
    received = connection.recv(262144)
    if not received:
        raise ConnectionError
    return received


def home(user: str, query: dict[str, str], ends: float) -> Any:
    status, limit = query.get("status", "all"), query.get("limit", "100")
    if not pages.SAME_WORK:
        status, limit = "all", "100"
    elif status not in {"all", "open", "done"} or not limit.isdecimal() or not 1 <= int(limit) <= 100:
        return None
    [me] = ask(f"/people/{user}", ends=ends)
    replies = ask(*pages.home_paths(user, me), ends=ends)
    return pages.home(me, *replies, status, int(limit))


def fan(user: str, query: dict[str, str], ends: float) -> Any:
    return pages.fan(ask(*(f"/small/{number}" for number in range(int(query["n"]))), ends=ends))


def size(user: str, query: dict[str, str], ends: float) -> Any:
    return pages.size(*ask(f"/sized/{int(query['kb'])}", ends=ends))


def listed(user: str, query: dict[str, str], ends: float) -> Any:
    [todos] = ask("/listed", ends=ends)
    ids = sorted({todo["helper_id"] for todo in todos})
    if query.get("way") == "batch":
        return pages.listed(todos, *ask("/people?" + "&".join(f"id={one}" for one in ids), ends=ends))
    return pages.listed(todos, ask(*(f"/people/{one}" for one in ids), ends=ends))


PAGES: dict[str, Callable[[str, dict[str, str], float], Any]] = {
    "/api/home": home,
    "/api/fan": fan,
    "/api/size": size,
    "/api/list": listed,
}


def app(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
    begun = time.perf_counter()
    path = environ["PATH_INFO"]
    if path == "/api/sign-in":
        return _sign_in(environ, start)
    user: str | None = pages.USER
    if pages.SAME_WORK:
        cookie = SimpleCookie(environ.get("HTTP_COOKIE", "")).get(pages.COOKIE)
        user = pages.opened(cookie.value) if cookie else None
        if user is None:
            return _plain(start, "401 Unauthorized")
    query = {name: values[-1] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
    try:
        page = PAGES[path](str(user), query, begun + pages.DEADLINE)
    except Late:
        return _plain(start, "504 Gateway Timeout")
    if page is None:
        return _plain(start, "400 Bad Request")
    return _answer(environ, start, orjson.dumps(page), begun)


def _answer(environ: dict[str, Any], start: Start, body: bytes, begun: float) -> list[bytes]:
    status, headers = "200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    if pages.SAME_WORK:
        etag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
        took = (time.perf_counter() - begun) * 1000
        if etag in environ.get("HTTP_IF_NONE_MATCH", ""):
            status, headers, body = "304 Not Modified", [], b""
        headers += [("ETag", etag), ("Server-Timing", f"total;dur={took:.1f}")]
        sys.stdout.write(pages.log_line(environ["PATH_INFO"], int(status[:3]), begun) + "\n")
        sys.stdout.flush()
    start(status, headers)
    return [body]


def _sign_in(environ: dict[str, Any], start: Start) -> list[bytes]:
    user = orjson.loads(environ["wsgi.input"].read())["user"]
    body = orjson.dumps({"id": user})
    cookie = f"{pages.COOKIE}={pages.seal(user)}; Path=/; HttpOnly; SameSite=Lax"
    start("200 OK", [("Content-Length", str(len(body))), ("Set-Cookie", cookie)])
    return [body]


def _plain(start: Start, status: str) -> list[bytes]:
    start(status, [("Content-Length", "0")])
    return [b""]
