"""Writes new files, and never over one that is there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bff.errors import OperatorError


def write_new(folder: Path, files: Mapping[str, str]) -> None:
    """Make a folder of these files; raises OperatorError where it is there and holds something."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OperatorError(f"{folder} is there already, and holds something: name another folder")
    write_beside(folder, files)


def write_beside(folder: Path, files: Mapping[str, str]) -> None:
    """Put files into a folder; raises OperatorError, with nothing written, where one of them is there."""
    there = [name for name in files if (folder / name).exists()]
    if there:
        raise OperatorError(f"{folder / there[0]} is there already, and nothing is written over it")
    try:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
    except OSError as error:
        raise OperatorError(f"{folder} cannot be written: {error.strerror}") from None
