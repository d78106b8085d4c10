"""What a process remembers is bounded in bytes: each cache by itself, and all of it while long texts come."""

from __future__ import annotations

import ast
import functools
import gc
import sys
import types
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cachetools
import pytest
from cryptography.fernet import Fernet
from flask import Flask
from werkzeug.test import TestResponse, create_environ, run_wsgi_app
from werkzeug.wrappers import Request

from bff.http import Client
from bff.memo import Memo, memoized
from tests.fakes import FakeBackend, Received, answer
from tests.project import BACKENDS, app_of

PACKAGE = Path(__file__).parent.parent / "bff"
MOST = 8 * 2**20
"""Bytes that one memo may take."""

# --- each cache by itself --------------------------------------------------------------------------------------------

MAKERS = {
    *("cache", "lru_cache"),
    *(
        "Cache",
        "FIFOCache",
        "LFUCache",
        "LRUCache",
        "RRCache",
        "TTLCache",
        "TLRUCache",
        "cached",
        "cachedmethod",
    ),
    *("WeakKeyDictionary", "WeakValueDictionary"),
}
BOUNDED = {
    "deploy/imports.py cache": "the modules of an engine, while it builds",
    "deploy/imports.py lru_cache": "1,024 files of an engine and a project, while it builds",
    "deploy/pins.py cache": "the distributions that are installed, while it builds",
    "deploy/python.py cache": "one Python",
    "expressions/zones.py cache": "the time zones that there are",
    "http/stock/adapters.py WeakKeyDictionary": "one entry for each client of the project",
    "http/cache/reply_cache.py WeakKeyDictionary": "one entry for each client of the project",
    "http/cache/reply_cache.py TLRUCache": "`cache_bytes` of the client: bodies, headers and keys are measured",
    "http/choice.py cache": "one transport",
    "http/client.py cache": "one text",
    "http/pool.py WeakKeyDictionary": "one entry for each client of the project",
    "http/layers/retry.py cache": "one rule for waiting",
    "http/sockets/origin.py lru_cache": "the beginnings of the clients' own URLs",
    "http/sockets/tls.py lru_cache": "what clients say of certificates",
    "http/sockets/transport.py WeakKeyDictionary": "one entry for each client of the project",
    "identity/session.py lru_cache": "1,024 cookies of our own making, none of more than 4,096 bytes",
    "plan/partial_decoding.py cache": "a type for each depth, with floats and without: a dozen",
    "testing/app_under_test.py cache": "the project under test",
    "web/counting.py TLRUCache": "50,000 counts under hashes of one length",
    "web/files.py LRUCache": "32 MiB: the bodies are measured",
}
"""Every cache whose bound is not that of a memo, and what bounds it."""


def called(node: ast.expr) -> str:
    """The plain name of what is called, or decorates."""
    node = node.func if isinstance(node, ast.Call) else node
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def caches_made() -> Iterator[str]:
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            decorators = getattr(node, "decorator_list", [])
            found = [*decorators, node] if isinstance(node, ast.Call) else decorators
            yield from (
                f"{path.relative_to(PACKAGE)} {called(one)}" for one in found if called(one) in MAKERS
            )


@pytest.fixture(scope="module", autouse=True)
def everything_is_looked_through() -> None:
    """Also what was there before the first test, which the collector passes over."""
    gc.unfreeze()


def test_every_cache_is_a_memo_or_says_what_bounds_it() -> None:
    assert sorted(set(caches_made())) == sorted(BOUNDED), "use bff.memo, or say here what bounds it"


def memos() -> list[Memo[Any]]:
    for path in PACKAGE.rglob("*.py"):
        if "memoized" in path.read_text("utf-8"):
            name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
            __import__(name)
    return [found for found in gc.get_objects() if type(found) is Memo]


def test_every_memo_has_a_bound_in_bytes() -> None:
    assert memos()
    assert [memo.function.__qualname__ for memo in memos() if memo.bound > MOST] == []


@pytest.mark.parametrize("size", [10, 10_000, 300_000])
def test_a_memo_stays_within_its_bound(size: int) -> None:
    asked: list[str] = []

    @memoized(entries=20, longest=30_000)
    def doubled(text: str) -> str:
        asked.append(text)
        return text + text

    memo: Memo[str] = doubled.__self__  # type: ignore[attr-defined]
    for number in range(100):
        text = f"{number:03}".ljust(size, "测")
        assert doubled(text) == text + text
    assert len(asked) == 100
    assert memory_of(dict(memo)) <= memo.bound


def test_a_memo_makes_what_is_short_once_and_what_fails_each_time() -> None:
    asked: list[str] = []

    @memoized(entries=2, longest=1000)
    def number(text: str) -> int:
        asked.append(text)
        return int(text)

    assert [number(text) for text in ("1", "2", "1", "2")] == [1, 2, 1, 2]
    for _ in range(2):
        with pytest.raises(ValueError):
            number("x")
    assert asked == ["1", "2", "x", "x"]


# --- all of it, while long texts come ----------------------------------------------------------------------------

RECIPES = {
    "read": """
        route: GET /api/things/{id}
        auth: optional
        input:
          path: {id: {type: string}}
          query: {q: {type: string}, page: {type: integer}, tags: {type: array, items: {type: string}}}
          headers: {X-Team: {type: string}}
        steps:
          one:
            client: todos
            get: /one/{path.id}
            query: {q: query.q, tags: query.tags}
            headers: {X-Team: "headers['X-Team']"}
            fallback: null
            retries: 0
            timeout: 60s
          kept: {client: people, get: /kept, query: {q: query.q}, cache: 60s, fallback: null, timeout: 60s}
        deadline: 60s
        shape: {one: one, kept: kept, day: "date(query.q, path.id)", digest: digest(query.q)}
        """,
    "write": """
        route: POST /api/things
        auth: none
        deadline: 60s
        rate_limit: 99999/h
        input: {body: {type: object, additionalProperties: true}}
        steps:
          made:
            client: todos
            post: /made/{body.id}
            query: {q: body.q}
            form: {q: body.q}
            fallback: null
            timeout: 60s
        headers: {Location: 'f"/things/{url_encode(body.to)}"'}
        shape: made
        """,
    "login": """
        route: POST /api/login
        auth: none
        input: {body: {type: object, properties: {name: {type: string}}}}
        session: {user: {id: body.name}}
        shape: 1
        """,
    "through": """
        route: POST /api/through
        auth: none
        deadline: 60s
        input: {query: {q: {type: string}}}
        steps: {sent: {client: todos, post: /sent, query: {q: query.q}, timeout: 60s}}
        pass: true
        """,
}
ROUNDS = 12
LENGTH = 60_000
GROWTH = 400_000
"""Less than what any kind of long text would leave behind in `ROUNDS`, and more than what the caches here may hold."""


def memory_of(root: Any) -> int:
    """The bytes of all that an object leads to, modules and classes left out."""
    seen: set[int] = set()
    size, waiting = 0, [root]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type | types.ModuleType | types.FrameType):
            continue
        seen.add(id(one))
        size += sys.getsizeof(one, 0)
        if isinstance(one, types.FunctionType):  # its globals are those of a module
            waiting += [*(one.__closure__ or ()), one.__dict__, one.__defaults__]
        else:
            waiting += gc.get_referents(one)
            waiting += one if isinstance(one, dict) else ()  # the collector passes over keys that are texts
    return size


def caches_in_the_process() -> dict[int, tuple[str, Any]]:
    """Every cache that any module has, its own or of a library."""
    kinds = (functools._lru_cache_wrapper, cachetools.Cache, Memo)
    # Not `isinstance`: that asks a weak proxy for its object, which may be gone.
    found = [one for one in gc.get_objects() if issubclass(type(one), kinds)]
    return {id(one): (getattr(one, "__qualname__", type(one).__name__), one) for one in found}


def modules_of_the_engine() -> list[dict[str, Any]]:
    found = [
        module for name, module in list(sys.modules.items()) if name.split(".")[0] in ("bff", "encodings")
    ]
    return [
        {name: value for name, value in vars(module).items() if not name.startswith("__")} for module in found
    ]


def telling(received: Received, wire: Any) -> None:
    """A reply whose every part is as long as it may be, and never the same."""
    number = f"{len(received.target)}-{id(received)}"
    headers = {
        "ETag": f'"{number}{"e" * 9000}"',
        "X-Other": number + "o" * 9000,
        "Vary": "Accept",
        "Content-Type": f"application/json; charset=x-{number}{'c' * 3000}",
        "Retry-After": number + "r" * 3000,
    }
    answer(json={"text": number}, headers=headers)(received, wire)


@pytest.fixture
def backend() -> Iterator[FakeBackend]:
    with FakeBackend() as running:
        for route in ("GET /one", "GET /kept", "POST /made", "POST /sent"):
            running.on(route, telling)
        yield running


def long(number: int, filler: str, length: int = LENGTH) -> str:
    return f"{number:06}{filler * (length // len(filler))}"


def visit(app: Flask, number: int) -> list[int]:
    """One request of each kind with texts of its own in every place that a visitor has."""
    client = app.test_client(use_cookies=False)
    headers = {
        "Accept": f"text/{long(number, 'a')}, application/json",
        "Accept-Encoding": f"gzip, {long(number, 'z')}",
        "Accept-Language": long(number, "b"),
        "X-Request-ID": long(number, "r"),
        "X-Forwarded-For": long(number, "f"),
        "X-Team": long(number, "t", 9000),
        "Idempotency-Key": long(number, "k", 200),
        "User-Agent": long(number, "u"),
        "traceparent": long(number, "p"),
        "If-None-Match": f'"{long(number, "m")}"',
    }
    escaped, q = urllib.parse.quote(long(number, "%", 2000)), long(number, "é%", 8000)
    of_browser = {
        "Cookie": f"a={long(number, 'c')}; bff-session={long(number, 'd', 4000)}",
        "Origin": f"http://{long(number, 'o')}",
    }
    texts = {"to": long(number, "l", 900), "id": long(number, "测", 9000), "q": long(number, " ")}
    calls: list[Callable[[], Any]] = [
        lambda: client.get(f"/api/things/{escaped}", query_string={"q": q, "tags": q}, headers=headers | of_browser),
        lambda: client.get(f"/api/things/{escaped}?q={escaped}&page={escaped}"),
        lambda: client.post("/api/things", json=texts, headers=headers),
        lambda: client.post("/api/things", data=b"{}", content_type=f"x/{long(number, 'y')}; charset={escaped}"),
        lambda: client.post("/api/through", query_string={"q": q}, data=b"x", content_type=f"a/{long(number, 'y')}"),
        lambda: client.post("/api/login", json={"name": long(number, "n", 900)}),
        lambda: client.open("/api/things", method=f"M{long(number, 'm')}"),
        lambda: plainly(app, f"/{number}/../{'a/../' * 9000}index.html"),
        lambda: plainly(app, f"/{'./' * (9000 + number)}index.html"),
        lambda: client.get(f"/{long(number, 'p')}", headers={"Range": f"bytes={long(number, '9')}-"}),
        lambda: plainly(app, "/index.html", f"gzip, {long(number, 'z')}"),
        lambda: plainly(app, "/index.html", f"gzip, {long(number, 'x', 900)}"),
    ]  # fmt: skip
    return [call().status_code for call in calls]


def plainly(app: Flask, path: str, accepted: str = "") -> TestResponse:
    """A request as a server hands it over, without what a test client adds."""
    environ = {**create_environ(), "PATH_INFO": path, "HTTP_ACCEPT_ENCODING": accepted}
    body, status, headers = run_wsgi_app(app, environ)
    return TestResponse(body, status, headers, request=Request(environ))


@pytest.mark.full  # it asks thousands of pages
@pytest.mark.parametrize("transport", ["sockets", "threads"])
def test_what_comes_from_outside_leaves_next_to_nothing_behind(
    tmp_path: Path, backend: FakeBackend, transport: str
) -> None:
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "index.html").write_text("<p>" + "x" * 2000)
    environ = {f"{name.upper()}_URL": backend.url for name in BACKENDS}
    keys = {"BFF_SESSION_KEYS": Fernet.generate_key().decode(), "BFF_TRUSTED_PROXIES": "1"}
    clients = dict.fromkeys(BACKENDS, "timeout='60s', breaker=None, cache_bytes=50_000")
    app = app_of(tmp_path, RECIPES, clients=clients, environ={**environ, **keys, "BFF_TRANSPORT": transport})
    first = 500 * (
        1 + (transport == "threads")
    )  # texts of its own: what the process has met already grows no more
    statuses = visit(app, first)
    assert statuses == [200, 400, 200, 415, 200, 200, 405, 200, 200, 416, 200, 200]

    def held() -> int:
        backend.requests.clear()
        gc.collect()
        return memory_of([app, modules_of_the_engine(), [one for _, one in caches_in_the_process().values()]])

    before = held()
    for number in range(first + 1, first + 1 + ROUNDS):
        assert visit(app, number) == statuses
    grown = held() - before
    sizes = {name: memory_of(one) for name, one in caches_in_the_process().values()}
    assert grown < GROWTH, sorted(sizes.items(), key=lambda pair: -pair[1])[:5]


def test_urllib_remembers_no_long_url_of_a_backend(backend: FakeBackend) -> None:
    """Requests splits every URL with a function that keeps its arguments."""
    from bff.http import Sender, ThreadTransport

    backend.on("GET /one", answer(json=1))
    client = Client(backend.url, proxies=True, timeout="60s")
    client.sender = Sender(ThreadTransport(2))
    assert client.get("/one", query={"q": "x" * 30_000}, deadline=60).json() == 1
    assert memory_of(urllib.parse.urlsplit) < 30_000
