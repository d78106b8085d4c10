"""The pinned dependencies of a bundle: which distributions its modules import, and the lines that pin them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.markers import Marker
from packaging.utils import canonicalize_name

from bff.errors import OperatorError

FILE = "requirements.txt"
ADAPTERS = Path(__file__).with_name("adapters.txt")
LOCKS = (Path(__file__).with_name("lock.txt"), Path(__file__).parents[2] / FILE)
"""The pins that this engine was tested with: where its wheel has them, and a clone."""

_PIN = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*])?==(?P<version>[^\s;\\]+)\s*(?:;(?P<marker>[^\\]*))?"
)


def file_of(root: Path) -> Path:
    """The file that pins the dependencies of a project: its own, else the engine's."""
    return next(place for place in (root / FILE, *LOCKS) if place.is_file())


class Pins:
    """The pins of a project, else the engine's own, and of the adapters to function hosts, for one Python on Linux."""

    def __init__(self, root: Path, python: str, arch: str) -> None:
        self._file = file_of(root)
        self._environment = _environment(python, arch)
        # The project's own pins win: an adapter shares them.
        self._lines = self._read(ADAPTERS) | self._read(self._file)

    def line(self, name: str) -> str:
        """What pins a distribution, its hashes among it; raises OperatorError where nothing does."""
        if name not in self._lines:
            raise OperatorError(f"{self._file} does not pin {name}, which the bundle needs")
        return self._lines[name]

    def has(self, name: str) -> bool:
        return name in self._lines

    def applies(self, marker: Marker | None) -> bool:
        return marker is None or marker.evaluate(self._environment)

    def _read(self, path: Path) -> dict[str, str]:
        """The lines by canonical name, without markers, which pip would evaluate for the Python it runs on."""
        found: dict[str, str] = {}
        text = path.read_text("utf-8").replace("\\\n", " ")
        for line in text.splitlines():
            pin = _PIN.match(line.strip())
            if pin is None or line.startswith("#"):
                continue
            marker = (pin["marker"] or "").partition("--hash")[0].strip()
            if self.applies(Marker(marker) if marker else None):
                hashes = re.findall(r"--hash=\S+", line)
                found[canonicalize_name(pin["name"])] = " ".join(
                    [f"{pin['name']}=={pin['version']}", *hashes]
                )
        return found


def distributions_of(modules: Iterable[str]) -> set[str]:
    """The distributions of imported top-level modules, where they are installed: the project was checked with them.

    The engine is none of them: its modules come along by themselves.
    """
    installed = _installed()
    return {
        canonicalize_name(name) for module in modules if module != "bff" for name in installed.get(module, ())
    }


@cache
def _installed() -> Mapping[str, list[str]]:
    """The distributions of top-level modules; reading them takes longer than all else that a page's bundle needs."""
    return packages_distributions()


def _environment(python: str, arch: str) -> dict[str, str]:
    """What markers ask for, of CPython on Linux; of a version's releases the last is meant."""
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{python}.99",
        "os_name": "posix",
        "platform_machine": arch if arch == "x86_64" else "aarch64",
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{python}.99",
        "python_version": python,
        "sys_platform": "linux",
        "extra": "",
    }
