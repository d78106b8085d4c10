"""The files of pinned distributions, from the wheels for the host's platform; pip gets and verifies them."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from email.parser import HeaderParser
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from bff.deploy.pins import Pins
from bff.errors import OperatorError

GLIBC, NEWER = 26, 28
"""The oldest glibc 2.x of the hosts (AWS's Python 3.11 on Amazon Linux 2), and the oldest of all others: what has no
wheel for the one is taken for the other, and does not go to AWS's Python 3.11."""
NEWER_ALONE = frozenset({"google-re2"})

_ONLY_WHEELS = "--only-binary=:all:"
"""An option of pip, in commands and files alike: a source distribution would run code that no hash covers."""
_OLD_NAMES = {"x86_64": ("manylinux2014", "manylinux2010", "manylinux1"), "aarch64": ("manylinux2014",)}
# Tests and type stubs that some wheels bring, and what pip writes about an installation: nobody imports them.
_LEFT_OUT = re.compile(
    r"\.(pyi|pyx|pxd|c|h)$|\.dist-info/(RECORD|WHEEL|direct_url\.json|top_level\.txt)$|(^|/)tests?/"
)


class Wheels:
    """Unpacked wheels by distribution; each is fetched once for all functions of a build."""

    def __init__(self, pins: Pins, python: str, arch: str) -> None:
        self.pins = pins
        self._python = python
        self._machine = "x86_64" if arch == "x86_64" else "aarch64"
        self._unpacked: dict[str, Mapping[str, bytes]] = {}

    def files(
        self, names: Iterable[str], without: frozenset[str] = frozenset()
    ) -> dict[str, dict[str, bytes]]:
        """The files of these distributions and of all that they need, by distribution and path.

        `without` are left out, whatever needs them. Raises OperatorError where one is not pinned, or has no wheel.
        """
        found: dict[str, dict[str, bytes]] = {}
        waiting = set(names) - without
        while waiting:
            self._fetch(waiting - self._unpacked.keys())
            found |= {name: dict(self._unpacked[name]) for name in waiting}
            needed = {other for name in waiting for other in self._needs(name)}
            waiting = needed - found.keys() - without
        return dict(sorted(found.items()))

    def pins_of(self, names: Iterable[str]) -> str:
        """A requirements.txt of these distributions and of all that they need, for a host that installs by itself."""
        return f"{_ONLY_WHEELS}\n{self.lines(self.files(names))}"

    def lines(self, names: Iterable[str]) -> str:
        """A requirements.txt of these distributions alone."""
        return "".join(f"{self.pins.line(name)}\n" for name in sorted(names))

    def _needs(self, name: str) -> Iterator[str]:
        metadata = next(
            (raw for path, raw in self._unpacked[name].items() if path.endswith(".dist-info/METADATA")), b""
        )
        for text in HeaderParser().parsestr(metadata.decode("utf-8")).get_all("Requires-Dist", []):
            requirement = Requirement(text)
            if self.pins.applies(requirement.marker):
                yield canonicalize_name(requirement.name)

    def _fetch(self, names: set[str]) -> None:
        if names:
            pins = {name: self.pins.line(name) for name in sorted(names)}
            self._unpacked |= fetched(pins, self._python, self._machine)


def fetched(pins: Mapping[str, str], python: str, machine: str) -> dict[str, Mapping[str, bytes]]:
    """The unpacked wheels of pinned distributions by name; raises OperatorError where one has none for the host."""
    with tempfile.TemporaryDirectory() as folder:
        download(pins.values(), python, machine, Path(folder))
        return {parse_wheel_filename(wheel.name)[0]: unpacked(wheel) for wheel in Path(folder).glob("*.whl")}


def download(lines: Iterable[str], python: str, machine: str, folder: Path) -> None:
    """Get the wheels of requirements with hashes, without what they need; raises OperatorError with pip's reason."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as pinned:
        pinned.write("".join(f"{line}\n" for line in lines))
        pinned.flush()
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        command += ["--no-deps", "--require-hashes", _ONLY_WHEELS, "--implementation", "cp"]
        command += ["--python-version", python, "--dest", str(folder), "--requirement", pinned.name]
        command += [part for platform in _platforms(machine) for part in ("--platform", platform)]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise OperatorError(f"no wheels for Python {python} on {machine}: {_reason(done.stderr)}")


def _platforms(machine: str) -> Iterator[str]:
    yield from (f"manylinux_2_{minor}_{machine}" for minor in range(GLIBC, 4, -1))
    yield from (f"{name}_{machine}" for name in _OLD_NAMES[machine])
    yield from (f"manylinux_2_{minor}_{machine}" for minor in range(NEWER, GLIBC, -1))


def _reason(said: str) -> str:
    """The last of pip's errors, in one line."""
    errors = [line.partition(" ")[2] for line in said.splitlines() if line.startswith("ERROR: ")]
    return errors[-1] if errors else " ".join(said.split()) or "pip does not say why"


def unpacked(wheel: Path) -> dict[str, bytes]:
    """What a wheel installs for imports; its scripts, headers and data stay out (PEP 427)."""
    found = {}
    with ZipFile(wheel) as archive:
        for name in archive.namelist():
            head, _, rest = name.partition("/")
            if head.endswith(".data"):
                kind, _, rest = rest.partition("/")
                path = rest if kind in ("purelib", "platlib") else ""
            else:
                path = name
            if path and not path.endswith("/") and not _LEFT_OUT.search(path):
                found[path] = archive.read(name)
    return found
