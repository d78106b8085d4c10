"""`serve` where it cannot: it says why, once, and ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from clients.local.pocketbase import free_port, start_child, stop_child
from tests.project import LOGIN, write_project
from tests.servers import PATIENCE, ROOT, layer

PAGE = """
    route: GET /api/page
    auth: none
    steps:
      rows:
        client: todos
        get: /rows
    shape: rows
    """
APP = """import sys
from bff import create_app
from bff.errors import BffError

try:
    app = create_app()
except BffError as error:
    sys.exit(f"The app cannot start: {error}")
"""
NO_KEYS = (
    "The app cannot start: BFF_SESSION_KEYS is not set, and orchestrations/login.yaml needs it; make a key with: "
    'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
)
NO_URL = "The app cannot start: client todos: the environment variable TODOS_URL is not set (base_url)"
BROKEN = """The app cannot start: orchestrations/page.yaml:8:8: unknown name 'row'
shape: row
       ^^^ did you mean 'rows'?  here are: path, query, headers, body, user, rows"""


def project(root: Path, page: str = PAGE, app: str = APP, **recipes: str) -> Path:
    write_project(root, {"page": page, **recipes})
    (root / "wsgi.py").write_text(app)
    return root


def ended(root: Path, workers: int, port: int) -> tuple[int, list[str]]:
    """The status of a `serve` that ends by itself, and the lines that are more than news of its processes."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("BFF_", "TODOS_"))}
    command = ["serve", "--port", str(port), "--workers", str(workers), "--drain", "0s"]
    done = subprocess.run(
        [sys.executable, "-m", "bff", "--root", str(root), *command],
        env={**plain, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
    )
    return done.returncode, [line for line in done.stdout.splitlines() if not line.startswith("[INFO]")]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("lacking", ["keys", "variable", "recipe"])
def test_an_app_that_cannot_start_ends_the_server_in_its_own_words(
    tmp_path: Path, lacking: str, workers: int
) -> None:
    if lacking == "keys":
        root, said = project(tmp_path, login=LOGIN), NO_KEYS
    elif lacking == "variable":
        root, said = project(tmp_path), NO_URL
        (root / "clients" / "todos.py").write_text(
            'from bff import Client, env\n\nclient = Client(base_url=env("TODOS_URL"))\n'
        )
    else:
        root, said = project(tmp_path, PAGE.replace("shape: rows", "shape: row")), BROKEN
    assert ended(root, workers, free_port()) == (1, said.splitlines())


def test_an_app_that_raises_shows_its_trace_once(tmp_path: Path) -> None:
    status, lines = ended(project(tmp_path, app="raise ValueError('no app')\n"), 2, free_port())
    assert (status, lines[0], lines[-1]) == (1, "Traceback (most recent call last):", "ValueError: no app")
    assert lines.count(lines[0]) == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_a_port_that_is_taken_is_said_in_one_line(tmp_path: Path, workers: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = f"bff: cannot listen on 127.0.0.1:{port}: Address already in use"
        assert ended(project(tmp_path), workers, port) == (1, [said])


def test_a_second_server_does_not_share_the_first_ones_port(tmp_path: Path) -> None:
    root = project(tmp_path)
    with layer("http://127.0.0.1:9", tmp_path, root=root, PYTHONPATH=str(ROOT)) as first:
        said = f"bff: cannot listen on 127.0.0.1:{first.port}: Address already in use"
        assert ended(root, 1, first.port) == (1, [said])


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_that_starts_and_stops_warns_of_nothing(tmp_path: Path, workers: int) -> None:
    root, port, log = project(tmp_path / "app"), free_port(), tmp_path / "log"
    command = ["serve", "--port", str(port), "--workers", str(workers), "--drain", "0s"]
    with log.open("wb") as output:
        process = start_child(
            [sys.executable, "-m", "bff", *command],
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=output,
            stderr=output,
        )
    try:
        while log.read_text().count("Started worker") < workers:
            assert process.poll() is None, log.read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    finally:
        stop_child(process)
    assert [line for line in log.read_text().splitlines() if not line.startswith(("[INFO]", "bff: "))] == []


def test_a_worker_that_dies_is_started_again(tmp_path: Path) -> None:
    with layer("http://127.0.0.1:9", tmp_path, root=project(tmp_path), PYTHONPATH=str(ROOT)) as running:
        assert running.process is not None
        main = running.process.pid
        worker = int(Path(f"/proc/{main}/task/{main}/children").read_text())
        os.kill(worker, signal.SIGKILL)
        running.wait()
        assert requests.get(f"{running.url}/healthz", timeout=PATIENCE).status_code == 200
        assert "[ERROR] worker-1 has ended unexpectedly" in running.log.read_text()
