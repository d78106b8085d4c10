"""What a page takes while a backend hangs, and with ten times too many users: `python benchmarks/overload.py`.

The page asks three backends that take 20 ms, two at once and one after them. Prints tables and exits with 1 where a
bound is passed; `run.py --only overload` keeps them in results.json.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
if __package__ in {None, ""}:
    sys.path.insert(0, str(ROOT))

from benchmarks.crowd import Crowd, Group, crowds, percentile  # noqa: E402

MAX_PAGES = 16
SPARE_THREADS = 16
TIMES = 10
DELAY = 0.02
TIME_OUT = 0.3
SECONDS = float(os.environ.get("OVERLOAD_SECONDS") or 6)
TURNED_AWAY_WITHIN = 0.050
_PATIENCE = 30.0

Row = dict[str, Any]


def run() -> tuple[list[Row], bool]:
    """Prints the tables; gives a row for each, and whether all are within their bounds."""
    with _backend() as ports:
        rows = [*_hanging(ports), *_overloaded(ports)]
    for row in rows:
        told = [f"{name} {value}" for name, value in row.items() if name not in ("name", "bound", "within")]
        print(f"{row['name']:34} {', '.join(told)}")
        print(f"{'':34} {'within' if row['within'] else 'OVER'} {row['bound']}")
    return rows, all(row["within"] for row in rows)


# --- a backend that hangs --------------------------------------------------------------------------------------------


def _hanging(ports: dict[str, int]) -> Iterator[Row]:
    """The page without a third backend, with one that hangs, and with one that hangs and is spared; in turns."""
    names = ("page", "hanging", "spared")
    found: dict[str, list[float]] = {name: [] for name in names}
    with _layer(ports, threads=32) as port:
        crowds(port, [Group("/api/spared", 4)], 3.0)  # until its breaker has opened
        for _ in range(3):
            for name in names:
                (crowd,) = crowds(port, [Group(f"/api/{name}", 4)], SECONDS / 3, 0.3)
                assert {one.status for one in crowd.seen} == {200}
                found[name] += [one.seconds for one in crowd.seen]
    without = percentile(found["page"], 0.99)
    yield _timed("page, no third backend", found["page"], "for comparison", True)
    late = percentile(found["hanging"], 0.99) - TIME_OUT
    yield _timed(
        "… that hangs, 300 ms, fallback", found["hanging"], "p99 300 ms + that without it", late <= without
    )
    within = percentile(found["spared"], 0.99) <= 1.5 * without + 0.010
    yield _timed("… spared by its breaker", found["spared"], "p99 1.5 × that without it + 10 ms", within)


def _timed(name: str, seconds: list[float], bound: str, within: bool) -> Row:
    p50, p99 = (round(percentile(seconds, share) * 1000, 1) for share in (0.5, 0.99))
    return {
        "name": name,
        "pages": len(seconds),
        "p50_ms": p50,
        "p99_ms": p99,
        "bound": bound,
        "within": within,
    }


# --- too many users --------------------------------------------------------------------------------------------------


def _overloaded(ports: dict[str, int]) -> Iterator[Row]:
    """As many users as may be inside; ten times as many who come back when told to; and who come back at once."""
    more = {"BFF_MAX_PAGES": str(MAX_PAGES)}
    few, many = Group("/api/page", MAX_PAGES), Group("/api/page", MAX_PAGES * TIMES)
    with _layer(ports, threads=MAX_PAGES + SPARE_THREADS, **more) as port:
        crowds(port, [few], 1.0)
        alone = _asked(port, few)
        p99 = percentile([one.seconds for one in alone[0].of(200)], 0.99)
        yield _shed(f"{few.users} users", alone, None)
        yield _shed(f"{many.users} users, patient", _asked(port, many), p99)
        # Who does not wait takes the processor from who is inside: told for comparison, with no bound on times.
        seen = _asked(port, many, patient=False)
        yield _shed(f"{many.users} users, at once again", seen, None, told_within=None)


def _asked(port: int, group: Group, *, patient: bool = True) -> tuple[Crowd, Crowd]:
    """What the users saw, and what a load balancer sees meanwhile."""
    pages, health = crowds(port, [group, Group("/healthz", 1, 0.05)], SECONDS, patient=patient)
    return pages, health


def _shed(
    name: str,
    seen: tuple[Crowd, Crowd],
    p99_alone: float | None,
    told_within: float | None = TURNED_AWAY_WITHIN,
) -> Row:
    pages, health = seen
    answered, told = pages.of(200), pages.of(503)
    p99 = percentile([one.seconds for one in answered], 0.99)
    inside = max((one.inside for one in told), default=0.0)
    within = (
        len(answered) > 0
        and len(answered) + len(told) == len(pages.seen)
        and pages.lost + health.lost == 0
        and all(one.retry_after == "1" for one in told)
        and {one.status for one in health.seen} == {200}
        and (told_within is None or inside <= told_within)
        and (p99_alone is None or p99 <= 2 * p99_alone)
    )
    return {
        "name": name,
        "pages": len(answered),
        "p50_ms": round(percentile([one.seconds for one in answered], 0.5) * 1000, 1),
        "p99_ms": round(p99 * 1000, 1),
        "told_503": len(told),
        "503_p99_ms": round(percentile([one.inside for one in told], 0.99) * 1000, 1),
        "503_most_ms": round(inside * 1000, 1),
        "health_most_ms": round(max(one.seconds for one in health.seen) * 1000, 1),
        "bound": "all 200 or 503, health 200"
        + ("" if told_within is None else f", 503 within {told_within * 1000:.0f} ms")
        + ("" if p99_alone is None else f", p99 below {2000 * p99_alone:.1f} ms"),
        "within": within,
    }


# --- processes -------------------------------------------------------------------------------------------------------


def _cores() -> tuple[set[int], set[int]]:
    """The core of the layer, and those of the load and the backend."""
    cores = sorted(os.sched_getaffinity(0))
    return ({cores[0]}, set(cores[1:])) if len(cores) > 1 else ({cores[0]}, {cores[0]})


@contextlib.contextmanager
def _backend() -> Iterator[dict[str, int]]:
    command = [sys.executable, str(HERE / "overload_backend.py"), str(DELAY)]
    os.sched_setaffinity(0, CORES[1])
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    with process:
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()


@contextlib.contextmanager
def _layer(ports: dict[str, int], threads: int, **more: str) -> Iterator[int]:
    """The layer on a core of its own; what it logs is thrown away."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("BFF_")}
    urls = {f"{name.upper()}_URL": f"http://127.0.0.1:{ports[name]}" for name in ("well", "hanging")}
    environ = {**plain, **urls, **more, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "bff", "--root", str(HERE / "overload_page"), "serve"]
    command += ["--port", str(port), "--threads", str(threads), "--drain", "0s"]
    core = CORES[0]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, core),
    )
    try:
        _until_ready(port)
        yield port
    finally:
        process.terminate()
        process.wait(_PATIENCE)


def _until_ready(port: int) -> None:
    until = time.monotonic() + _PATIENCE
    while True:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5),
        ):
            return
        if time.monotonic() > until:
            raise RuntimeError("the layer does not answer")
        time.sleep(0.05)


CORES = _cores()


def main() -> int:
    return 0 if run()[1] else 1


if __name__ == "__main__":
    sys.exit(main())
