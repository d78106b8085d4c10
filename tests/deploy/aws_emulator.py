"""A built function as AWS runs it: its own runtime client, under AWS's emulator of the runtime interface."""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from clients.local.pocketbase import free_port, start_child, stop_child
from tests.deploy.aws_events import Answer, Asked, Event, answer_of, http_api
from tests.servers import PATIENCE, ROOT, until_answers

HOSTS = ROOT / ".local" / "hosts"
VENV = ROOT / ".local" / "hosts-venv"
EMULATOR = HOSTS / f"aws-lambda-rie-{'arm64' if platform.machine() == 'aarch64' else 'x86_64'}"
_RUNTIME = ("awslambdaric", "simplejson", "snapshot_restore_py*", "runtime_client*")
_UNSHARE = shutil.which("unshare")
_OF_THE_PROJECT = ("bff", "clients", "orchestrations")


def missing_parts() -> str | None:
    """What of AWS's own parts is not there, and its cure."""
    found = EMULATOR.exists() and any(VENV.glob("lib/python*/site-packages/awslambdaric"))
    return None if found else "needs awslambdaric and AWS's emulator in .local: make install-hosts"


@dataclass
class Emulated:
    """A function under the emulator; it takes one event at a time."""

    url: str
    log: Path

    def invoke(self, event: Event) -> dict[str, Any]:
        """What the function gives back for an event."""
        answer = requests.post(self.url, json=event, timeout=PATIENCE)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        assert "errorMessage" not in found, f"{found}\n{self.log.read_text()}"
        return found

    def ask(self, asked: Asked, form: Callable[[Asked], Event] = http_api) -> Answer:
        return answer_of(self.invoke(form(asked)))


@contextlib.contextmanager
def emulated(
    folder: Path,
    handler: str,
    environ: Mapping[str, str],
    work: Path,
    *,
    timeout: int = 60,
    layers: Path | None = None,
) -> Iterator[Emulated]:
    """A function of a folder that nobody can write to, with nothing of the project in reach.

    The process has only what AWS gives it: its runtime, these variables, and at /opt its merged `layers`.
    """
    work.mkdir(exist_ok=True)
    port, inner = free_port(), free_port()
    command = [str(EMULATOR), "--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    command += ["--runtime-api-address", f"127.0.0.1:{inner}", *python(), "-m", "awslambdaric", handler]
    variables = {
        **environ,
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(_runtime(work)), *path_of(layers)]),
        "AWS_LAMBDA_FUNCTION_NAME": folder.name,
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout),
        "LAMBDA_TASK_ROOT": str(folder),
    }
    before, log = _listing(folder), work / f"{folder.name}-{port}.log"
    with log.open("wb") as said:
        process = start_child(
            [*sealed(folder, layers), *command], cwd=folder, env=variables, stdout=said, stderr=said
        )
    try:
        # It knows no such path, and says so without starting the function.
        until_answers(f"http://127.0.0.1:{port}/", process, log)
        yield Emulated(f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations", log)
    finally:
        stop_child(process)
    assert _listing(folder) == before


def python() -> list[str]:
    """A Python without any packages of its own."""
    return [sys.executable, "-S", "-B"]


def path_of(layers: Path | None) -> list[str]:
    """Where modules of layers are found: where the host has them, or where they are if nothing can be mounted."""
    return [] if layers is None else [str(Path("/opt" if _can_mount() else layers, "python"))]


def sealed(folder: Path, layers: Path | None = None) -> Sequence[str]:
    """What runs a command with the folder read-only and the project's own modules gone, where that can be done.

    Layers are read-only at /opt.
    """
    if not _can_mount():
        return ()
    script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0"'
    if layers is not None:
        script += f" && mount --bind '{layers}' /opt && mount -o remount,ro,bind /opt"
    for name in _OF_THE_PROJECT:
        script += f" && mount -t tmpfs none '{ROOT / name}'"
    return (_UNSHARE or "", "--mount", "sh", "-c", f'{script} && cd "$0" && exec "$@"', str(folder))


@functools.cache
def _can_mount() -> bool:
    if _UNSHARE is None:
        return False
    tried = [_UNSHARE, "--mount", "sh", "-c", f"mount -t tmpfs none '{ROOT / 'bff'}'"]
    return subprocess.run(tried, capture_output=True).returncode == 0


def _runtime(work: Path) -> Path:
    """A folder with AWS's runtime client alone: what else is installed beside it is not there on AWS."""
    [packages] = VENV.glob("lib/python*/site-packages")
    folder = work / "runtime"
    folder.mkdir(exist_ok=True)
    for path in (path for pattern in _RUNTIME for path in packages.glob(pattern)):
        link = folder / path.name
        if not link.exists():
            link.symlink_to(path)
    return folder


def _listing(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
    }
