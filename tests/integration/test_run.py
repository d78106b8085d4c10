"""What `make run` does: both start, both stop, and nothing is lost in between, no row and no sign-in."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from clients.local.pocketbase import free_port
from clients.local.seed import address_of
from tests.servers import Visitor

pytestmark = pytest.mark.backend

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 40.0


class Running:
    """A started `python -m clients.local`; `lines` are those that it has said."""

    def __init__(self, process: subprocess.Popen[str], port: int, backend_port: int) -> None:
        self.process = process
        self.port = port
        self.backend_port = backend_port
        self.lines: list[str] = []

    def wait_until_it_says(self, text: str) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if text in line:
                return
        pytest.fail(f"it never said {text!r}, but: {''.join(self.lines)}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        status = self.process.wait(PATIENCE)
        # Not `communicate`: that passes over what has been read from the pipe together with the line before.
        assert self.process.stdout is not None
        self.lines.append(self.process.stdout.read())
        return status


@pytest.fixture
def fresh(tmp_path: Path, backend_program: Path) -> Path:
    """A copy of this project, without rows, in a folder whose name has a space."""
    return _copy_into(tmp_path)


def _copy_into(folder: Path) -> Path:
    copy = folder / "a project"
    copy.mkdir()
    for part in ("bff", "clients", "orchestrations", "public"):
        shutil.copytree(
            ROOT / part, copy / part
        )  # with its bytecode, which takes longer to make than all else
    shutil.copy(ROOT / "wsgi.py", copy)
    (copy / ".local").mkdir()
    (copy / ".local" / "backend-venv").symlink_to(ROOT / ".local" / "backend-venv")
    return copy


@dataclass
class First:
    """The first run in a folder, which has ended: what it said, and the commands of all processes meanwhile."""

    project: Path
    running: Running
    commands: str


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, backend_program: Path) -> First:
    project = _copy_into(tmp_path_factory.mktemp("first"))
    with started(project) as running:
        running.wait_until_it_says("ctrl-C")
        commands = "".join(_read(file) for file in Path("/proc").glob("[0-9]*/cmdline"))
        assert running.stop() == 0
    return First(project, running, commands)


@pytest.fixture
def project(first: First, tmp_path: Path) -> Path:
    """A folder of its own in which it ran once, and stopped."""
    return shutil.copytree(first.project, tmp_path / first.project.name, symlinks=True)


@contextmanager
def started(project: Path, *arguments: str, **environ: str) -> Iterator[Running]:
    port, backend_port = free_port(), free_port()
    ports = {"PORT": str(port), "POCKETBASE_PORT": str(backend_port)}
    process = subprocess.Popen(
        [sys.executable, "-m", "clients.local", *arguments],
        cwd=project,
        env={**os.environ, **ports, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield Running(process, port, backend_port)
    finally:
        process.terminate()
        try:
            process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _lin(project: Path, running: Running) -> Visitor:
    """Lin, signed in with the password that is kept for the demo's people."""
    visitor = Visitor(running.url)
    password = (project / ".local" / "demo-password").read_text().strip()
    answer = visitor.ask("POST", "/api/login", json={"email": address_of("lin"), "password": password})
    assert answer.status_code == 200, answer.text
    return visitor


def _wait_until_free(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return
        time.sleep(0.01)  # leaves the processor to what is ending
    pytest.fail(f"port {port} is still taken")


def _layer_of(running: Running) -> int:
    """The process of the layer: the child that is not the backend."""
    children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children").read_text().split()
    commands = {child: Path(f"/proc/{child}/cmdline").read_bytes() for child in children}
    return next(int(child) for child, command in commands.items() if b"dev" in command)


def test_rows_and_sign_ins_are_there_after_a_stop_and_a_start(project: Path) -> None:
    with started(project) as running:
        running.wait_until_it_says("ctrl-C")
        lin = _lin(project, running)
        ann = Visitor(running.url).sign_up("Ann", "ann@example.com")
        lin.add("Survive 重启")
        assert running.stop() == 0
    with started(project) as running:
        running.wait_until_it_says("ctrl-C")
        lin.base_url = ann.base_url = running.url
        assert lin.titles()[0] == "Survive 重启"
        assert len(lin.titles()) == 26
        assert ann.titles() == []


@pytest.mark.full
def test_rows_and_sign_ins_are_there_after_everything_was_killed(project: Path) -> None:
    with started(project) as running:
        running.wait_until_it_says("ctrl-C")
        lin = _lin(project, running)
        lin.add("Survive a kill")
        running.process.send_signal(signal.SIGKILL)
        running.process.wait()
        _wait_until_free(running.backend_port)
        _wait_until_free(running.port)
    with started(project) as running:
        running.wait_until_it_says("ctrl-C")
        lin.base_url = running.url
        assert lin.titles()[0] == "Survive a kill"


def test_a_stop_stops_both(first: First) -> None:
    _all_has_stopped(first.running)


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.full)])
def test_another_signal_stops_both_as_well(project: Path, number: signal.Signals) -> None:
    with started(project) as running:
        running.wait_until_it_says("ctrl-C")
        assert running.stop(number) == 0
        _all_has_stopped(running)


def _all_has_stopped(running: Running) -> None:
    _wait_until_free(running.port)
    _wait_until_free(running.backend_port)
    assert running.lines[-1].rstrip().endswith("Stopped; nothing is lost.")


def test_it_says_what_to_open_and_whom_to_sign_in_as(first: First) -> None:
    running = first.running
    password = (first.project / ".local" / "demo-password").read_text().strip()
    assert "".join(running.lines).endswith(
        f"\n  open      {running.url}/\n"
        f"  sign in   lin@example.com   {password}   or sign up\n"
        f"  recipe    {running.url}/api/home   made by orchestrations/home.yaml\n"
        f"  backend   http://127.0.0.1:{running.backend_port}/_/   "
        "admin@example.com, password in .local/backend-password\n"
        "  rows      stay in .local/backend\n"
        "  stop      ctrl-C\n"
        "\n\nStopped; nothing is lost.\n"
    )


def test_the_backend_alone_says_how_to_serve(fresh: Path) -> None:
    with started(fresh, "--backend-only") as running:
        running.wait_until_it_says("ctrl-C")
    assert '  serve     BFF_SESSION_KEYS="$(cat .local/session-keys)" make serve\n' in running.lines
    assert Fernet((fresh / ".local" / "session-keys").read_text().strip())


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc to find command lines")
def test_secrets_are_their_owners_alone(first: First) -> None:
    secrets = {}
    for name in ("backend-password", "demo-password", "session-keys"):
        file = first.project / ".local" / name
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        secrets[name] = file.read_text().strip()
    assert [name for name, secret in secrets.items() if secret in first.commands] == []
    said = "".join(first.running.lines)
    assert [name for name, secret in secrets.items() if secret in said] == ["demo-password"]


def _read(file: Path) -> str:
    """What a file of a process holds; nothing when the process has ended."""
    try:
        return file.read_bytes().decode(errors="replace")
    except OSError:
        return ""


@pytest.mark.skipif(sys.platform == "win32", reason="a lock of POSIX")
def test_a_second_run_in_one_folder_is_one_clear_line(project: Path) -> None:
    with started(project, "--backend-only") as running:
        running.wait_until_it_says("ctrl-C")
        with started(project) as second:
            said, _ = second.process.communicate(timeout=PATIENCE)
        assert second.process.returncode == 1
        assert said == (
            f"cannot run: {project / '.local'} is in use by another `make run` or `make backend` "
            f"(process {running.process.pid}): stop that one, or run this one in another clone\n"
        )
        assert running.stop() == 0


@pytest.mark.parametrize("variable", ["PORT", "POCKETBASE_PORT"])
def test_a_taken_port_is_one_clear_line(fresh: Path, variable: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = str(server.getsockname()[1])
        with started(fresh, **{variable: taken}) as running:
            said, _ = running.process.communicate(timeout=PATIENCE)
    assert running.process.returncode == 1
    assert said == (
        f"cannot run: port {taken} is taken (Address already in use): "
        f"stop what listens there, or choose another one: {variable}=… make run\n"
    )


def test_a_port_that_is_none_is_one_clear_line(fresh: Path) -> None:
    with started(fresh, PORT="http") as running:
        said, _ = running.process.communicate(timeout=PATIENCE)
    assert running.process.returncode == 1
    assert said == "cannot run: PORT must be a port from 1 to 65535, not 'http'\n"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc to find the layer")
def test_a_layer_that_ends_stops_the_backend(project: Path) -> None:
    with started(project) as running:
        running.wait_until_it_says("ctrl-C")
        os.kill(_layer_of(running), signal.SIGKILL)
        said, _ = running.process.communicate(timeout=PATIENCE)
        _wait_until_free(running.backend_port)
    assert running.process.returncode == 1
    assert said.endswith("cannot run: the layer ended with status -9; stopped the rest\n")
