"""The package that people install: what its wheel has, and that its ranges and the tested pins agree."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from email.message import Message
from email.parser import BytesParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import bff
from tests.conftest import ROOT

INFO = f"bff_recipes-{bff.__version__}.dist-info"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    [path] = folder.iterdir()
    assert path.name == f"bff_recipes-{bff.__version__}-py3-none-any.whl"
    return zipfile.ZipFile(path)


def metadata(wheel: zipfile.ZipFile) -> Message:
    return BytesParser().parsebytes(wheel.read(f"{INFO}/METADATA"))


def test_the_wheel_has_the_engine_alone(wheel: zipfile.ZipFile) -> None:
    files = {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "bff").rglob("*.*") if path.suffix != ".pyc"
    }
    names = {name for name in wheel.namelist() if not name.startswith(f"{INFO}/")}
    assert names == {*files, "bff/deploy/lock.txt"}


def test_the_wheel_brings_the_tested_pins_along(wheel: zipfile.ZipFile) -> None:
    assert wheel.read("bff/deploy/lock.txt") == (ROOT / "requirements.txt").read_bytes()


def test_the_wheel_tells_type_checkers_that_it_is_typed(wheel: zipfile.ZipFile) -> None:
    assert wheel.read("bff/py.typed") == b""


def test_both_commands_are_the_same(wheel: zipfile.ZipFile) -> None:
    scripts = wheel.read(f"{INFO}/entry_points.txt").decode()
    assert scripts == "[console_scripts]\nbff = bff.cli:main\nbff-recipes = bff.cli:main\n"


def test_every_pin_is_within_the_range_that_the_package_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    asked = [*project["dependencies"], *(one for extra in extras for one in extra)]
    ranges = {canonicalize_name(one.name): one.specifier for one in map(Requirement, asked)}
    pins = {
        canonicalize_name(name): version
        for file in ("requirements.in", "requirements-dev.in")
        for name, _, version in (line.partition("==") for line in lines(ROOT / file))
    }
    assert {name for name in pins if name not in ranges} == {
        canonicalize_name(line.partition("==")[0])
        for line in lines(ROOT / "requirements-dev.in")
        if not line.startswith(("opentelemetry", "pytest==", "responses"))
    }
    assert [name for name, found in ranges.items() if pins[name] not in found] == []


def test_tools_are_pinned_beside_all_that_runs() -> None:
    runs, with_tools = (
        set((ROOT / name).read_text("utf-8").splitlines())
        for name in ("requirements.txt", "requirements-dev.txt")
    )
    assert runs - with_tools == set()


def test_the_extras_are_what_the_documents_name(wheel: zipfile.ZipFile) -> None:
    assert metadata(wheel).get_all("Provides-Extra") == [
        "graphql",
        "jwt",
        "metrics",
        "patterns",
        "redis",
        "serve",
        "test",
        "tracing",
    ]


def lines(path: Path) -> list[str]:
    return [line for line in path.read_text("utf-8").splitlines() if "==" in line]
