"""FastAPI with aiohttp's client; served by uvicorn on uvloop with httptools."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
import pages
from fastapi_pages import app_with


class Backend:
    """The backend, over connections that are kept; there may be as many as there are calls."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def ask(self, path: str, params: Any = None) -> Any:
        async with self._http.get(path, params=params) as reply:
            reply.raise_for_status()
            return orjson.loads(await reply.read())

    async def ask_all(self, *paths: str) -> list[Any]:
        return await asyncio.gather(*map(self.ask, paths))


@asynccontextmanager
async def backend() -> AsyncIterator[Backend]:
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=75)
    # Calls end with their page; this is for those of no page any more.
    timeout = aiohttp.ClientTimeout(total=2 * pages.DEADLINE)
    async with aiohttp.ClientSession(
        pages.BACKEND, connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
    ) as http:
        yield Backend(http)


app = app_with(backend)
