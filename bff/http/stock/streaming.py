"""A request whose body and reply go through in pieces, over the same stock connections as every other."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import requests

from bff import clock
from bff.http.faults import BadReplyError
from bff.http.messages import Broken, StreamBroke
from bff.http.sockets.blocking import Found
from bff.http.stock.connections import Adapter, at, renew
from bff.http.stock.sending import announced, broken_by, plain_headers, send

if TYPE_CHECKING:
    from bff.http.transport import Try

_CHUNK = 64 * 1024


class _Passing:
    """How far one stream came; nobody but its own thread has to do with it."""

    sent = False
    abandoned = False
    found: Found | None = None

    def uses(self, sock: socket.socket) -> None:
        """Nothing has to be known of the connection: no other thread ends it."""

    def lets_go(self, sock: socket.socket | None) -> bool:
        return True


class RequestsStream:
    """A reply whose head has come; see `Stream` of the transport."""

    def __init__(self, response: requests.Response, request: Try, progress: _Passing) -> None:
        self.status = response.status_code
        self.headers = plain_headers(response.headers)
        self._response = response
        self._request = request
        self._progress = progress

    def chunks(self) -> Iterator[bytes]:
        left = self._request.max_bytes
        try:
            while part := self._read():
                left -= len(part)
                if left < 0:
                    raise StreamBroke(Broken("too-large", sent=True))
                yield part
        finally:
            self.close()

    def close(self) -> None:
        self._response.close()

    def _read(self) -> bytes:
        """What has come, as soon as anything has; empty at the end."""
        with at(self._request.until, self._progress):
            try:
                part: bytes = self._response.raw.read1(_CHUNK, decode_content=False)
            except Exception as error:
                raise StreamBroke(broken_by(error, self._request, self._progress)) from error
        return part


def open_stream(adapter: Adapter, request: Try, body: Iterable[bytes] | None) -> RequestsStream | Broken:
    """Sends a request and waits for its reply's head, in this thread; raises only what `body` raises."""
    progress = _Passing()
    feed = None if body is None else _Feed(body, request)
    with at(_end_of_patience(request), progress, adapter.resolver):
        try:
            response = send(adapter, request, feed)
            length = _length(response)
            _check_framing(response)
        except Exception as error:
            if feed is not None and feed.error is not None:
                raise feed.error from None
            return broken_by(error, request, progress)
        if 200 <= response.status_code < 300 and length > request.max_bytes:
            response.close()
            return Broken("too-large", sent=True)
    return RequestsStream(response, request, progress)


def _length(response: requests.Response) -> int:
    try:
        return announced(response.headers)
    except BadReplyError:
        response.close()
        raise


def _check_framing(response: requests.Response) -> None:
    """Raises BadReplyError for a transfer coding whose framing nobody takes off, so that it would go through."""
    coding = response.headers.get("transfer-encoding", "chunked")
    if coding.strip().lower() != "chunked":
        response.close()
        raise BadReplyError("a transfer coding that nobody asked for")


def _end_of_patience(request: Try) -> float:
    return min(request.until, clock.monotonic() + request.patience)


class _Feed:
    """A visitor's body on its way: what they take to send a piece of it is not the backend's time."""

    def __init__(self, body: Iterable[bytes], request: Try) -> None:
        self.error: Exception | None = None
        self._body = body
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        try:
            for part in self._body:
                renew(_end_of_patience(self._request))
                yield part
        except Exception as error:
            self.error = error
            raise
        renew(_end_of_patience(self._request))
