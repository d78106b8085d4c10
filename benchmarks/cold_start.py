"""The part `cold-start`: from the start of a process to its first page, with nothing of it running before.

These are process starts on a core of their own, with bytecode and files in the system's cache: no download,
unpacking or virtual machine of a function host is in them. Ours starts as it would be deployed: from the folder that
`python -m bff build --all` writes, whose own wsgi.py makes a Flask app, and from that of the page alone, which loads no
Flask; and once more from its recipes, as it does while they are written.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.lineup import BFF, BFF_FROM_RECIPES, BFF_ONE_PAGE, EXPRESS_FETCH, HOME, INSTALLED, Peer
from benchmarks.machine import cores, pinned
from benchmarks.measuring import middle
from benchmarks.parts import Rows, Run
from benchmarks.servers import PATIENCE, Backend, DidNotStart, Server, backend, serving, started, stop


def run(this: Run) -> Rows:
    """First page in milliseconds, all features on: medians of starts that take turns."""
    found: dict[str, Rows] = defaultdict(list)
    peers = _as_deployed(this.able("same", also=(EXPRESS_FETCH,)))
    cookies: dict[str, str] = {}
    with backend() as asked, pinned(cores().others):
        for peer in peers:
            if peer.name == BFF_ONE_PAGE.name:  # nobody can sign in there, and the key is the same
                cookies[peer.name] = cookies.get(BFF.name, "")
                continue
            with this.attempt(), serving(peer, "same", asked.at_once) as server:
                cookies[peer.name] = server.cookie
        for _ in this.each_round():
            for _ in range(this.starts):
                for peer in peers:
                    if peer.name in cookies:
                        with this.attempt():
                            took = _first_page(peer, asked, cookies[peer.name])
                            found[peer.name].append({"first_page_ms": took * 1000})
    for name, starts in found.items():
        fastest = min(start["first_page_ms"] for start in starts)
        this.say(
            f"    {name:16}{middle(starts, ['first_page_ms'])['first_page_ms']:>8.0f} ms, least {fastest:.0f}"
        )
    return [{"name": name, **middle(starts, ["first_page_ms"])} for name, starts in found.items()]


def _as_deployed(peers: Sequence[Peer]) -> list[Peer]:
    """The peers with ours built, in a folder that holds its engine; its page by itself; and ours as its recipes are."""
    if BFF not in peers:
        return list(peers)
    whole, one = _built(BFF, "bff-built", "--all"), _built(BFF_ONE_PAGE, "bff-one-page", HOME.name)
    return [*(whole if peer == BFF else peer for peer in peers), one, BFF_FROM_RECIPES]


def _built(peer: Peer, folder: str, *pages: str) -> Peer:
    """One of ours, in a folder that `build` writes of some of its pages."""
    out = INSTALLED / folder
    build = [sys.executable, "-m", "bff", "--root", str(BFF.folder), "build", *pages, "--out", str(out)]
    out.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        build, cwd=BFF.environ["PYTHONPATH"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    return replace(peer, folder=out, environ={})


def _first_page(peer: Peer, asked: Backend, cookie: str) -> float:
    server = started(peer, "same", asked.at_once)
    server.cookie = cookie
    try:
        _until_page(server, server.begun + PATIENCE)
        return time.perf_counter() - server.begun
    finally:
        stop(server)


def _until_page(server: Server, until: float) -> None:
    """Ask until there is an answer; a server takes no connections before it can answer."""
    lines = [f"GET {server.target(HOME).path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in server.headers(HOME).items()]
    request = ("\r\n".join(lines) + "\r\n\r\n").encode()
    while time.perf_counter() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.settimeout(PATIENCE)
            connection.sendall(request)
            answer = b""
            while received := connection.recv(65536):
                answer += received
            if answer.startswith(b"HTTP/1.1 200"):
                return
            raise DidNotStart(f"{server.peer.name}: its first page was {answer[:60]!r}")
        if server.process.poll() is not None:
            break
        time.sleep(0.001)
    raise DidNotStart(f"{server.peer.name}: no first page; {server.last_lines()}")
