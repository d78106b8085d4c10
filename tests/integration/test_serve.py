"""`make serve` under load."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from clients.local.pocketbase import ROOT, Backend, free_port, start_child, stop_child
from clients.local.seed import address_of
from tests.fakes import FakeBackend, after, answer
from tests.integration.conftest import PASSWORD
from tests.project import changed_app, write_project
from tests.servers import PATIENCE, Visitor, environ_of, layer

pytestmark = [pytest.mark.backend, pytest.mark.server]


def _served(make_variable: str) -> str:
    """The default of a variable of `make serve`."""
    found = re.search(rf"^{make_variable} \?= (.*)$", (ROOT / "Makefile").read_text(), re.M)
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
def patient_app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app, but that a machine which is busy with something else is no reason for a time-out."""
    clients = (f"clients/{name}.py" for name in ("todos", "people", "notices"))
    return changed_app(
        tmp_path_factory.mktemp("patient"),
        ("orchestrations/home.yaml", "\ninput:", "\ndeadline: 60s\ninput:"),
        *((client, 'timeout="2s"', 'timeout="60s"') for client in clients),
    )


@pytest.fixture(scope="module")
def served(seeded_backend: Backend, patient_app: Path) -> Iterator[str]:
    """The URL of the layer as `make serve` starts it, on the seeded backend."""
    port = free_port()
    command = [sys.executable, "-m", "bff", "--root", str(patient_app), "serve", "--port", str(port)]
    command += ["--drain", "0s", "--workers", str(os.cpu_count() or 1), "--threads", _served("THREADS")]
    process = start_child(
        command,
        cwd=ROOT,
        env=environ_of(seeded_backend.url),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if b"Started worker" in line:
                break
        # Nobody reads on, and a full pipe would stop the server: let the kernel drop what comes.
        drain = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
        until = time.monotonic() + PATIENCE  # a worker says that it has started before it listens
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
                break
            time.sleep(0.01)  # leaves the processor to what is starting
        yield f"http://127.0.0.1:{port}"
    finally:
        stop_child(process)
        process.stdout.close()
        drain.wait()


@pytest.mark.full  # alone: it measures what a machine can bear, not what others leave of it
@pytest.mark.parametrize("path", ["/", "/api/home"])
def test_200_visitors_at_once_all_get_their_page(served: str, needs: Callable[..., None], path: str) -> None:
    needs("ab")
    lin = Visitor(served)
    answer = lin.ask("POST", "/api/login", json={"email": address_of("lin"), "password": PASSWORD})
    assert answer.status_code == 200
    cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in lin.session.cookies)
    command = ["ab", "-l", "-q", "-n", "1000", "-c", "200", "-H", f"Cookie: {cookie}", f"{served}{path}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^Complete requests: +1000$", done.stdout, re.M), done.stdout
    assert re.search(r"^Failed requests: +0$", done.stdout, re.M), done.stdout
    assert "Non-2xx" not in done.stdout, done.stdout


def test_it_is_up_and_ready(served: str) -> None:
    for path in ("/healthz", "/readyz"):
        with urllib.request.urlopen(f"{served}{path}", timeout=10) as reply:
            assert reply.status == 200


SLOW = """
    route: GET /api/slow
    auth: none
    deadline: 30s
    steps:
      part:
        client: todos
        get: /part
        timeout: 30s
    shape: part
    """


def tell_the_group(process: subprocess.Popen[bytes]) -> None:
    """As hosts do that tell every process of a service to stop."""
    os.killpg(process.pid, signal.SIGTERM)


@pytest.mark.parametrize("tell", [subprocess.Popen.terminate, tell_the_group], ids=["main", "group"])
def test_a_server_that_is_told_to_stop_says_so_first_and_ends_no_page(
    tmp_path: Path, tell: Callable[[subprocess.Popen[bytes]], None]
) -> None:
    with FakeBackend() as backend, ThreadPoolExecutor() as visitors:
        go_on = threading.Event()
        backend.on("GET /part", after(go_on, answer(json={"done": True})))
        port = free_port()
        write_project(tmp_path, {"slow": SLOW})
        (tmp_path / "wsgi.py").write_text("from bff import create_app\n\napp = create_app()\n", "utf-8")
        command = [sys.executable, "-m", "bff", "--root", str(tmp_path), "serve", "--port", str(port)]
        plain = {name: value for name, value in os.environ.items() if not name.startswith("BFF_")}
        env = {**plain, "TODOS_URL": backend.url, "PYTHONPATH": str(ROOT)}
        process = start_child([*command, "--drain", "1m"], cwd=tmp_path, env=env)
        url = f"http://127.0.0.1:{port}"
        try:
            assert becomes(f"{url}/readyz", 200)
            page = visitors.submit(requests.get, f"{url}/api/slow", timeout=PATIENCE)
            assert backend.wait_for_requests(1)
            tell(process)
            assert becomes(f"{url}/readyz", 503)
            assert requests.get(f"{url}/healthz", timeout=PATIENCE).status_code == 200
            tell(process)  # a second time: without waiting
            go_on.set()
            assert page.result(PATIENCE).json() == {"done": True}
            assert process.wait(PATIENCE) == 0
        finally:
            go_on.set()
            stop_child(process)


def test_a_worker_whose_main_process_is_gone_ends_when_it_is_told(tmp_path: Path) -> None:
    with layer("http://127.0.0.1:9", tmp_path) as running:
        main = running.process
        assert main is not None
        worker = int(Path(f"/proc/{main.pid}/task/{main.pid}/children").read_text())
        main.kill()
        main.wait(PATIENCE)
        assert requests.get(f"{running.url}/healthz", timeout=PATIENCE).status_code == 200
        os.kill(worker, signal.SIGTERM)
        until = time.monotonic() + PATIENCE
        with contextlib.suppress(requests.ConnectionError):
            while requests.get(f"{running.url}/healthz", timeout=PATIENCE):
                assert time.monotonic() < until, "the worker goes on"
                time.sleep(0.01)  # leaves the processor to what is ending


def becomes(url: str, status: int) -> bool:
    """Whether a URL answers with this status before the patience ends."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with contextlib.suppress(requests.ConnectionError):
            if requests.get(url, timeout=PATIENCE).status_code == status:
                return True
        time.sleep(0.01)  # leaves the processor to what is becoming so
    return False
