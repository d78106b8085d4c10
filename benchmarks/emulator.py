"""A built function under AWS's own runtime client and its emulator of what is around that."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from benchmarks.lineup import INSTALLED, ROOT
from benchmarks.machine import cores, pinned
from benchmarks.servers import PATIENCE, DidNotStart, free_port

RUNTIME = ROOT / ".local" / "hosts-venv"
_EMULATOR = ROOT / ".local" / "hosts" / f"aws-lambda-rie-{platform.machine().replace('aarch64', 'arm64')}"
_CLIENT = ("awslambdaric", "simplejson", "snapshot_restore_py*", "runtime_client*")


def missing() -> str:
    """What of it is not there, and its cure; empty where all is."""
    there = _EMULATOR.exists() and any(RUNTIME.glob("lib/python*/site-packages/awslambdaric"))
    return "" if there else "not installed: awslambdaric and AWS's emulator: make install-hosts"


@contextlib.contextmanager
def emulated(
    folder: Path, handler: str, environ: Mapping[str, str], log: Path
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The emulator, which starts the function with its first event, on the core of the server; its port."""
    port, inner = free_port(), free_port()
    command = [str(_EMULATOR), "--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    command += ["--runtime-api-address", f"127.0.0.1:{inner}"]
    command += [sys.executable, "-S", "-B", "-m", "awslambdaric", handler]
    variables = {
        **environ,
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(filter(None, [str(_runtime()), environ.get("PYTHONPATH")])),
        "AWS_LAMBDA_FUNCTION_NAME": "page",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "30",
        "LAMBDA_TASK_ROOT": str(folder),
    }
    with log.open("wb") as said, pinned(cores().server):
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=said, stderr=said)
    try:
        _until_listens(port, process, log)
        yield port, process
    finally:
        process.terminate()
        process.wait(PATIENCE)


def invoke(port: int, event: Mapping[str, Any]) -> dict[str, Any]:
    """What the function gives back for an event."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.request("POST", "/2015-03-31/functions/function/invocations", json.dumps(event))
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
    return answer


def _until_listens(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        with contextlib.suppress(OSError), contextlib.closing(connection):
            connection.connect()
            return
        time.sleep(0.005)
    raise DidNotStart(f"the emulator did not start: {log.read_text()[-300:]}")


def _runtime() -> Path:
    """A folder with AWS's runtime client alone."""
    [packages] = RUNTIME.glob("lib/python*/site-packages")
    folder = INSTALLED / "lambda-runtime"
    folder.mkdir(parents=True, exist_ok=True)
    for path in (path for pattern in _CLIENT for path in packages.glob(pattern)):
        link = folder / path.name
        link.unlink(missing_ok=True)
        link.symlink_to(path)
    return folder
