"""Whatever installs pins takes wheels that their hashes cover, and runs no code of a source distribution."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

_ONLY_WHEELS = {"--require-hashes", "--only-binary=:all:"}
_PIP = re.compile(r"(?:-m pip|^pip)\b.*\b(?:install|download)\b.*")


def commands_of(text: str) -> list[str]:
    """The commands of a text that have pip install or download, each as one line."""
    lines = text.replace("\\\n", " ").splitlines()
    return [found[0] for line in lines if (found := _PIP.search(line))]


@pytest.mark.parametrize("target", ["run", "install", "install-backend", "install-hosts", "fuzz"])
def test_make_installs_wheels_alone(target: str, tmp_path: Path) -> None:
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt", "requirements-local.txt"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("deploy", "browser"):
        shutil.copytree(ROOT / "tests" / name, tmp_path / "tests" / name)
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    commands = commands_of(done.stdout)
    assert commands
    assert [command for command in commands if not set(command.split()) >= _ONLY_WHEELS] == []


def test_the_documents_install_pins_as_wheels_alone() -> None:
    texts = [path.read_text("utf-8") for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md"))]
    commands = [command for text in texts for command in commands_of(text) if " -r " in command]
    assert commands
    assert [command for command in commands if not set(command.split()) >= _ONLY_WHEELS] == []


@pytest.mark.parametrize("module", ["benchmarks/installing.py", "bff/deploy/wheels.py"])
def test_what_calls_pip_by_itself_asks_for_wheels_alone(module: str) -> None:
    source = (ROOT / module).read_text("utf-8")
    assert '"pip"' in source
    assert all(f'"{option}"' in source for option in _ONLY_WHEELS)


def test_no_other_module_calls_pip() -> None:
    folders = (ROOT / name for name in ("bff", "benchmarks", "clients", "orchestrations", "tests"))
    calling = {
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in folder.rglob("*.py")
        if path.name != Path(__file__).name and re.search(r'"-m", "pip"', path.read_text("utf-8"))
    }
    assert calling == {"benchmarks/installing.py", "bff/deploy/wheels.py"}
