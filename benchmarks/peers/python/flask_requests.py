"""Flask, requests and a pool of threads; served by gunicorn's gthread workers."""

from __future__ import annotations

import hashlib
import logging
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, Literal

import orjson
import pages
import requests
from flask import Flask, Response, abort, g, request
from pydantic import BaseModel, Field, ValidationError
from requests.adapters import HTTPAdapter

CALLS = 96

app = Flask(__name__)
log = logging.getLogger("pages")
logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
pool = ThreadPoolExecutor(CALLS)
http = requests.Session()
http.trust_env = False  # else the environment and .netrc are read for every call
http.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=2 * CALLS))


class HomeQuery(BaseModel):
    status: Literal["all", "open", "done"] = "all"
    limit: int = Field(100, ge=1, le=100)


def left() -> float:
    """Seconds until the page's deadline."""
    return max(0.001, g.begun + pages.DEADLINE - time.perf_counter())


def ask(path: str, params: Any = None, timeout: float = pages.DEADLINE) -> Any:
    reply = http.get(pages.BACKEND + path, params=params, timeout=timeout)
    reply.raise_for_status()
    return orjson.loads(reply.content)


def start(path: str, params: Any = None) -> Future[Any]:
    return pool.submit(ask, path, params, left())


def answers(*started: Future[Any]) -> list[Any]:
    return [one.result(left()) for one in started]


def answer(page: Any) -> Response:
    return Response(orjson.dumps(page), mimetype="application/json")


@app.before_request
def begin() -> None:
    g.begun = time.perf_counter()
    g.user = pages.USER
    if pages.SAME_WORK and request.endpoint != "sign_in":
        g.user = pages.opened(request.cookies.get(pages.COOKIE))
        if g.user is None:
            abort(401)


@app.get("/api/home")
def home() -> Response:
    query = HomeQuery.model_validate(request.args.to_dict()) if pages.SAME_WORK else HomeQuery()
    me = ask(f"/people/{g.user}", timeout=left())
    todos, people, notice = answers(*map(start, pages.home_paths(g.user, me)))
    return answer(pages.home(me, todos, people, notice, query.status, query.limit))


@app.get("/api/fan")
def fan() -> Response:
    calls = int(request.args["n"])
    return answer(pages.fan(answers(*(start(f"/small/{number}") for number in range(calls)))))


@app.get("/api/size")
def size() -> Response:
    return answer(pages.size(ask(f"/sized/{int(request.args['kb'])}", timeout=left())))


@app.get("/api/list")
def listed() -> Response:
    todos = ask("/listed", timeout=left())
    ids = {todo["helper_id"] for todo in todos}
    if request.args.get("way") == "batch":
        return answer(pages.listed(todos, ask("/people", {"id": sorted(ids)}, left())))
    return answer(pages.listed(todos, answers(*(start(f"/people/{one}") for one in ids))))


@app.post("/api/sign-in")
def sign_in() -> Response:
    user = request.get_json()["user"]
    response = answer({"id": user})
    response.set_cookie(pages.COOKIE, pages.seal(user), httponly=True, samesite="Lax")
    return response


@app.errorhandler(ValidationError)
def invalid(error: ValidationError) -> Response:
    return Response(error.json(include_url=False), 400, mimetype="application/json")


@app.errorhandler(FutureTimeout)
@app.errorhandler(requests.Timeout)
def late(error: Exception) -> Response:
    return Response(b'{"error":"timeout"}', 504, mimetype="application/json")


if pages.SAME_WORK:

    @app.after_request
    def finish(response: Response) -> Response:
        if request.method == "GET" and response.status_code == 200:
            response.set_etag(hashlib.blake2b(response.get_data(), digest_size=16).hexdigest())
            response.make_conditional(request)
        took = (time.perf_counter() - g.begun) * 1000
        response.headers["Server-Timing"] = f"total;dur={took:.1f}"
        log.info(pages.log_line(request.path, response.status_code, g.begun))
        return response
