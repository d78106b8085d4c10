"""`preview`: what was built, on this machine, under the runtime of its host where that is installed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

from bff.cli.previewing.door import Door, Functions
from bff.cli.previewing.hosts import Host, host_of
from bff.cli.previewing.processes import DidNotStart, Process
from bff.deploy.bundle import STATE
from bff.deploy.target import SITE
from bff.errors import OperatorError
from bff.text import counted

_KEYS = "BFF_SESSION_KEYS"


def preview(root: Path, folder: Path, port: int) -> int:
    """Run the functions of a folder until Ctrl-C; raises OperatorError where that cannot be done."""
    build = folder.resolve()
    host, functions = host_of(build)
    own_port = port if host.single else None
    made = {
        one: Process(host, one, build, root.resolve(), own_port, environ)
        for one, environ in environs(functions).items()
    }
    for number in (signal.SIGTERM, signal.SIGINT):  # also where a shell has it started with SIGINT ignored
        signal.signal(number, _interrupt)
    try:
        if host.single:
            return _run_alone(host, next(iter(made.values())))
        return _run_behind(host, build, made, port)
    except KeyboardInterrupt:
        return 0
    finally:
        for process in made.values():
            process.stop()


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


def environs(functions: Sequence[Path]) -> dict[Path, dict[str, str]]:
    """The environment of each: as on its host keys of sessions only where its pages need some, and so the store.

    Where nobody has set any keys, they are made for the life of the preview.
    """
    written = {one: _variables(one) for one in functions}
    keyed, stored = (
        {one for one, text in written.items() if f"\n{variable}=" in text} for variable in (_KEYS, STATE)
    )
    keys = os.environ.get(_KEYS)
    if keyed and keys is None:
        from cryptography.fernet import Fernet

        print(f"{_KEYS} is not set: sessions end with the preview", file=sys.stderr)
        keys = Fernet.generate_key().decode()
    found = {}
    for one in functions:
        without = {_KEYS} if not stored or one in stored else {_KEYS, STATE}
        others = {name: value for name, value in os.environ.items() if name not in without}
        found[one] = others | ({_KEYS: keys} if keys and one in keyed else {})
    return found


def _variables(function: Path) -> str:
    path = function / ".env.example"
    return path.read_text("utf-8") if path.is_file() else ""


def _run_alone(host: Host, process: Process) -> int:
    try:
        port = process.port()
    except DidNotStart as error:
        raise OperatorError(str(error)) from None
    _say(port, f"the app as built for {host.target}", host)
    return process.wait()


def _run_behind(host: Host, build: Path, made: dict[Path, Process], port: int) -> int:
    rest = made.get(build / SITE) if len(made) > 1 else None
    if rest is None and len(made) == 1:
        [(folder, only)] = made.items()
        rest = only if (folder / "public").is_dir() else None
    functions = Functions(made, rest=rest)
    try:
        door = Door(port, functions, build / "public", by_events=host.takes_events)
    except OSError as error:
        raise OperatorError(f"cannot listen on 127.0.0.1:{port}: {error.strerror}") from None
    _say(door.server_port, f"{counted(functions.pages, 'page')} as built for {host.target}", host)
    with door, suppress(KeyboardInterrupt):
        door.serve_forever()
    return 0


def _say(port: int, what: str, host: Host) -> None:
    print(f"http://127.0.0.1:{port}/ has {what}, under {host.runtime}; Ctrl-C ends it", flush=True)
