"""Four transports behind the seam, with all that stands above it: CPU per page of four calls, and the slowest pages.

`python benchmarks/transports.py [--seconds 3] [--rounds 3]`. A page asks for 300 B, then for 20 KB, 4 KB and 300 B
side by side. The backend has a process of its own. Candidates take turns within one run; medians are printed. Two of
them are only as whole as measuring them needs. libcurl takes part where pycurl is installed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import resource
import statistics
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from benchmarks.candidates import CurlTransport, UrllibTransport  # noqa: E402
from bff.http import Calls, Client, OutgoingRequest, Reply, ThreadTransport, Transport  # noqa: E402
from bff.http.sockets import SocketTransport  # noqa: E402

SIZES = {"/me": 300, "/todos": 20_000, "/people": 4_000, "/notice": 300}
USERS = (1, 50, 200)

CANDIDATES: dict[str, Callable[[], Any]] = {
    "requests in threads": lambda: ThreadTransport(256),
    "http.client, gathered": UrllibTransport,
    "libcurl multi": CurlTransport,
    "sockets and llhttp": SocketTransport,
}
if find_spec("pycurl") is None:
    print("pycurl is not installed: libcurl is left out", file=sys.stderr)
    del CANDIDATES["libcurl multi"]


@dataclass(frozen=True)
class Measured:
    """One candidate at one number of users, in one round."""

    pages: int
    seconds: float
    cpu: float
    times: list[float]
    failed: int


def serve(ready: Connection) -> None:
    """The backend: answers at once, on connections that it keeps."""
    answers = {
        path.encode(): b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Mon, 23 Nov 2026 09:00:00 GMT\r\n"
        b"Content-Length: %d\r\n\r\n" % (size + 2) + b'"' + b"x" * size + b'"'
        for path, size in SIZES.items()
    }

    class Protocol(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport: Any = transport
            self.held = b""

        def data_received(self, received: bytes) -> None:
            self.held += received
            while (end := self.held.find(b"\r\n\r\n")) >= 0:
                self.transport.write(answers[self.held.split(b" ", 2)[1]])
                self.held = self.held[end + 4 :]

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Protocol, "127.0.0.1", 0, backlog=2048)
        ready.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def page(transport: Transport, client: Client) -> int:
    """Runs the calls of one page; gives how many did not answer in full."""
    calls = Calls(transport, time.monotonic() + 10.0)
    started = [calls.start(client, _read("/me"))]
    while started[0].result is None:
        calls.wait(time.monotonic() + 10.0)
    started += [calls.start(client, _read(path)) for path in ("/todos", "/people", "/notice")]
    while any(call.result is None for call in started):
        calls.wait(time.monotonic() + 10.0)
    calls.close()
    wanted = zip(started, SIZES.values(), strict=True)
    return sum(
        not (isinstance(call.result, Reply) and len(call.result.raw) == size + 2) for call, size in wanted
    )


def _read(path: str) -> OutgoingRequest:
    return OutgoingRequest("GET", path, safe=True)


def measure(transport: Any, url: str, users: int, seconds: float) -> Measured:
    """Lets so many threads make pages for so long, after each has made one that does not count."""
    client = Client(url, timeout="10s", concurrency=1024)
    times: list[list[float]] = [[] for _ in range(users)]
    failed = [0] * users
    warm, go = threading.Barrier(users + 1), threading.Barrier(users + 1)
    end = [0.0]

    def visit(at: int) -> None:
        failed[at] += page(transport, client)
        warm.wait()
        go.wait()
        while (begun := time.monotonic()) < end[0]:
            failed[at] += page(transport, client)
            times[at].append(time.monotonic() - begun)

    threads = [threading.Thread(target=visit, args=(at,)) for at in range(users)]
    for thread in threads:
        thread.start()
    warm.wait()
    before, begun = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    end[0] = begun + seconds
    go.wait()
    for thread in threads:
        thread.join()
    after, over = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    transport.close()
    flat = sorted(one for mine in times for one in mine)
    return Measured(len(flat), over - begun, cpu, flat, sum(failed))


def row_of(name: str, users: int, rounds: list[Measured]) -> dict[str, Any]:
    """The medians of one candidate's rounds; times in milliseconds, CPU in microseconds per page."""

    def median(value: Callable[[Measured], float]) -> float:
        return statistics.median(value(one) for one in rounds)

    return {
        "name": name,
        "users": users,
        "cpu_us_per_page": round(median(lambda one: 1e6 * one.cpu / one.pages)),
        "pages_per_s": round(median(lambda one: one.pages / one.seconds)),
        "p50_ms": round(median(lambda one: 1000 * one.times[len(one.times) // 2]), 2),
        "p99_ms": round(median(lambda one: 1000 * one.times[int(len(one.times) * 0.99)]), 2),
        "errors": sum(one.failed for one in rounds),
    }


def run(seconds: float, rounds: int, users: tuple[int, ...] = USERS) -> list[dict[str, Any]]:
    """Measures all candidates in turn."""
    mine, its = multiprocessing.Pipe()
    backend = multiprocessing.get_context("spawn").Process(target=serve, args=(its,), daemon=True)
    backend.start()
    url = f"http://127.0.0.1:{mine.recv()}"
    rows = []
    try:
        for count in users:
            found: dict[str, list[Measured]] = {name: [] for name in CANDIDATES}
            for _ in range(rounds):
                for name, make in CANDIDATES.items():
                    found[name].append(measure(make(), url, count, seconds))
            rows += [row_of(name, count, found[name]) for name in CANDIDATES]
    finally:
        backend.kill()
        backend.join()
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--users", type=int, action="append")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    asked = parser.parse_args()
    rows = run(asked.seconds, asked.rounds, tuple(asked.users or USERS))
    if asked.json:
        print(json.dumps(rows, indent=2))
        return
    print(
        "| transport | users | CPU per page | pages/s | p50 | p99 | errors |\n|---|---|---|---|---|---|---|"
    )
    for row in rows:
        cells = (row["users"], f"{row['cpu_us_per_page']} µs", row["pages_per_s"], f"{row['p50_ms']} ms")
        print("|", " | ".join(map(str, (row["name"], *cells, f"{row['p99_ms']} ms", row["errors"]))), "|")


if __name__ == "__main__":
    main()
