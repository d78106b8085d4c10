"""Two transports that were measured and not taken: what they leave out is named where it would have to stand."""

from __future__ import annotations

import io
import threading
import time
from collections import deque
from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import HTTPConnection

from bff.http.messages import Broken, Reply
from bff.http.transport import Started, Try


class _Started:
    def __init__(self, request: Try) -> None:
        self.outcome: Reply | Broken | None = None
        self.sent = False
        self.held = False
        self.request = request
        self.carrier: Any = None


def _headers(request: Try) -> dict[str, str]:
    left = max(1, int((request.until - time.monotonic()) * 1000))
    return {**request.headers, "X-Request-Deadline-Ms": str(left)}


def _plain(pairs: Any) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in pairs:
        name = name.lower()
        if name not in {"set-cookie", "set-cookie2"}:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


class UrllibTransport:
    """All requests are written to connections of urllib3's pools first, then the replies are read one by one.

    Left out: a new connection blocks while it connects; a reply that drips blocks those behind it (both bounded by
    the deadline); a large body may wait for a server that waits for us; encodings; what a stale connection needs.
    """

    def __init__(self) -> None:
        self._pools = urllib3.PoolManager(num_pools=16, maxsize=1024)

    def start(self, request: Try) -> Started:
        started = _Started(request)
        try:
            pool = self._pools.connection_from_url(request.url)
            connection: Any = pool._get_conn()
            connection.timeout = max(0.001, request.until - time.monotonic())
            if connection.sock is not None:
                connection.sock.settimeout(connection.timeout)
            parts = urlsplit(request.url)
            target = f"{parts.path}?{parts.query}" if parts.query else parts.path
            HTTPConnection.request(
                connection, request.method, target, body=request.body, headers=_headers(request),
                preload_content=False, decode_content=False,
            )  # fmt: skip
            started.sent = True
            started.carrier = (pool, connection)
        except Exception as error:
            started.outcome = Broken("refused", sent=started.sent, reason=type(error).__name__)
        return started

    def wait(self, started: Collection[Started], until: float) -> Sequence[Started]:
        ended = [one for one in started if one.outcome is not None]
        if ended:
            return ended
        one: Any = next(iter(started))  # poll() would find the first that has begun, not one that is whole
        pool, connection = one.carrier
        left = one.request.until - time.monotonic()
        if left <= 0:
            connection.close()
            one.outcome = Broken("timeout", sent=True)
            return [one]
        try:
            connection.sock.settimeout(left)
            response = connection.getresponse()
            body = response.read()
            one.outcome = Reply(response.status, _plain(response.headers.items()), body)
            pool._put_conn(connection)
        except Exception as error:
            connection.close()
            one.outcome = Broken("refused", sent=True, reason=type(error).__name__)
        return [one]

    def abandon(self, started: Any) -> None:
        if started.carrier is not None and started.outcome is None:
            started.carrier[1].close()

    def close(self) -> None:
        self._pools.clear()


class _Multi:
    """A multi handle and how many transfers are under way in it."""

    def __init__(self, pycurl: Any) -> None:
        self.curl = pycurl.CurlMulti()
        self.under_way = 0

    def turn(self, seconds: float) -> None:
        """Waits for news, at most so long, and lets the transfers go on."""
        self.curl.select(seconds)
        self.curl.perform()


class CurlTransport:
    """Each page takes a multi, with its connections, from a pool, and gives it back when nothing is under way in it.

    Left out: what the multis of a client may hold in sum (libcurl shares no connections between threads), forks,
    what an error of libcurl says about `sent`, limits on headers, and waiting for other threads beside it.
    """

    def __init__(self) -> None:
        import pycurl

        self._curl = pycurl
        self._multis: deque[_Multi] = deque()
        self._easies: deque[Any] = deque()
        self._own = threading.local()

    def start(self, request: Try) -> Started:
        pycurl, started = self._curl, _Started(request)
        multi = getattr(self._own, "multi", None)
        if multi is None:
            multi = self._own.multi = self._multis.pop() if self._multis else _Multi(pycurl)
        easy = self._easies.pop() if self._easies else pycurl.Curl()
        started.carrier = (multi, easy, io.BytesIO(), [])
        easy.setopt(pycurl.URL, request.url)
        easy.setopt(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in _headers(request).items()])
        easy.setopt(pycurl.WRITEFUNCTION, started.carrier[2].write)
        easy.setopt(pycurl.HEADERFUNCTION, started.carrier[3].append)
        easy.setopt(pycurl.TIMEOUT_MS, max(1, int((request.until - time.monotonic()) * 1000)))
        easy.setopt(pycurl.NOSIGNAL, 1)
        if request.body is not None or request.method != "GET":
            easy.setopt(pycurl.CUSTOMREQUEST, request.method)
            easy.setopt(pycurl.POSTFIELDS, request.body or b"")
        easy.started = started
        multi.curl.add_handle(easy)
        multi.under_way += 1
        multi.curl.perform()
        started.sent = True
        return started

    def wait(self, started: Collection[Started], until: float) -> Sequence[Started]:
        while not (ended := [one for one in started if one.outcome is not None]):
            left = until - time.monotonic()
            if left <= 0:
                break
            multi = self._own.multi
            self._gather(multi)
            if all(one.outcome is None for one in started):
                multi.turn(left)
                self._gather(multi)
        return ended

    def abandon(self, started: Any) -> None:
        self._let_go(started)

    def close(self) -> None:
        for multi in self._multis:
            multi.curl.close()
        for easy in self._easies:
            easy.close()

    def _gather(self, multi: _Multi) -> None:
        while True:
            queued, good, bad = multi.curl.info_read()
            for easy in good:
                started = easy.started
                _, _, body, lines = started.carrier
                pairs = (line.decode("latin-1").strip().split(": ", 1) for line in lines[1:-1])
                headers = _plain(pair for pair in pairs if len(pair) == 2)
                status = easy.getinfo(self._curl.RESPONSE_CODE)
                started.outcome = Reply(status, headers, body.getvalue())
                self._let_go(started)
            for easy, _, _ in bad:
                easy.started.outcome = Broken("refused", sent=True)
                self._let_go(easy.started)
            if not queued:
                return

    def _let_go(self, started: Any) -> None:
        if started.carrier is None:
            return
        multi, easy, *_ = started.carrier
        started.carrier = None
        multi.curl.remove_handle(easy)
        easy.started = None
        easy.reset()
        self._easies.append(easy)
        multi.under_way -= 1
        if not multi.under_way:
            self._own.multi = None
            self._multis.append(multi)
