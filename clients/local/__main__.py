"""Starts the local backend and the layer in front of it, until ctrl-C: what `make run` calls.

`--backend-only` starts the backend alone (`make backend`). POCKETBASE_PORT (8090) and PORT (5000) choose the ports.
Rows and secrets stay in `.local`; BFF_SESSION_KEYS in the environment goes over the key that is kept there.
"""

from __future__ import annotations

import argparse
import contextlib
import os
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

from cryptography.fernet import Fernet

from clients.local.binary import BackendError
from clients.local.folder import alone_in, kept, long_password, password_to_type
from clients.local.pocketbase import (
    LOCAL,
    ROOT,
    START_SECONDS,
    SUPERUSER,
    Backend,
    has_ended,
    require_free,
    running,
    start_child,
    stop_child,
)
from clients.local.seed import address_of, let_sign_in, seed_once

_DIRECTORY = LOCAL / "backend"
_PASSWORD_FILE = LOCAL / "backend-password"
_DEMO_PASSWORD_FILE = LOCAL / "demo-password"
_SESSION_KEYS_FILE = LOCAL / "session-keys"
_DEMO_PERSON = "lin"


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
    with contextlib.ExitStack() as stack:
        stack.enter_context(alone_in(LOCAL))
        require_free(backend_port, "POCKETBASE_PORT")
        if with_layer:
            require_free(port, "PORT")
        stack.callback(_ignore_signals)
        backend = stack.enter_context(running(_DIRECTORY, backend_port, kept(_PASSWORD_FILE, long_password)))
        demo_password = kept(_DEMO_PASSWORD_FILE, password_to_type)
        _fill(backend, demo_password)
        session_keys = kept(_SESSION_KEYS_FILE, lambda: Fernet.generate_key().decode())
        children = {"the backend": backend.process}
        if with_layer:
            children["the layer"] = stack.enter_context(_layer(backend.url, port, session_keys))
        # In one piece: ctrl-C may come right after it.
        print(_what_to_open(backend, port if with_layer else None, demo_password), end="", flush=True)
        _watch(children)


def _fill(backend: Backend, demo_password: str) -> None:
    if seed_once(backend):
        print("Filled the backend with people, todos, comments and notices.", flush=True)
    let_sign_in(backend, demo_password)


@contextlib.contextmanager
def _layer(backend_url: str, port: int, session_keys: str) -> Iterator[subprocess.Popen[bytes]]:
    # Other users of the machine can read a command line, but not an environment.
    ours = dict.fromkeys(("PEOPLE_URL", "TODOS_URL", "NOTICES_URL"), backend_url)
    ours["BFF_SESSION_KEYS"] = session_keys
    command = [sys.executable, "-m", "bff", "dev", f"--port={port}"]
    process = start_child(command, cwd=ROOT, env={**ours, **os.environ}, stdin=subprocess.DEVNULL)
    try:
        _wait_until_answering(process, f"http://127.0.0.1:{port}/healthz")
        yield process
    finally:
        stop_child(process)


def _wait_until_answering(process: subprocess.Popen[bytes], url: str) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if has_ended(process):
            raise BackendError(f"the layer ended at its start with status {process.wait()}, see above")
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
            if has_ended(process):
                raise BackendError(f"{name} ended with status {process.wait()}; stopped the rest")
        time.sleep(0.2)


def _port(variable: str, default: int) -> int:
    text = os.environ.get(variable) or str(default)
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 65536):
        raise BackendError(f"{variable} must be a port from 1 to 65535, not {text!r}")
    return int(text)


def _what_to_open(backend: Backend, port: int | None, demo_password: str) -> str:
    dashboard = f"{backend.url}/_/   {SUPERUSER}, password in {_shown(_PASSWORD_FILE)}"
    if port is None:
        lines = [
            f'  serve     BFF_SESSION_KEYS="$(cat {_shown(_SESSION_KEYS_FILE)})" make serve',
            f"  sign in   {address_of(_DEMO_PERSON)}   {demo_password}",
        ]
    else:
        layer = f"http://127.0.0.1:{port}"
        lines = [
            f"  open      {layer}/",
            f"  sign in   {address_of(_DEMO_PERSON)}   {demo_password}   or sign up",
            f"  recipe    {layer}/api/home   made by orchestrations/home.yaml",
        ]
    rest = [f"  backend   {dashboard}", f"  rows      stay in {_shown(_DIRECTORY)}", "  stop      ctrl-C"]
    return "\n".join(["", *lines, *rest, "", ""])


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
