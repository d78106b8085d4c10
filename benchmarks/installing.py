"""Installs the peers into .local/bench, from lock files with hashes; what could not be is told."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.lineup import GO_PROGRAM, HERE, INSTALLED, NODE_FOLDER, PYTHON

_REQUIREMENTS = HERE / "peers" / "python" / "requirements.txt"
_NODE_SOURCES = HERE / "peers" / "node"
_GO_SOURCES = HERE / "peers" / "go"
# Its own folder is not on everybody's PATH.
_GO_FOLDER = "/usr/local/go/bin"
_PACKAGES = ("package.json", "package-lock.json")


class NotInstalled(Exception):
    """Why a kind of peer cannot take part, in one line."""


def install(need: str) -> None:
    """Make ready what peers need: python, node or go; raises NotInstalled."""
    if need:
        _INSTALLERS[need]()


def _python() -> None:
    if _is_done("python", [_REQUIREMENTS]):
        return
    _run([sys.executable, "-m", "venv", "--clear", str(PYTHON.parent.parent)])
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    _run([*pip, "--require-hashes", "--only-binary=:all:", "-r", str(_REQUIREMENTS)])
    _done("python", [_REQUIREMENTS])


def _node() -> None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise NotInstalled("node and npm are not there")
    NODE_FOLDER.mkdir(parents=True, exist_ok=True)
    # Node looks for packages beside a module's real place, so the modules go where the packages are.
    for source in _NODE_SOURCES.glob("*.mjs"):
        shutil.copy(source, NODE_FOLDER / source.name)
    locks = [_NODE_SOURCES / name for name in _PACKAGES]
    if _is_done("node", locks):
        return
    for lock in locks:
        shutil.copy(lock, NODE_FOLDER / lock.name)
    npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    _run(npm, NODE_FOLDER)
    _done("node", locks)


def go() -> str | None:
    """Where the command of Go is; None where there is none."""
    return shutil.which("go", path=os.pathsep.join((os.environ.get("PATH", ""), _GO_FOLDER)))


def _go() -> None:
    command = go()
    if command is None:
        raise NotInstalled("go is not there")
    # Nothing but its standard library, so nothing is fetched: neither packages nor another Go.
    offline = {"GOTOOLCHAIN": "local", "GOPROXY": "off", "GOCACHE": str(GO_PROGRAM.parent / "cache")}
    _run([command, "build", "-buildvcs=false", "-o", str(GO_PROGRAM), "."], _GO_SOURCES, offline)


_INSTALLERS: dict[str, Callable[[], None]] = {"python": _python, "node": _node, "go": _go}


def _mark(need: str) -> Path:
    return INSTALLED / f".{need}-installed"


def _digest(locks: list[Path]) -> str:
    return hashlib.sha256(b"".join(lock.read_bytes() for lock in locks)).hexdigest()


def _is_done(need: str, locks: list[Path]) -> bool:
    return _mark(need).exists() and _mark(need).read_text() == _digest(locks)


def _done(need: str, locks: list[Path]) -> None:
    _mark(need).write_text(_digest(locks))


def _run(command: list[str], folder: Path | None = None, more: Mapping[str, str] | None = None) -> None:
    INSTALLED.mkdir(parents=True, exist_ok=True)
    environ = {**os.environ, **(more or {})}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no word why").splitlines()[-1]
        raise NotInstalled(f"{' '.join(command[:4])} failed: {last}")
