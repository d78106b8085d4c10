"""What a run of tests leaves behind: processes, listening ports, mounts, temporary folders. There may be nothing.

Every process that a run starts has the run's mark in its environment, and every temporary folder is in the run's own.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

MARK = "TESTS_OF_RUN"
"""The variable that marks the processes of a run; a test that starts one with an environment of its own hands it on."""
PATIENCE = 10.0
_PYTESTS_OWN = "pytest-of-"


class Run:
    """One run of tests, with all its workers."""

    def __init__(self) -> None:
        self._mark = f"{MARK}={secrets.token_hex(8)}"
        # Short, because the paths of Unix sockets in it are bounded.
        self._folder = Path(tempfile.mkdtemp(prefix="bff-tests-"))
        self._mounts = _mounts()
        os.environ[MARK] = self._mark.partition("=")[2]
        os.environ["TMPDIR"] = tempfile.tempdir = str(self._folder)

    def end(self) -> list[str]:
        """Gives a line for each thing that was left, and removes all of them."""
        found = [*self._processes_left(), *_mounts_left(_mounts() - self._mounts), *self._files_left()]
        shutil.rmtree(self._folder, ignore_errors=True)
        return found

    def _processes_left(self) -> list[str]:
        """What runs on although nobody waits for it; what is just ending gets the time for it."""
        until = time.monotonic() + PATIENCE
        while (left := list(self._processes())) and time.monotonic() < until:
            time.sleep(0.05)  # nothing tells that somebody else's child has ended
        lines = [f"process {pid}: {_command(pid)}{_ports(pid)}" for pid in left]
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return lines

    def _processes(self) -> Iterator[int]:
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                marked = self._mark.encode() in (folder / "environ").read_bytes().split(b"\0")
                if marked and int(folder.name) != os.getpid() and not _is_zombie(folder):
                    yield int(folder.name)

    def _files_left(self) -> list[str]:
        left = sorted(path for path in self._folder.iterdir() if not path.name.startswith(_PYTESTS_OWN))
        return [f"temporary {'folder' if path.is_dir() else 'file'} {path}" for path in left]


def _is_zombie(folder: Path) -> bool:
    return (folder / "stat").read_text().rpartition(")")[2].split()[0] == "Z"


def _command(pid: int) -> str:
    try:
        return " ".join(
            Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        ).strip()
    except OSError:
        return "?"


def _ports(pid: int) -> str:
    """The ports that a process listens on, as text for the end of a line."""
    sockets: set[str] = set()
    with contextlib.suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                sockets.add(os.readlink(entry).removeprefix("socket:[").removesuffix("]"))
    found = [port for table in ("tcp", "tcp6") for port, inode in _listening(pid, table) if inode in sockets]
    return f", listens on {', '.join(sorted(set(found)))}" if found else ""


def _listening(pid: int, table: str) -> Iterator[tuple[str, str]]:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == "0A":
                yield str(int(columns[1].rpartition(":")[2], 16)), columns[9]


def _mounts() -> set[str]:
    try:
        return {line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()}
    except OSError:
        return set()  # no Linux


def _mounts_left(left: set[str]) -> list[str]:
    return [f"mount {point}" for point in sorted(left)]
