"""Starts the local backend and the layer in front of it, until ctrl-C: what `make run` calls.

`--backend-only` starts the backend alone (`make backend`).
POCKETBASE_PORT (8090) and PORT (5000) choose the ports.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from clients.local.binary import BackendError
from clients.local.pocketbase import (
    LOCAL,
    ROOT,
    START_SECONDS,
    SUPERUSER,
    Backend,
    require_free,
    running,
    start_child,
    stop_child,
)
from clients.local.seed import seed_once

_PASSWORD_FILE = LOCAL / "backend-password"
_DIRECTORY = LOCAL / "backend"


class _Stop(BaseException):
    """Somebody asked us to end."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs until it is stopped (0) or one of the two ends or cannot start (1)."""
    parser = argparse.ArgumentParser(prog="python -m clients.local", description=__doc__)
    parser.add_argument("--backend-only", action="store_true", help="start the backend without the layer")
    options = parser.parse_args(argv)
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _raise_stop)
    try:
        _run(with_layer=not options.backend_only)
    except _Stop:
        print("\nStopped; nothing is lost.", flush=True)
        return 0
    except (BackendError, OSError) as exc:
        print(f"cannot run: {exc}", file=sys.stderr, flush=True)
        return 1


def _run(with_layer: bool) -> NoReturn:
    backend_port, port = _port("POCKETBASE_PORT", 8090), _port("PORT", 5000)
    require_free(backend_port, "POCKETBASE_PORT")
    if with_layer:
        require_free(port, "PORT")
    with contextlib.ExitStack() as stack:
        stack.callback(_ignore_signals)
        backend = stack.enter_context(running(_DIRECTORY, backend_port, _password()))
        if seed_once(backend):
            print("Filled the backend with people, todos, comments and notices.", flush=True)
        children = {"the backend": backend.process}
        if with_layer:
            children["the layer"] = stack.enter_context(_layer(backend.url, port))
        print(_what_to_open(backend, port if with_layer else None), flush=True)
        _watch(children)


@contextlib.contextmanager
def _layer(backend_url: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    urls = dict.fromkeys(("PEOPLE_URL", "TODOS_URL", "NOTICES_URL"), backend_url)
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "--debug", "run", f"--port={port}"]
    process = start_child(command, cwd=ROOT, env={**urls, **os.environ}, stdin=subprocess.DEVNULL)
    try:
        _wait_until_answering(process, f"http://127.0.0.1:{port}/healthz")
        yield process
    finally:
        stop_child(process)


def _wait_until_answering(process: subprocess.Popen[bytes], url: str) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise BackendError(f"the layer ended at its start with status {process.returncode}, see above")
        try:
            opener.open(url, timeout=2).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise BackendError(f"the layer did not answer {url} within {START_SECONDS:g} s")


def _watch(children: dict[str, subprocess.Popen[bytes]]) -> NoReturn:
    while True:
        for name, process in children.items():
            if process.poll() is not None:
                raise BackendError(f"{name} ended with status {process.returncode}; stopped the rest")
        time.sleep(0.2)


def _port(variable: str, default: int) -> int:
    text = os.environ.get(variable) or str(default)
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 65536):
        raise BackendError(f"{variable} must be a port from 1 to 65535, not {text!r}")
    return int(text)


def _password() -> str:
    """The superuser's password, made once; only the owner of the file may read it."""
    with contextlib.suppress(FileNotFoundError):
        if password := _PASSWORD_FILE.read_text(encoding="ascii").strip():
            return password
    _PASSWORD_FILE.parent.mkdir(parents=True, exist_ok=True)
    password = secrets.token_urlsafe(24)
    _PASSWORD_FILE.unlink(missing_ok=True)
    descriptor = os.open(_PASSWORD_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="ascii") as file:
        file.write(f"{password}\n")
    return password


def _what_to_open(backend: Backend, port: int | None) -> str:
    sign_in = f"{SUPERUSER}, password in {_shown(_PASSWORD_FILE)}"
    lines = [f"  backend   {backend.url}/_/   {sign_in}"]
    if port is not None:
        layer = f"http://127.0.0.1:{port}"
        lines = [
            f"  open      {layer}/",
            f"  recipe    {layer}/api/home   made by orchestrations/home.yaml",
            *lines,
        ]
    return "\n".join(["", *lines, f"  rows      stay in {_shown(_DIRECTORY)}", "  stop      ctrl-C", ""])


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _raise_stop(_number: int, _frame: FrameType | None) -> NoReturn:
    _ignore_signals()
    raise _Stop


def _ignore_signals() -> None:
    """A second ctrl-C must not cut off the stopping, which takes a bounded time."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
