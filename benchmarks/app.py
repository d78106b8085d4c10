"""The part `app`: the home page of the todo app on a real PocketBase, beside the same page by hand in Fastify.

Before anything is measured both make the same pages, and ask PocketBase the same for them.
"""

from __future__ import annotations

import contextlib
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import urlencode, urlsplit

from benchmarks.answers import first_difference, promises
from benchmarks.lineup import BFF, ROOT, Page, Peer, Target
from benchmarks.machine import cores, pinned
from benchmarks.measuring import measure, middle, note_of
from benchmarks.parts import Rows, Run
from benchmarks.recorder import recording
from benchmarks.servers import Server, serving
from clients.local import pocketbase
from clients.local.binary import BackendError
from clients.local.seed import address_of, seed

USERS = (1, 50)
FIGURES = ("pages_per_s", "cpu_s_per_1000", "p50_ms", "p99_ms")
PAGES = (
    Page("home", {}, None),
    Page("home", {"status": "open", "sort": "due", "per_page": "5", "page": "2"}, None),
    Page("home", {"q": "50% o'clock \\ @request.", "sort": "title"}, None),
)
"""What is compared; the first of them is measured."""
_PERSON, _PASSWORD = "lin", "password-of-the-benchmark"
_PREFIX = {"bff": "", "fastify-undici": "/todo-app"}
_CLIENTS = ("PEOPLE_URL", "TODOS_URL", "NOTICES_URL")


def _of_app(peer: Peer) -> Peer:
    """The peer with the pages of the app."""
    prefix = _PREFIX[peer.name]
    return replace(
        peer, target=lambda page, work: Target(f"{prefix}/api/{page.name}?{urlencode(page.input)}")
    )


def run(this: Run) -> Rows:
    """A row for each of both and number of users; none where their pages are not the same."""
    peers = [_of_app(peer) for peer in this.installed([peer for peer in this.peers if peer.name in _PREFIX])]
    try:
        with this.attempt(), pinned(cores().others), pocketbase.temporary() as store:
            seed(store, _PASSWORD)
            return _rows(this, peers, store)
    except BackendError as error:
        this.missing.append(f"not installed: the backend of the app: {error}")
    return []


def _rows(this: Run, peers: list[Peer], store: pocketbase.Backend) -> Rows:
    port = urlsplit(store.url).port
    assert port is not None
    if problems := _problems(peers, port):
        for problem in problems:
            this.fail(problem)
        return []
    found: dict[tuple[str, int], Rows] = defaultdict(list)
    for _ in this.each_round():
        for peer in peers:
            with this.attempt(), _signed_in(peer, port) as server:
                for users in USERS:
                    found[peer.name, users].append(_measured(this, server, store, users))
    return [
        {
            "name": name,
            "users": users,
            **middle(rounds, FIGURES),
            "errors": sum(one["errors"] for one in rounds),
            "load_core": round(max(one["load_core"] for one in rounds), 2),
        }
        for (name, users), rounds in found.items()
    ]


def _measured(this: Run, server: Server, store: pocketbase.Backend, users: int) -> dict[str, Any]:
    measured = measure(server, store, PAGES[0], users, seconds=this.seconds, warm=this.seconds)
    this.say(
        f"    {server.peer.name:16}{users:>4} users{measured.pages_per_s:>8.0f}/s"
        f"{(measured.cpu_s_per_1000 or 0) * 1000:>8.0f} µs{measured.p99_ms or 0:>8.1f} ms  {note_of(measured)}"
    )
    return asdict(measured)


@contextlib.contextmanager
def _signed_in(peer: Peer, port: int) -> Iterator[Server]:
    """The peer on a PocketBase, or on what stands in front of it."""
    url = f"http://127.0.0.1:{port}"
    here = replace(peer, folder=ROOT) if peer.name == BFF.name else peer
    with serving(here, "same", port, {**dict.fromkeys(_CLIENTS, url), "TODO_APP": "1"}) as server:
        login = {"email": address_of(_PERSON), "password": _PASSWORD}
        server.cookie = server.cookie_from(f"{_PREFIX[peer.name]}/api/login", login)
        yield server


def _problems(peers: list[Peer], port: int) -> list[str]:
    """Where a page, what is asked for it, or what stands around it is not as it is at the first peer."""
    problems: list[str] = []
    pages: list[Any] = []
    asked: list[set[str]] = []
    for peer in peers:
        with recording(port) as recorder, _signed_in(peer, recorder.port) as server:
            answers = [server.ask(page) for page in PAGES]
            pages.append([json.loads(one.body) if one.status == 200 else one.status for one in answers])
            asked.append(set(recorder.seen))
            problems += [f"{peer.name}, {problem}" for problem in promises(server, PAGES[0])]
    for peer, page, seen in zip(peers, pages, asked, strict=True):
        if difference := first_difference(pages[0], page):
            problems.append(f"{peer.name} has another page of the app: {difference}")
        problems += [f"{peer.name} asks PocketBase otherwise: {one}" for one in sorted(seen ^ asked[0])]
    return problems
