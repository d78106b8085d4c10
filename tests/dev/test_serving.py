"""`bff dev` as its author sees it: in a terminal, until ctrl-C."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from bff.cli import main
from bff.dev import serving
from bff.dev.pages import Told
from bff.dev.rows import PORT
from bff.errors import Finding, Place
from clients.local.pocketbase import free_port, start_child, stop_child
from tests.dev.test_sound import BAD, UNKNOWN
from tests.fakes import FakeBackend, answer
from tests.project import write_project

PATIENCE = 30.0
GOOD = "route: GET /api/good\nauth: none\nshape: 1\n"


class Terminal:
    """A started `bff dev` and what it has written."""

    def __init__(self, root: Path, *arguments: str) -> None:
        self.log = root / "terminal.txt"
        self.port = free_port()
        command = [sys.executable, "-m", "bff", "--root", str(root), "dev", "--port", str(self.port)]
        environ = {
            name: value for name, value in os.environ.items() if not name.startswith(("BFF_", "FLASK_"))
        }
        with self.log.open("wb") as output:
            self.process = start_child(
                [*command, *arguments],
                cwd=Path(__file__).parents[2],
                env=environ,
                stdout=output,
                stderr=output,
            )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def lines(self) -> list[str]:
        return self.log.read_text("utf-8").splitlines()

    def until(self, line: str) -> list[str]:
        """What is written, as soon as a line that begins so is."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            lines = self.lines
            if any(one.startswith(line) for one in lines):
                return lines
            time.sleep(0.02)  # leaves the processor to what is looked at
        raise AssertionError(f"no line {line!r} in {self.lines}")

    def interrupt(self) -> int:
        """Ctrl-C; gives the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_project(tmp_path, {"good": GOOD, "bad": BAD})


@pytest.fixture
def terminal(root: Path) -> Iterator[Terminal]:
    started = Terminal(root, "--run", "echo ready; exec sleep 1000")
    yield started
    stop_child(started.process)


def test_it_tells_mistakes_requests_and_the_other_command_and_ends_in_a_line(
    terminal: Terminal, root: Path
) -> None:
    terminal.until("bff dev:")
    terminal.until("run | ready")
    assert requests.get(f"{terminal.url}/api/good", timeout=PATIENCE).json() == 1
    (root / "orchestrations" / "bad.yaml").write_text(GOOD.replace("good", "bad"))
    terminal.until("every page can run again")
    assert requests.get(f"{terminal.url}/api/bad", timeout=PATIENCE).json() == 1
    assert terminal.interrupt() == 0
    said = [re.sub(r"^\d\d:\d\d:\d\d |\d+ ms$", "…", line) for line in terminal.lines]
    said.remove("run | ready")  # comes when it comes
    assert said == [
        *UNKNOWN.splitlines(),
        "cannot run: bad",
        f"bff dev: {terminal.url}/  1 page from {root}",
        "…200 good …",
        "every page can run again",
        "…200 bad …",
        "",
        "Stopped.",
    ]


def test_the_other_command_ends_with_it(terminal: Terminal) -> None:
    terminal.until("run | ready")
    (beside,) = children_of(terminal.process.pid)
    assert terminal.interrupt() == 0
    assert not Path(f"/proc/{beside}").exists()


def children_of(process: int) -> list[int]:
    """The processes that this one has started."""
    text = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(one) for one in text.split()]


def test_it_ends_with_the_other_command(root: Path) -> None:
    terminal = Terminal(root, "--run", "exit 3")
    assert terminal.process.wait(PATIENCE) == 1
    assert terminal.lines[-1] == "The command beside it ended with status 3."


def test_what_it_starts_knows_nothing_of_its_keys(root: Path) -> None:
    terminal = Terminal(root, "--run", "env; exit 1")
    assert terminal.process.wait(PATIENCE) == 1
    assert not any("BFF_SESSION_KEYS" in line or "FLASK" in line for line in terminal.lines)


def test_sigterm_ends_it_without_a_word(terminal: Terminal) -> None:
    terminal.until("bff dev:")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.process.wait(PATIENCE) == 0
    assert "Stopped." not in terminal.lines


def test_a_taken_port_is_one_clear_line(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--root", str(root), "dev", "--port", str(port)]) == 2
    said = f"bff: cannot listen on 127.0.0.1:{port}: Address already in use; --port names another\n"
    assert capsys.readouterr() == ("", said)


def test_without_a_project_it_says_so(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bff", "--root", str(tmp_path), "dev", "--port", "0"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    said = f"bff: no folder orchestrations/ in {tmp_path}: go into a project, or begin one: bff new NAME\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", said)


def test_what_keeps_wsgi_from_starting_is_one_line(root: Path) -> None:
    (root / "wsgi.py").write_text("import sys\nsys.exit('The app cannot start: no')\n")
    command = [sys.executable, "-m", "bff", "--root", str(root), "dev", "--port", "0"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", "bff: The app cannot start: no\n")


def test_the_rows_of_a_project_are_served_beside_it(root: Path) -> None:
    (root / "backend.json").write_text('{"items": [{"id": "1", "name": "One"}]}')
    (root / "visitor.json").write_text('{"user": {"id": "bob"}}')
    (root / "orchestrations" / "me.yaml").write_text("route: GET /api/me\nshape: user.id\n")
    terminal = Terminal(root, "--as", str(root / "visitor.json"))
    try:
        lines = terminal.until("backend.json")
        if f"backend.json: http://127.0.0.1:{PORT}/" in lines:  # else somebody has the port, which is said
            rows = requests.get(f"http://127.0.0.1:{PORT}/items", timeout=PATIENCE)
            assert rows.json() == [{"id": "1", "name": "One"}]
        assert requests.get(f"{terminal.url}/api/me", timeout=PATIENCE).json() == "bob"
        assert terminal.interrupt() == 0
    finally:
        stop_child(terminal.process)


def test_rows_whose_port_is_taken_are_not_served_and_it_says_so(root: Path) -> None:
    (root / "backend.json").write_text('{"items": []}')
    with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", PORT)):
        terminal = Terminal(root)
        try:
            terminal.until(
                f"backend.json is not served: 127.0.0.1:{PORT}: Address already in use; clients ask who listens there"
            )
            assert terminal.interrupt() == 0
        finally:
            stop_child(terminal.process)


def test_warnings_are_marked_and_what_can_run_again_is_told() -> None:
    written: list[str] = []
    terminal = serving.Terminal(written.append, lambda finding: written.append(str(finding)))
    place = Place("orchestrations/a.yaml", 1, 2)
    mild = Finding(place, "nothing reads it", mild=True)
    terminal.tell(Told((mild, "PEOPLE_URL is not set"), ("a", "b"), False))
    terminal.tell(Told((), ("a",), True))
    terminal.tell(Told((), (), True))
    terminal.tell(Told((mild,), (), False))
    assert written == [
        "orchestrations/a.yaml:1:2: warning: nothing reads it",
        "PEOPLE_URL is not set",
        "cannot run: a, b",
        "cannot run: a",
        "every page can run again",
        "orchestrations/a.yaml:1:2: warning: nothing reads it",
    ]


PERSON = """\
route: GET /api/person/{id}
auth: none
steps:
  found: {client: people, get: "/people/{path.id}"}
shape: found.name
"""


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with a page of people, whose backend has one."""
    with FakeBackend() as backend:
        backend.on("GET /people/7", answer(json={"name": "Ann"}))
        monkeypatch.setenv("PEOPLE_URL", backend.url)
        yield write_project(tmp_path, {"person": PERSON})


def test_it_learns_while_pages_are_asked(person: Path) -> None:
    terminal = Terminal(person)
    try:
        terminal.until("bff dev: ")
        assert requests.get(f"{terminal.url}/api/person/7", timeout=PATIENCE).json() == "Ann"
        terminal.until("clients/people.types.yaml: learned GET /people/{id}")
        assert "name: {type: string}" in (person / "clients" / "people.types.yaml").read_text()
        assert requests.get(f"{terminal.url}/api/person/7", timeout=PATIENCE).json() == "Ann"
    finally:
        assert terminal.interrupt() == 0
    assert len([line for line in terminal.lines if "learned" in line]) == 1


def test_what_was_asked_last_is_learned_when_it_ends(person: Path) -> None:
    terminal = Terminal(person)
    try:
        terminal.until("bff dev: ")
        requests.get(f"{terminal.url}/api/person/7", timeout=PATIENCE)
    finally:
        terminal.interrupt()
    assert (person / "clients" / "people.types.yaml").is_file()


def test_it_writes_no_types_where_it_is_told_not_to(person: Path) -> None:
    terminal = Terminal(person, "--no-learn")
    try:
        terminal.until("bff dev: ")
        requests.get(f"{terminal.url}/api/person/7", timeout=PATIENCE)
    finally:
        terminal.interrupt()
    assert not (person / "clients" / "people.types.yaml").exists()
