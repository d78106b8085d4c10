"""Wheels for the builds of tests: from a folder that outlives a run, instead of the registry again and again.

pip gets and verifies each of them once; from then on its hash finds it. What is unpacked is kept in memory for all
builds of a process.
"""

from __future__ import annotations

import fcntl
import hashlib
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from bff.cli.building import start
from bff.deploy import wheels
from tests.servers import ROOT

HOUSE = ROOT / ".local" / "wheels"
registry = wheels.fetched
"""What asks the registry, as builds outside of tests do."""

_Files = Mapping[str, bytes]


class Wheelhouse:
    """Takes the place of `wheels.fetched`."""

    def __init__(self) -> None:
        self._unpacked: dict[tuple[str, str, str], _Files] = {}

    def fetched(self, pins: Mapping[str, str], python: str, machine: str) -> dict[str, _Files]:
        new = {name: line for name, line in pins.items() if (line, python, machine) not in self._unpacked}
        for name, wheel in _in_house(new, python, machine).items():
            self._unpacked[new[name], python, machine] = wheels.unpacked(wheel)
        return {name: self._unpacked[line, python, machine] for name, line in pins.items()}


def _in_house(pins: Mapping[str, str], python: str, machine: str) -> dict[str, Path]:
    """Where each of these wheels is; one that is not there comes from the registry first."""
    folder = HOUSE / f"{python}-{machine}"
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        absent = [line for line in pins.values() if not _found(line, folder)]
        if absent:
            with tempfile.TemporaryDirectory(dir=folder) as arriving:
                wheels.download(absent, python, machine, Path(arriving))
                for wheel in Path(arriving).iterdir():
                    place = folder / hashlib.sha256(wheel.read_bytes()).hexdigest()
                    place.mkdir(exist_ok=True)
                    wheel.rename(place / wheel.name)
    return {name: _found(line, folder)[0] for name, line in pins.items()}


def _found(line: str, folder: Path) -> list[Path]:
    return [
        wheel
        for one in re.findall("--hash=sha256:([0-9a-f]+)", line)
        for wheel in (folder / one).glob("*.whl")
    ]


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Of several processes one fills a folder."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def in_place() -> Iterator[None]:
    """Builds take their wheels from the house meanwhile, and start once what they say the start of."""
    with patch.object(wheels, "fetched", Wheelhouse().fetched), patch.object(start, "_TRIES", 1):
        yield
