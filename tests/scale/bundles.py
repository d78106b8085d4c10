"""Bundles as `build` writes them, and processes that have nothing else: not the project, not a folder to write into."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bff.cli import main
from bff.plan.planning import plan_folder
from clients.local.pocketbase import free_port
from tests.servers import ROOT, Layer, environ_of

# For root a file's mode is no bar: a mount of its own that is read-only is one.
_ON_A_MOUNT = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && cd "$0" && exec "$@"'
_WHO_IS_FOUND = """
import importlib.machinery, json, sys
names = ("bff", "clients", "orchestrations", "tests", "wsgi")
found = {}
for entry in sys.path:
    for name in names:
        spec = importlib.machinery.PathFinder.find_spec(name, [entry])
        if spec is not None:
            found.setdefault(name, []).extend([spec.origin] if spec.origin else spec.submodule_search_locations)
print(json.dumps(found))
"""


@dataclass(frozen=True, slots=True)
class Route:
    """The method and the path of a page, as its recipe has them."""

    method: str
    path: str


@dataclass(frozen=True)
class Bundle:
    """A folder that `build` wrote; `contents` are the digests of its files at that time, by path."""

    folder: Path
    contents: Mapping[str, str]

    def untouched(self) -> bool:
        """Whether nothing was written into it, changed or taken away since."""
        return _contents(self.folder) == self.contents

    def instance(self, backend_url: str, logs: Path, **more: str) -> Layer:
        """A process of it that is not started yet, on a free port; a proxy before it may say who asks."""
        port = free_port()
        more = {"BFF_TRUSTED_PROXIES": "1", **more}
        log = logs / f"{self.folder.name}-{port}.log"
        return Layer(port, _environ(backend_url, more), log, self._wrapper(), 8, self.folder, "2s")

    def found_from_it(self) -> dict[str, list[str]]:
        """Every place from which its process could import a module that has the name of one of the project's."""
        command = [*self._wrapper(), sys.executable, "-c", _WHO_IS_FOUND]
        done = subprocess.run(
            command, cwd=self.folder, env=_environ("", {}), capture_output=True, text=True, check=True
        )
        found: dict[str, list[str]] = json.loads(done.stdout)
        return {name: [str(self.folder / place) for place in places] for name, places in found.items()}

    def _wrapper(self) -> tuple[str, ...]:
        unshare = shutil.which("unshare")
        if unshare is None or os.geteuid() != 0 or subprocess.run([unshare, "-m", "true"]).returncode:
            return ()
        return (unshare, "-m", "/bin/sh", "-c", _ON_A_MOUNT, str(self.folder))


def routes() -> dict[str, Route]:
    """The route of every page of this project, by the name of its recipe."""
    recipes = (plan.recipe for plan in plan_folder(ROOT, None).plans.values())
    return {recipe.name: Route(recipe.method, recipe.path) for recipe in recipes}


def build(out: Path, *what: str) -> Bundle:
    """What `build` writes for some pages or `--all`; nobody but root may write into it."""
    arguments = ["--root", str(ROOT), "build", *what, "--target", "wsgi", "--out", str(out)]
    assert main(arguments) == 0
    for path in [out, *out.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o222)
    return Bundle(out, _contents(out))


def writable_again(bundle: Bundle) -> None:
    """Let whoever cleans up remove it."""
    for path in [bundle.folder, *bundle.folder.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)


def _environ(backend_url: str, more: Mapping[str, str]) -> dict[str, str]:
    """Nothing of Python's own variables: one of them could lead to the project."""
    environ = environ_of(backend_url, **more)
    return {name: value for name, value in environ.items() if not name.startswith("PYTHON")}


def _contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "folder"
        for path in sorted(folder.rglob("*"))
    }
