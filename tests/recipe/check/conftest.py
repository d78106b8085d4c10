"""A project of its own for each test: the fixture's clients and functions, and files of the test."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bff.recipe.check import check_folder

Check = Callable[[Mapping[str, str]], list[str]]
FIXTURE = Path(__file__).parent / "project"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FIXTURE, tmp_path / "project"))


@pytest.fixture
def check(root: Path) -> Check:
    """Writes files into the project and gives what `check` prints, one text for each finding."""

    def write_and_check(files: Mapping[str, str]) -> list[str]:
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return [str(finding) for finding in check_folder(root)[1]]

    return write_and_check
