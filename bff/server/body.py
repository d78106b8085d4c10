"""A visitor's body on its way in: read in the loop, where its wait costs no thread, and bounded in time and bytes."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import Struct

from bff import clock
from bff.errors import PageError
from bff.problems import problem

Receive = Callable[[], Awaitable[dict[str, Any]]]

WAITED_FOR = 1024 * 1024
"""Bytes that are waited for before a thread is asked; what is longer comes in while its page runs."""
ALL_WAITING = 64 * 1024 * 1024
"""Bytes of all bodies together that are waited for in one process."""
_AHEAD = 256 * 1024
"""Bytes that are read ahead of a page that takes a longer body."""
_RETRY_AFTER = "1"


class Waiting(Struct):
    """What all bodies of a process share: `held` bytes in memory, and `places` for threads that wait for bytes."""

    places: threading.BoundedSemaphore
    held: int = 0


class Body(io.RawIOBase):
    """One body. `take_in` runs in the loop, `readinto` in the thread of a page; both read on only as far as is asked.

    A page reads to its end, or gets PageError: it came too slowly, was cut off, or there are too many that wait.
    """

    def __init__(
        self,
        receive: Receive,
        length: int | None,
        idle: float,
        until: float,
        waiting: Waiting,
        *,
        is_read: bool = True,
    ) -> None:
        self._receive = receive
        self._is_read = is_read
        self._length = length
        self._idle = idle
        self._until = until
        self._waiting = waiting
        self._loop = asyncio.get_running_loop()
        self._changed = threading.Condition()
        self._room = asyncio.Event()
        self._bytes = bytearray()
        self._count = 0
        self._held = 0
        self._has_place = False
        self._following: asyncio.Task[None] | None = None
        self._whole = False
        self._error: PageError | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more comes, for whatever reason."""
        return self._whole or self._error is not None

    # --- in the loop ---------------------------------------------------------------------------------------------

    async def take_in(self) -> None:
        """Wait for the body's end, or for as much of it as is waited for."""
        while not self.ended and len(self._bytes) < WAITED_FOR:
            if self._waiting.held >= ALL_WAITING:
                self._error = _busy()
                return
            before = self._count
            await self._next()
            self._waiting.held += self._count - before
            self._held += self._count - before

    async def until_gone(self) -> None:
        """Wait for the visitor's end; what comes on the way of a body that nobody reads is dropped."""
        if self._is_read and not self.ended:
            await self._begin_to_follow()
        await until_gone(self._receive)

    def _begin_to_follow(self) -> asyncio.Task[None]:
        if self._following is None:
            self._following = self._loop.create_task(self._follow())
        return self._following

    async def _follow(self) -> None:
        """Read on while a page takes what has come."""
        while not self.ended:
            self._room.clear()
            if len(self._bytes) >= _AHEAD:
                await self._room.wait()
            else:
                await self._next()

    async def _next(self) -> None:
        message, left = None, self._until - clock.monotonic()
        try:
            async with asyncio.timeout(max(0.0, min(self._idle, left))):
                message = await self._receive()
        except TimeoutError:
            pass
        except Exception:  # whatever the server says of it, no more of this body comes
            message = {"type": "http.disconnect"}
        with self._changed:
            self._note(message)
            self._changed.notify()

    def _note(self, message: dict[str, Any] | None) -> None:
        if message is None:
            self._error = problem("upload-too-slow", "The body was not whole in time.")
        elif message["type"] == "http.disconnect":
            self._error = problem("cut-body", "The body ends too early.")
        else:
            piece = message.get("body", b"")
            self._bytes += piece
            self._count += len(piece)
            self._whole = not message.get("more_body") or self._count == self._length

    def release(self) -> None:
        """Read no more, and give back what was taken for this body; the page has ended."""
        if self._following is not None:
            self._following.cancel()
        self._waiting.held -= self._held
        self._held = 0
        if self._has_place:
            self._has_place = False
            self._waiting.places.release()

    # --- in the thread of a page ---------------------------------------------------------------------------------

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Waits for bytes, if none have come; 0 at the end."""
        with self._changed:
            while not self._bytes:
                if self._error is not None:
                    raise self._error
                if self._whole:
                    return 0
                self._take_place()
                self._changed.wait()
            count = min(len(buffer), len(self._bytes))
            buffer[:count] = self._bytes[:count]
            del self._bytes[:count]
        if not self.ended:
            self._loop.call_soon_threadsafe(self._room.set)
        return count

    def _take_place(self) -> None:
        if not self._has_place and not self._waiting.places.acquire(blocking=False):
            self._error = _busy()
            raise self._error
        if not self._has_place:
            self._has_place = True
            self._loop.call_soon_threadsafe(self._begin_to_follow)


async def until_gone(receive: Receive) -> None:
    """Wait for a visitor's end."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _busy() -> PageError:
    return problem("busy", "Too many bodies are under way.", headers={"Retry-After": _RETRY_AFTER})
