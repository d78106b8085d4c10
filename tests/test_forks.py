"""A child of a warm parent serves as the parent does: it waits for no thread, lock or place of the parent."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bff import forks
from tests.fakes import FakeBackend, answer
from tests.project import write_project
from tests.servers import PATIENCE, ROOT, SESSION_KEY, RedisServer

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

SHARED = """
    route: GET /api/shared
    auth: none
    rate_limit: 100000/s
    input: {query: {n: {type: integer, default: 0}}}
    deadline: 20s
    steps: {rows: {client: todos, get: /rows, query: {n: query.n}, cache: {ttl: 10ms, shared: true}}}
    shape: rows
    """
NAMED = """
    route: GET /api/named
    auth: none
    deadline: 20s
    steps: {rows: {client: people, get: /rows}}
    shape: rows
    """
SCRIPT = r"""
import os, sys, threading, time, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # that a process with threads forks is what is tried
from bff import create_app

project, children, state = sys.argv[1], int(sys.argv[2]), sys.argv[3]
app = create_app(project)
paths = [f"/api/shared?n={number}" for number in range(12)] + ["/api/named"]
ended = threading.Event()

def page(path):
    with app.test_client().get(path) as found:
        return found.status_code, found.get_data()

def together(works):
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    return threads

def wrong():
    found = []
    for thread in together([lambda path=path: found.append(page(path)) for path in paths]):
        thread.join()
    found += [page(path) for path in paths * 2]
    return [one for one in found if one != (200, b'{"n":1}')]

def go_on():
    while not ended.is_set():
        for path in paths:
            page(path)

def child_of_this():
    child = os.fork()
    if child == 0:
        found = wrong()
        print("in a child:", len(found), found[:2], file=sys.stderr, flush=True)
        os._exit(len(found))
    until = time.monotonic() + 60
    while (found := os.waitpid(child, os.WNOHANG))[0] == 0:
        if time.monotonic() > until:
            os.kill(child, 9)
        time.sleep(0.01)
    return found[1]

assert wrong() == []
assert any(thread.name == "bff-behind" for thread in threading.enumerate()), "idle threads, which no child has"
busy = together([go_on] * 4 if state == "busy" else [])
outcomes = [child_of_this() for _ in range(children)]
ended.set()
for thread in busy:
    thread.join()
left = wrong()
assert left == [], ("the parent goes on", left[:2])
print(outcomes)
"""


@pytest.fixture
def backend() -> Iterator[FakeBackend]:
    with FakeBackend() as running:
        running.on("GET /rows", answer(json={"n": 1}))
        yield running


def outcomes(project: Path, backend: FakeBackend, children: int, state: str, **more: str) -> str:
    """What the children of a warm process end with, as the script prints it."""
    clients = {"people": "retries=0, timeout='20s'", "todos": "timeout='20s'"}
    write_project(project, {"shared": SHARED, "named": NAMED}, clients=clients)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("BFF_")}
    environ |= {"TODOS_URL": backend.url, "PEOPLE_URL": backend.url.replace("127.0.0.1", "localhost")}
    environ |= {"PYTHONPATH": str(ROOT), "BFF_SESSION_KEYS": SESSION_KEY, **more}
    command = [sys.executable, "-c", SCRIPT, str(project), str(children), state]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("transport", ["sockets", "threads"])
def test_a_child_of_a_warm_parent_serves_every_page(
    tmp_path: Path, backend: FakeBackend, redis: RedisServer, transport: str
) -> None:
    stores = {"BFF_CACHE_URL": redis.url, "BFF_STATE_URL": redis.url, "BFF_TRANSPORT": transport}
    assert outcomes(tmp_path, backend, 2, "idle", **stores) == "[0, 0]"


def test_a_child_of_a_parent_with_pages_under_way_serves_every_page(
    tmp_path: Path, backend: FakeBackend
) -> None:
    assert outcomes(tmp_path, backend, 8, "busy", BFF_MAX_PAGES="20", BFF_THREADS="40") == str([0] * 8)


def test_a_lock_that_another_thread_holds_is_free_and_what_it_guards_is_whole_in_a_child() -> None:
    lock, entered, released = forks.lock(), threading.Event(), threading.Event()
    guarded = [1, 1]

    def change() -> None:
        with lock:
            guarded[0] = 2
            entered.set()
            released.wait(0.2)
            guarded[1] = 2

    thread = threading.Thread(target=change)
    thread.start()
    entered.wait(PATIENCE)
    child = os.fork()
    if child == 0:
        os._exit(0 if lock.acquire(timeout=PATIENCE) and guarded == [2, 2] else 1)
    thread.join()
    assert os.waitpid(child, 0)[1] == 0
    assert lock.acquire(blocking=False), "nor does the parent hold it"
