"""`build`: pages in compiled form, in a folder that runs by itself."""

from __future__ import annotations

import shutil
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from bff.deploy import TARGETS, Bundle, bundle_of
from bff.errors import OperatorError
from bff.settings import KIB, MIB
from bff.text import counted

LIST: Final = ".built"
"""The file that lists what `build` has written into a folder."""


def build(root: Path, pages: Sequence[str], target: str, out: Path) -> int:
    """Write what a target makes of some pages, or of all where none are named, and say what was written."""
    if target not in TARGETS:
        raise OperatorError(f"no target {target}; there are: {', '.join(TARGETS)}")
    bundle = bundle_of(root, list(pages) or None)
    files = TARGETS[target](bundle)
    _write(files, out)
    for line in _table(files):
        print(line)
    for line in _environment(bundle):
        print(line)
    what = f"{counted(len(bundle.pages), 'page')} for {target} in {out}"
    print(f"{what}: {len(files)} files, {_size(sum(map(len, files.values())))}", file=sys.stderr)
    return 0


def _write(files: Mapping[str, bytes], out: Path) -> None:
    """Write the folder anew; what somebody has put into it stays, and a folder of others is left alone."""
    added = _added_to(out)
    for name in sorted(added & files.keys()):
        raise OperatorError(
            f"{out / name} was not written by `build`, which would write it now: move it away"
        )
    beside = out.with_name(f".{out.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    for name, content in files.items():
        _place_for(name, beside).write_bytes(content)
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


def _table(files: Mapping[str, bytes]) -> Iterator[str]:
    """A line for each file; those of a folder, with their bytecode, are one."""
    sizes: dict[str, list[int]] = defaultdict(list)
    for name, content in files.items():
        head, slash, _ = name.replace("__pycache__/", "").partition("/")
        if name.startswith("__pycache__/"):
            head = f"{head.partition('.')[0]}.py"
        sizes[head + slash].append(len(content))
    for name, found in sorted(sizes.items()):
        count = f" ({len(found)} files)" if len(found) > 1 else ""
        yield f"{_size(sum(found)):>10}  {name}{count}"


def _environment(bundle: Bundle) -> Iterator[str]:
    for name, default in sorted(bundle.variables.items()):
        yield f"{name} must be set" if default is None else f"{name} is {default} unless set"


def _size(count: int) -> str:
    if count < KIB:
        return f"{count} B"
    return f"{count / KIB:.1f} KiB" if count < MIB else f"{count / MIB:.1f} MiB"
