"""The pages of both FastAPI peers, which differ in the client that asks the backend."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Annotated, Any, Literal, Protocol

import orjson
import pages
from fastapi import Body, Cookie, Depends, FastAPI, HTTPException, Query, Request, Response

log = logging.getLogger("pages")
logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)


class Backend(Protocol):
    async def ask(self, path: str, params: Any = None) -> Any: ...

    async def ask_all(self, *paths: str) -> list[Any]: ...


def signed_in(session: Annotated[str | None, Cookie()] = None) -> str:
    user = pages.opened(session)
    if user is None:
        raise HTTPException(401)
    return user


# Async, because FastAPI would run a plain one in a thread.
async def who(session: Annotated[str | None, Cookie()] = None) -> str:
    return signed_in(session)


async def somebody() -> str:
    return pages.USER


User = Annotated[str, Depends(who if pages.SAME_WORK else somebody)]
Status = Literal["all", "open", "done"]
Limit = Annotated[int, Query(ge=1, le=100)]


class Timed:
    """The page's deadline; what takes longer is a 504."""

    def __init__(self) -> None:
        self._timeout = asyncio.timeout(pages.DEADLINE if pages.SAME_WORK else None)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(self, *error: Any) -> None:
        try:
            await self._timeout.__aexit__(*error)
        except TimeoutError:
            raise HTTPException(504) from None


def answer(request: Request, page: Any, begun: float) -> Response:
    body = orjson.dumps(page)
    if not pages.SAME_WORK:
        return Response(body, media_type="application/json")
    etag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    took = (time.perf_counter() - begun) * 1000
    headers = {"ETag": etag, "Server-Timing": f"total;dur={took:.1f}"}
    unchanged = etag in request.headers.get("if-none-match", "")
    response = (
        Response(status_code=304, headers=headers)
        if unchanged
        else Response(body, media_type="application/json", headers=headers)
    )
    log.info(pages.log_line(request.url.path, response.status_code, begun))
    return response


def app_with(backend: Callable[[], AbstractAsyncContextManager[Backend]]) -> FastAPI:
    """The app on a client."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with backend() as app.state.backend:
            yield

    app = FastAPI(lifespan=lifespan)

    if pages.SAME_WORK:

        @app.get("/api/home")
        async def home(request: Request, user: User, status: Status = "all", limit: Limit = 100) -> Response:
            return await home_page(request, user, status, limit)
    else:

        @app.get("/api/home")
        async def bare_home(request: Request) -> Response:
            return await home_page(request, pages.USER)

    async def home_page(request: Request, user: str, status: str = "all", limit: int = 100) -> Response:
        begun = time.perf_counter()
        upstream: Backend = app.state.backend
        async with Timed():
            me = await upstream.ask(f"/people/{user}")
            todos, people, notice = await upstream.ask_all(*pages.home_paths(user, me))
        return answer(request, pages.home(me, todos, people, notice, status, limit), begun)

    @app.get("/api/fan")
    async def fan(request: Request, user: User, n: int) -> Response:
        begun = time.perf_counter()
        async with Timed():
            replies = await app.state.backend.ask_all(*(f"/small/{number}" for number in range(n)))
        return answer(request, pages.fan(replies), begun)

    @app.get("/api/size")
    async def size(request: Request, user: User, kb: int) -> Response:
        begun = time.perf_counter()
        async with Timed():
            reply = await app.state.backend.ask(f"/sized/{kb}")
        return answer(request, pages.size(reply), begun)

    @app.get("/api/list")
    async def listed(request: Request, user: User, way: str = "batch") -> Response:
        begun = time.perf_counter()
        upstream: Backend = app.state.backend
        async with Timed():
            todos = await upstream.ask("/listed")
            ids = sorted({todo["helper_id"] for todo in todos})
            if way == "batch":
                helpers = await upstream.ask("/people", [("id", one) for one in ids])
            else:
                helpers = await upstream.ask_all(*(f"/people/{one}" for one in ids))
        return answer(request, pages.listed(todos, helpers), begun)

    @app.post("/api/sign-in")
    async def sign_in(response: Response, user: Annotated[str, Body(embed=True)]) -> dict[str, str]:
        response.set_cookie(pages.COOKIE, pages.seal(user), httponly=True, samesite="lax")
        return {"id": user}

    return app
