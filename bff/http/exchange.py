"""One request and its reply through requests, under one deadline; everything that knows requests and urllib3."""

from __future__ import annotations

import http.client
import io
import logging
import socket
import threading
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Protocol
from urllib import parse

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.cookies import RequestsCookieJar
from requests.hooks import default_hooks, dispatch_hook
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from bff.http.messages import Broken, Reply, check_header

if TYPE_CHECKING:
    from bff.http.transport import Try

operator = logging.getLogger("bff.http")

_CHUNK = 64 * 1024
_LONG_URL = 2048
_NO_COOKIES = DefaultCookiePolicy(allowed_domains=[])


class Progress(Protocol):
    """How far an exchange came, as another thread may ask."""

    sent: bool
    abandoned: bool

    def uses(self, sock: socket.socket) -> None:
        """Is told the connection; raises TimeoutError where the exchange was given up."""

    def lets_go(self, sock: socket.socket | None) -> bool:
        """Is told that a connection is not used any more; says whether another exchange may use it."""


class _Current(threading.local):
    """The exchange that this thread is at; the connections below urllib3 ask for it."""

    until: float = 0.0
    progress: Progress | None = None

    def left(self) -> float:
        """Seconds left; raises TimeoutError when there are none."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left


_current = _Current()


@contextmanager
def at(until: float, progress: Progress) -> Iterator[None]:
    """Within, what this thread reads and writes belongs to one exchange, and ends by then (monotonic)."""
    _current.until = until
    _current.progress = progress
    try:
        yield
    finally:
        progress.lets_go(None)
        _current.progress = None


def renew(until: float) -> None:
    """Gives the exchange that this thread is at another end."""
    _current.until = until


class _TimedReader(io.RawIOBase):
    """Reads from a socket until the deadline of the exchange; a socket's own time-out bounds one wait only."""

    def __init__(self, raw: Any, sock: socket.socket) -> None:
        self._raw = raw
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_current.left())
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_TimedReader(self.fp.detach(), sock))


class _Timed:
    """What both kinds of connections add: the deadline, and a note that something was sent."""

    response_class: Any = _TimedResponse
    sock: Any

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()  # type: ignore[attr-defined]
        self.sock.settimeout(_current.left())
        if _current.progress is not None:
            if isinstance(self.sock, socket.socket):
                _current.progress.uses(self.sock)
            _current.progress.sent = True
        super().send(data)  # type: ignore[misc]

    def close(self) -> None:
        if _current.progress is not None and self.sock is not None:
            _current.progress.lets_go(self.sock)  # maybe another's: what is collected closes in any thread
        super().close()  # type: ignore[misc]


class _PlainConnection(_Timed, HTTPConnection):
    pass


class _SecureConnection(_Timed, HTTPSConnection):
    pass


class _Returning:
    """What both kinds of pools add: a connection whose exchange was given up is not used again."""

    def _put_conn(self, conn: Any) -> None:
        if conn is not None and _current.progress is not None and not _current.progress.lets_go(conn.sock):
            conn.close()
        super()._put_conn(conn)  # type: ignore[misc]


class _PlainPool(_Returning, HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(_Returning, HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _PlainPool, "https": _SecurePool}


class Adapter(HTTPAdapter):
    """Keeps one client's connections; `send` stays the base class's, so that mocks of it are met."""

    def __init__(self, connections: int) -> None:
        super().__init__(pool_connections=2, pool_maxsize=connections)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        if type(manager) is urllib3.ProxyManager:
            manager.pool_classes_by_scheme = _POOLS
        return manager


def exchange(adapter: HTTPAdapter, request: Try, progress: Progress) -> Reply | Broken:
    """Sends a request and reads its whole reply before the request's deadline; never raises."""
    with at(request.until, progress):
        try:
            response = send(adapter, request)
            try:
                return _read(response, request, progress)
            finally:
                response.close()
        except Exception as error:
            return broken_by(error, request, progress)


def send(adapter: HTTPAdapter, request: Try, body: Iterable[bytes] | None = None) -> requests.Response:
    """Sends a request, with a body that is made while it is sent if one is given, and waits for its reply's head."""
    try:
        return _send(adapter, request, body)
    finally:
        if len(request.url) > _LONG_URL:
            # It keeps the URLs that it has split, however long, and in them what a visitor sent.
            parse.clear_cache()  # type: ignore[attr-defined]


def _send(adapter: HTTPAdapter, request: Try, body: Iterable[bytes] | None) -> requests.Response:
    client = request.client
    prepared = _prepare(request, body)
    options: dict[str, Any] = {
        "stream": True,
        "timeout": _current.left(),
        "verify": client.verify,
        "cert": client.cert,
        "proxies": client.proxy_urls,
    }
    response = adapter.send(prepared, **options)
    if not prepared.hooks["response"] or body is not None:  # what has been sent once cannot be sent again
        return response
    try:  # auth such as Digest answers a challenge in a hook, which requests' Session would call
        with _ending_nothing():
            answered: requests.Response = dispatch_hook(  # type: ignore[no-untyped-call]
                "response", prepared.hooks, response, **options
            )
    except BaseException:
        response.close()
        raise
    return answered


@contextmanager
def _ending_nothing() -> Iterator[None]:
    """Within, code of the project ends its own request at most: a SystemExit of its own is not the server's."""
    try:
        yield
    except Exception:
        raise
    except BaseException as error:
        raise RuntimeError(error).with_traceback(error.__traceback__) from error


def _prepare(request: Try, body: Iterable[bytes] | None) -> requests.PreparedRequest:
    """The request as requests has it, without its own idea of URLs, cookies and the environment."""
    prepared = requests.PreparedRequest()
    prepared.method = request.method
    prepared.url = request.url
    prepared.headers = CaseInsensitiveDict(request.headers)
    prepared.headers["X-Request-Deadline-Ms"] = str(max(1, int((request.until - time.monotonic()) * 1000)))
    prepared.body = request.body if body is None else body  # type: ignore[assignment]
    prepared.hooks = default_hooks()
    prepared._cookies = RequestsCookieJar(policy=_NO_COOKIES)  # type: ignore[attr-defined]
    if isinstance(request.client.auth, AuthBase):
        with _ending_nothing():
            prepared = request.client.auth(prepared)
    if body is None and (prepared.body is not None or request.method not in {"GET", "HEAD", "OPTIONS"}):
        prepared.headers["Content-Length"] = str(len(prepared.body or b""))
    for name, value in prepared.headers.items():
        check_header(name, value if isinstance(value, str) else value.decode("latin-1"))
    return prepared


def _read(response: requests.Response, request: Try, progress: Progress) -> Reply | Broken:
    if announced(response.headers) > request.max_bytes:
        return Broken("too-large", sent=True)
    parts: list[bytes] = []
    size = 0
    for part in response.raw.stream(_CHUNK, decode_content=True):
        parts.append(part)
        size += len(part)
        if size > request.max_bytes:
            return Broken("too-large", sent=True)
        if progress.abandoned:
            return Broken("timeout", sent=True)
    return Reply(response.status_code, plain_headers(response.headers), b"".join(parts))


def announced(headers: Mapping[str, str]) -> int:
    """The length of a reply's body as its head says it, 0 where it does not."""
    text = headers.get("content-length", "")
    return int(text[:18]) if text.isascii() and text.isdigit() else 0


def plain_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a reply with names in lower case, without cookies."""
    plain = {name.lower(): value for name, value in headers.items()}
    plain.pop("set-cookie", None)
    plain.pop("set-cookie2", None)
    return plain


_TIMEOUTS = (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
_REPLY_BROKE = (
    requests.ReadTimeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
    urllib3.exceptions.ReadTimeoutError,
    urllib3.exceptions.ProtocolError,
    urllib3.exceptions.DecodeError,
)
_NETWORK = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError)


def broken_by(error: Exception, request: Try, progress: Progress) -> Broken:
    """What an exception of requests, urllib3 or below means; the only place that knows them."""
    causes = _causes(error)
    reason = ": ".join(type(cause).__name__ for cause in causes)
    if not isinstance(error, _NETWORK):
        frame = traceback.extract_tb(error.__traceback__)[-1]
        operator.error("client %s: %s at %s:%s", request.client.name, reason, frame.filename, frame.lineno)
    sent = progress.sent or any(isinstance(cause, _REPLY_BROKE) for cause in causes)
    late = any(
        isinstance(cause, _TIMEOUTS) and not isinstance(cause, urllib3.exceptions.NewConnectionError)
        for cause in causes
    )
    return Broken("timeout" if late else "refused", sent=sent, reason=reason)


def _causes(error: BaseException) -> list[BaseException]:
    """An exception and those that it wraps, the outermost first."""
    causes = [error]
    while len(causes) < 8:
        wrapped = [getattr(causes[-1], "reason", None), *reversed(causes[-1].args)]
        inner = next((found for found in wrapped if isinstance(found, BaseException)), None)
        if inner is None or inner in causes:
            break
        causes.append(inner)
    return causes
