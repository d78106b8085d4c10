"""Answers an ASGI server's requests with a WSGI app: the loop waits for visitors, threads make pages."""

from __future__ import annotations

import asyncio
import io
import logging
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from bff import clock
from bff.http import StreamBroke
from bff.server.body import Body, Receive, Waiting, until_gone
from bff.server.environ import Environ, Scope, environ_of
from bff.server.threads import Threads

Send = Callable[[dict[str, Any]], Awaitable[None]]
WSGIApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
SecondsFor = Callable[[Environ], float | None]

BEGUN = "bff.begun"
"""Where the environ says when a request came whose body was waited for, in `clock.monotonic()` seconds."""
_HEALTH = frozenset({"/healthz", "/readyz"})
_LONGEST = 30.0
_PIECE = 64 * 1024
"""Bytes of an answer that are given to the server at once: it copies them, and holds them until they are taken."""
_TAKEN_WITHIN = 30.0
"""Seconds that a visitor has to take such a piece."""
_FAILED = {"type": "http.response.start", "status": 500, "headers": []}
_log = logging.getLogger("bff")


def _longest(_: Environ) -> float:
    return _LONGEST


class Bridge:
    """The ASGI app; `seconds_for` says how long the whole body of a request may take, None where none is waited for.

    `idle` is the longest wait for a body's next byte.
    """

    def __init__(
        self, app: WSGIApp, threads: int, *, idle: float = 10.0, seconds_for: SecondsFor = _longest
    ) -> None:
        self._app = app
        self._idle = idle
        self._seconds_for = seconds_for
        self._pages = Threads(threads, "bff-page")
        self._health = Threads(1, "bff-health")
        self._waiting = Waiting(threading.BoundedSemaphore(max(1, threads // 2)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        environ = environ_of(scope)
        if not _has_body(environ):
            environ["wsgi.input"] = io.BytesIO()
            await self._answer(environ, receive, send)
            return
        begun = clock.monotonic()
        seconds = self._seconds_for(environ)
        until = begun + (_LONGEST if seconds is None else seconds)
        body = Body(receive, _length(environ), self._idle, until, self._waiting, is_read=seconds is not None)
        environ["wsgi.input"] = body
        try:
            if seconds is not None:
                environ[BEGUN] = begun
                await body.take_in()
            await self._answer(environ, receive, send)
        finally:
            body.release()

    async def _answer(self, environ: Environ, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        answering = _Answering(self._app, environ, loop, receive, send)
        threads = self._health if environ["PATH_INFO"] in _HEALTH else self._pages
        threads.do(answering.run)
        head, body = await answering.done
        if head is not None:
            await send(head)
            await _send_whole(send, body)


class _Unread(Exception):
    """The visitor does not take what is sent."""


class _Answering:
    """One answer under way: made in a thread, sent in the loop; `done` has the head and body that are still to send."""

    def __init__(
        self, app: WSGIApp, environ: Environ, loop: asyncio.AbstractEventLoop, receive: Receive, send: Send
    ) -> None:
        self._app = app
        self._environ = environ
        self._loop = loop
        self._receive = receive
        self._send = send
        self._is_gone = False  # the loop says so, and a thread reads it
        self._head: dict[str, Any] = {}
        self._length: int | None = None
        self._begun = False
        self.done: asyncio.Future[tuple[dict[str, Any] | None, bytes]] = loop.create_future()

    def run(self) -> None:
        """Make the answer; what a page does not answer itself is a 500 without words."""
        try:
            left = self._made()
        except (StreamBroke, _Unread):  # the page has told of it; its end is missing
            left = None, b""
        except BaseException:
            _log.exception("a request failed outside of its page")
            left = None if self._begun else _FAILED, b""
        self._loop.call_soon_threadsafe(self._set_done, left)

    def _set_done(self, left: tuple[dict[str, Any] | None, bytes]) -> None:
        if not self.done.done():
            self.done.set_result(left)

    def _made(self) -> tuple[dict[str, Any] | None, bytes]:
        """What is still to be sent: all of a short answer, nothing of one that went out piece by piece."""
        pieces = self._app(self._environ, self._start)
        try:
            coming = iter(pieces)
            first = next(coming, None)
            if first is None or len(first) == self._length:
                return self._head, first or b""
            self._stream(first, coming)
            return None, b""
        finally:
            if (close := getattr(pieces, "close", None)) is not None:
                close()

    def _start(self, status: str, headers: list[tuple[str, str]], _: object = None) -> None:
        self._length = next((int(value) for name, value in headers if name.lower() == "content-length"), None)
        encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        self._head = {"type": "http.response.start", "status": int(status[:3]), "headers": encoded}

    def _stream(self, first: bytes, coming: Iterator[bytes]) -> None:
        """Send piece by piece, each as soon as there is room for it, until nobody takes them any more."""
        self._begun = True
        self._loop.call_soon_threadsafe(self._look_out)
        self._put(self._head)
        self._put_body(first)
        for piece in coming:
            if self._is_gone:
                return
            self._put_body(piece)
        self._put({"type": "http.response.body", "body": b""})

    def _put_body(self, body: bytes) -> None:
        for piece in _pieces(body):
            self._put({"type": "http.response.body", "body": piece, "more_body": True})

    def _put(self, message: dict[str, Any]) -> None:
        try:
            asyncio.run_coroutine_threadsafe(_taken(self._send, message), self._loop).result()
        except TimeoutError:
            raise _Unread from None

    def _look_out(self) -> None:
        """Notice the visitor's end, whatever is left of their body."""
        if not self.done.done():
            watch = self._loop.create_task(self._note_end())
            self.done.add_done_callback(lambda _: watch.cancel())

    async def _note_end(self) -> None:
        body = self._environ["wsgi.input"]
        await (body.until_gone() if isinstance(body, Body) else until_gone(self._receive))
        self._is_gone = True


async def _taken(send: Send, message: dict[str, Any]) -> None:
    """Send something that there is room for in time; raises TimeoutError where there is none."""
    async with asyncio.timeout(_TAKEN_WITHIN):
        await send(message)


async def _send_whole(send: Send, body: bytes) -> None:
    """Send a body and its end; where the visitor does not take it, both are missing."""
    *before, last = _pieces(body)
    with suppress(TimeoutError):
        for piece in before:
            await _taken(send, {"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": last})


def _pieces(body: bytes) -> list[bytes]:
    if len(body) <= _PIECE:
        return [body]
    return [body[at : at + _PIECE] for at in range(0, len(body), _PIECE)]


def _has_body(environ: Environ) -> bool:
    """Whether a request has a body; over HTTP/2 one may come without any word of it."""
    if "HTTP_TRANSFER_ENCODING" in environ:
        return True
    length = environ.get("CONTENT_LENGTH")
    if length is None:
        unsaid: bool = environ["SERVER_PROTOCOL"] == "HTTP/2" and environ["REQUEST_METHOD"] not in (
            "GET",
            "HEAD",
        )
        return unsaid
    return bool(length != "0")


def _length(environ: Environ) -> int | None:
    text = environ.get("CONTENT_LENGTH", "")
    return int(text) if text.isascii() and text.isdecimal() else None
