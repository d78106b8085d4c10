"""One request and its reply through requests, under one deadline; everything that knows requests and urllib3."""

from __future__ import annotations

import http.client
import logging
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib import parse

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.cookies import RequestsCookieJar
from requests.hooks import default_hooks, dispatch_hook
from requests.structures import CaseInsensitiveDict

from bff import clock
from bff.errors import Reason
from bff.http.decoding import decoded
from bff.http.faults import BadReplyError, reason_of
from bff.http.headers import check_header
from bff.http.messages import Broken, Reply
from bff.http.stock.connections import Adapter, Progress, at, current

if TYPE_CHECKING:
    from bff.http.transport import Try

operator = logging.getLogger("bff.http")

_CHUNK = 64 * 1024
_LONG_URL = 2048
_NO_COOKIES = DefaultCookiePolicy(allowed_domains=[])


def send_with_requests(adapter: Adapter, request: Try, progress: Progress) -> Reply | Broken:
    """Sends a request and reads its whole reply before the request's deadline; never raises."""
    with at(request.until, progress, adapter.resolver):
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
        "timeout": current.left(),
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
    prepared.headers["X-Request-Deadline-Ms"] = str(max(1, int((request.until - clock.monotonic()) * 1000)))
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
    for part in response.raw.stream(_CHUNK, decode_content=False):
        parts.append(part)
        size += len(part)
        if size > request.max_bytes:
            return Broken("too-large", sent=True)
        if progress.abandoned:
            return Broken("timeout", sent=True, reason="reply-timeout")
    headers = plain_headers(response.headers)
    raw = decoded(b"".join(parts), headers.get("content-encoding", ""), request.max_bytes)
    return Broken("too-large", sent=True) if raw is None else Reply(response.status_code, headers, raw)


def announced(headers: Mapping[str, str]) -> int:
    """The length of a reply's body as its head says it, 0 where it does not.

    Raises BadReplyError for one that is no number: `http.client` would read to the end, wherever that comes.
    """
    text = headers.get("content-length")
    if text is None:
        return 0
    if not (text.isascii() and text.isdigit()):
        raise BadReplyError("a length that is no number")
    return int(text[:18])


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
_NETWORK = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    BadReplyError,
)


def broken_by(error: Exception, request: Try, progress: Progress) -> Broken:
    """What an exception of requests, urllib3 or below means; the only place that knows them."""
    causes = _causes(error)
    if not isinstance(error, _NETWORK):
        names, frame = ": ".join(_names(causes)), traceback.extract_tb(error.__traceback__)[-1]
        operator.error("client %s: %s at %s:%s", request.client.name, names, frame.filename, frame.lineno)
        return Broken("refused", sent=progress.sent, reason="internal")
    sent = progress.sent or any(isinstance(cause, _REPLY_BROKE) for cause in causes)
    late = any(
        isinstance(cause, _TIMEOUTS) and not isinstance(cause, urllib3.exceptions.NewConnectionError)
        for cause in causes
    )
    if progress.found is not None and not progress.abandoned:
        progress.found.lost()
    if late:
        return Broken("timeout", sent=sent, reason="reply-timeout" if sent else current.stage)
    return Broken("refused", sent=sent, reason=_reason(causes, sent=sent))


def _names(causes: list[BaseException]) -> list[str]:
    return [type(cause).__name__ for cause in causes]


_REASONS: tuple[tuple[Any, Reason], ...] = (
    (urllib3.exceptions.ProxyError, "proxy"),
    (urllib3.exceptions.InvalidHeader, "two-lengths"),
    (urllib3.exceptions.InvalidChunkLength, "not-http"),
    (http.client.RemoteDisconnected, "no-reply"),
    (http.client.IncompleteRead, "cut-short"),
    (http.client.LineTooLong, "header-limit"),
    (http.client.BadStatusLine, "not-http"),
    (http.client.UnknownProtocol, "not-http"),
    (http.client.HTTPException, "header-limit"),
    (urllib3.util.ssl_match_hostname.CertificateError, "certificate-name"),
)


def _reason(causes: list[BaseException], *, sent: bool) -> Reason:
    """The word for the innermost cause that tells something; that of a proxy tells enough."""
    if isinstance(causes[-1], BadReplyError):
        return causes[-1].reason
    for known, reason in _REASONS:
        if any(isinstance(cause, known) for cause in causes):
            return reason
    for cause in reversed(causes):
        if reason := reason_of(cause):
            return _at_its_stage(reason, sent=sent)
    if any(isinstance(cause, _REPLY_BROKE) for cause in causes):
        return _at_its_stage("cut-short", sent=sent)
    if any(isinstance(cause, urllib3.exceptions.SSLError | requests.exceptions.SSLError) for cause in causes):
        return "tls"
    return "verify-file" if type(causes[-1]) is OSError else ""


def _at_its_stage(reason: Reason, *, sent: bool) -> Reason:
    if reason != "cut-short" or sent:
        return reason
    return "tls" if current.stage == "tls-timeout" else "no-reply"


def _causes(error: BaseException) -> list[BaseException]:
    """An exception and those that it wraps, the outermost first."""
    causes = [error]
    while len(causes) < 8:
        last = causes[-1]
        wrapped = [getattr(last, "reason", None), *reversed(last.args), last.__cause__]
        inner = next((found for found in wrapped if isinstance(found, BaseException)), None)
        if inner is None or inner in causes:
            break
        causes.append(inner)
    return causes
