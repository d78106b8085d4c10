"""The folder that `build` writes: anew each time, with what somebody has put into it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bff.errors import OperatorError

LIST: Final = ".built"
"""The file that lists what `build` has written into a folder."""


def write(files: Mapping[str, bytes], out: Path) -> None:
    """Write the folder anew; what somebody has put into it stays, and a folder of others is left alone."""
    added = _added_to(out)
    for name in sorted(added & files.keys()):
        raise OperatorError(
            f"{out / name} was not written by `build`, which would write it now: move it away"
        )
    beside = out.with_name(f".{out.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    for name, content in files.items():
        place = _place_for(name, beside)
        place.write_bytes(content)
        if content.startswith(b"#!"):
            place.chmod(0o755)
    (beside / LIST).write_text("".join(f"{name}\n" for name in sorted(files)), "utf-8")
    for name in added:
        shutil.copy2(out / name, _place_for(name, beside))
    if out.exists():
        shutil.rmtree(out)
    beside.rename(out)


def _place_for(name: str, folder: Path) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _added_to(out: Path) -> set[str]:
    """The files of an earlier build's folder that it did not write; raises OperatorError for another folder."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return set()
    if not (out / LIST).is_file():
        raise OperatorError(
            f"{out} holds something that `build` did not write: name another folder with --out"
        )
    written = {*(out / LIST).read_text("utf-8").splitlines(), LIST}
    found = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    return {name for name in found - written if not name.endswith(".pyc")}
