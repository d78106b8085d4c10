"""FastAPI with httpx's client; served by uvicorn on uvloop with httptools."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pages
from fastapi_pages import app_with


class Backend:
    """The backend, over connections that are kept."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def ask(self, path: str, params: Any = None) -> Any:
        reply = await self._http.get(path, params=params)
        reply.raise_for_status()
        return orjson.loads(reply.content)

    async def ask_all(self, *paths: str) -> list[Any]:
        return await asyncio.gather(*map(self.ask, paths))


@asynccontextmanager
async def backend() -> AsyncIterator[Backend]:
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=75)
    async with httpx.AsyncClient(
        base_url=pages.BACKEND, limits=limits, timeout=2 * pages.DEADLINE, trust_env=False
    ) as http:
        yield Backend(http)


app = app_with(backend)
