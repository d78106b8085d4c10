"""Who takes part: how each peer is started, and where each has its pages."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks import fixtures

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
INSTALLED = ROOT / ".local" / "bench"
PYTHON = INSTALLED / "python" / "bin" / "python"
NODE_FOLDER = INSTALLED / "node"
GO_PROGRAM = INSTALLED / "go" / "pages"
WORKS = ("bare", "same")

# Threads of the servers with a thread per page, as docs/deploying.md counts them: pages a second × seconds a page.
THREADS = 128
THREADS_OF_THE_LIMIT = 128


@dataclass(frozen=True)
class Page:
    """One page that every peer has, with its input, and the JSON that it has to be."""

    name: str
    input: Mapping[str, str]
    expected: Any


HOME = Page("home", {"status": "all", "limit": "100"}, fixtures.home_page())


def fan(calls: int) -> Page:
    return Page("fan", {"n": str(calls)}, fixtures.fan_page(calls))


def size(kilobytes: int) -> Page:
    return Page("size", {"kb": str(kilobytes)}, fixtures.size_page(kilobytes))


def listed(way: str) -> Page:
    """The list with a helper per item; `way` is batch or one-by-one."""
    return Page("list", {"way": way}, fixtures.list_page())


@dataclass(frozen=True)
class Target:
    """Where a page is at a peer, what has to be sent along, and how its JSON is found in the answer."""

    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    page_of: Callable[[Any], Any] = lambda document: document


def _plain(page: Page, work: str) -> Target:
    return Target(f"/api/{page.name}?{urlencode(page.input)}")


@dataclass(frozen=True)
class Peer:
    """One way of making the pages; `command` gives the program for a port, to be run in `folder`."""

    name: str
    title: str
    needs: str
    folder: Path
    command: Callable[[int], list[str]]
    environ: Mapping[str, str] = field(default_factory=dict, hash=False)
    target: Callable[[Page, str], Target] = _plain


def _gunicorn(port: int) -> list[str]:
    options = ["--worker-class", "gthread", "--workers", "1", "--threads", "32"]
    options += ["--backlog", "2048", "--keep-alive", "75", "--bind", f"127.0.0.1:{port}"]
    return [str(PYTHON), "-m", "gunicorn", *options, "flask_requests:app"]


def _uvicorn(module: str) -> Callable[[int], list[str]]:
    def command(port: int) -> list[str]:
        options = ["--host", "127.0.0.1", "--port", str(port), "--loop", "uvloop", "--http", "httptools"]
        options += ["--no-access-log", "--log-level", "warning", "--backlog", "2048"]
        return [str(PYTHON), "-m", "uvicorn", *options, f"{module}:app"]

    return command


def _granian(port: int) -> list[str]:
    options = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    options += ["--blocking-threads", str(THREADS_OF_THE_LIMIT), "--backlog", "2048", "--no-ws"]
    return [str(PYTHON), "-m", "granian", *options, "limit:app"]


def _node(program: str) -> Callable[[int], list[str]]:
    return lambda port: ["node", program]


def make_serve(port: int) -> list[str]:
    """What `make serve` runs, with one worker, for the project in the current folder."""
    asked = ["make", "-s", "-n", "-f", str(ROOT / "Makefile"), "-o", ".venv/.ready", "serve"]
    asked += [f"python={sys.executable}", f"PORT={port}", "WORKERS=1", f"THREADS={THREADS}", "DRAIN=1ms"]
    told = subprocess.run(asked, cwd=HERE / "bff_page", capture_output=True, text=True, check=True).stdout
    return ["sh", "-c", re.sub(r"\\\n\s*", " ", told).strip()]


_GRAPHQL = {
    "home": (
        "query($status:Status,$limit:Int){home(status:$status,limit:$limit)"
        "{name open todos{id title due helper}notice}}"
    ),
    "fan": "query($n:Int!){fan(n:$n){values}}",
    "size": "query($kb:Int!){size(kb:$kb){count open titles}}",
    "list": "{list{todos{id title helper}}}",
}


def _graphql(page: Page, work: str) -> Target:
    query = _GRAPHQL[page.name]
    if page.input.get("way") == "batch":
        query = query.replace("helper", "helper:helperOfMany")
    given = {name: int(text) if text.isdecimal() else text for name, text in page.input.items()}
    given.pop("way", None)
    written = {"query": query, "variables": fixtures.encode(given).decode()}
    # Without this header Apollo takes a GET for a request that another site may have made.
    headers = {"apollo-require-preflight": "true"}
    return Target(f"/graphql?{urlencode(written)}", headers, lambda document: document["data"][page.name])


def _ours(page: Page, work: str) -> Target:
    """What differs in the recipe is a recipe of its own here, not an input."""
    given = dict(page.input)
    if page.name == "home" and work == "bare":
        return Target("/api/bare")
    if page.name == "list":
        return Target("/api/list" if given["way"] == "batch" else "/api/list-one-by-one")
    return _plain(page, work)


_PYTHON, _NODE = HERE / "peers" / "python", NODE_FOLDER

BFF = Peer(
    "bff",
    "this layer, granian",
    "",
    HERE / "bff_page",
    make_serve,
    {"PYTHONPATH": str(ROOT)},
    _ours,
)
PEERS = (
    BFF,
    Peer("limit", "the limit: raw sockets, granian", "python", _PYTHON, _granian),
    # On its one core it has one processor by itself: Go counts those that it may run on.
    Peer("go", "Go: net/http, encoding/json", "go", INSTALLED, lambda port: [str(GO_PROGRAM)]),
    Peer("fastify-undici", "Fastify 5 + undici", "node", _NODE, _node("fastify.mjs")),
    Peer("express-undici", "Express 5 + undici", "node", _NODE, _node("express.mjs")),
    Peer(
        "apollo-rest",
        "Apollo Server 5 + datasource-rest",
        "node",
        _NODE,
        _node("apollo.mjs"),
        target=_graphql,
    ),
    Peer("fastapi-aiohttp", "FastAPI + aiohttp, uvicorn", "python", _PYTHON, _uvicorn("fastapi_aiohttp")),
    Peer("fastapi-httpx", "FastAPI + httpx, uvicorn", "python", _PYTHON, _uvicorn("fastapi_httpx")),
    Peer("flask-requests", "Flask + requests + threads, gunicorn", "python", _PYTHON, _gunicorn),
)
# For those who count milliseconds of start, beside BFF as it is deployed: its page built by itself, and its recipes.
BFF_ONE_PAGE = replace(BFF, name="bff (one page)", title="this layer, granian, the page built by itself")
BFF_FROM_RECIPES = replace(BFF, name="bff (recipes)", title="this layer, granian, from recipes")
# Without a package for calls, for those who count milliseconds of start.
EXPRESS_FETCH = Peer(
    "express-fetch", "Express 5 + fetch", "node", _NODE, _node("express.mjs"), {"CLIENT": "fetch"}
)
EVERYONE = (*PEERS, EXPRESS_FETCH)


def named(names: str | None, among: tuple[Peer, ...] = PEERS) -> tuple[Peer, ...]:
    """The peers of a list with commas between; raises ValueError for a name that nobody has."""
    if not names:
        return among
    wanted = names.split(",")
    unknown = sorted(set(wanted) - {peer.name for peer in among})
    if unknown:
        known = ", ".join(peer.name for peer in among)
        raise ValueError(f"no peer is named {', '.join(unknown)}; there are {known}")
    return tuple(peer for peer in among if peer.name in wanted)
