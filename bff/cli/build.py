"""`build`: pages in compiled form, in a folder that runs by itself."""

from __future__ import annotations

import shutil
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bff.compiled import FILE
from bff.deploy import TARGETS, Bundle, bundle_of
from bff.errors import OperatorError
from bff.settings import KIB, MIB


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
    what = f"{_count(len(bundle.pages), 'page')} for {target} in {out}"
    print(f"{what}: {len(files)} files, {_size(sum(map(len, files.values())))}", file=sys.stderr)
    return 0


def _write(files: Mapping[str, bytes], out: Path) -> None:
    """Write the folder anew; one that is not of an earlier build is left alone."""
    if out.exists() and not _is_ours(out):
        raise OperatorError(
            f"{out} holds something that `build` did not write: name another folder with --out"
        )
    beside = out.with_name(f".{out.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    for name, content in files.items():
        path = beside / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    if out.exists():
        shutil.rmtree(out)
    beside.rename(out)


def _is_ours(out: Path) -> bool:
    if not out.is_dir():
        return False
    return not any(out.iterdir()) or ((out / FILE).is_file() and not any(out.glob("orchestrations/*.yaml")))


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


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
