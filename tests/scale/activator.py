"""Where a request waits while what answers it is being started, as hosts have it that keep nothing running."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable

from clients.local.pocketbase import free_port

Where = Callable[[], int | None]
_PATIENCE = 20.0
_PIECE = 65536


class Activator:
    """Doors, each a port, that take connections and pass them on as soon as there is somebody at the port behind.

    `waiting` is how many wait now.
    """

    def __init__(self) -> None:
        self.waiting = 0
        self._loop = asyncio.new_event_loop()
        self._doors: list[asyncio.Server] = []
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Close all doors, and cut what still goes through them."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def door(self, where: Where) -> int:
        """The port of a new door; `where` says to which port it leads now, None for none."""
        port = free_port()

        async def enter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._pass_on(where, reader, writer)

        opening = asyncio.start_server(enter, "127.0.0.1", port)
        self._doors.append(asyncio.run_coroutine_threadsafe(opening, self._loop).result())
        return port

    async def _end(self) -> None:
        for door in self._doors:
            door.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _pass_on(
        self, where: Where, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError, TimeoutError):
            self.waiting += 1
            try:
                answers, asks = await asyncio.wait_for(_reached(where), _PATIENCE)
            finally:
                self.waiting -= 1
            with contextlib.closing(asks):
                asking = asyncio.create_task(_copy(reader, asks))
                await _copy(answers, writer)
                asking.cancel()


async def _reached(where: Where) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    while True:
        port = where()
        if port is not None:
            with contextlib.suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(0.01)


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await source.read(_PIECE):
            target.write(piece)
            await target.drain()
