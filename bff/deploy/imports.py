"""Which files a bundle needs, read from what they import: of the engine, and of the project's own modules."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path

import bff

_FOLDER = Path(bff.__file__).parent
# What entries, servers, views by hand and client modules begin with; `bff` itself imports most by name at first use.
_BEGINNINGS = ("bff.http", "bff.web.alone", "bff.web.app", "bff.web.by_hand")
_OF_SERVING = ("bff.__main__", "bff.cli.command", "bff.cli.program", "bff.cli.serve")


@cache
def engine_files(*, serves: bool) -> Mapping[str, bytes]:
    """The modules of the engine that a page may load while it runs, by their path in a bundle.

    With `serves` those of `python -m bff serve` too.
    """

    def find(name: str) -> Path | None:
        if name.split(".")[0] != "bff" or _is_for_authors(name):
            return None
        return _file_of(_FOLDER.parent, name)

    names = (*_BEGINNINGS, *(_OF_SERVING if serves else ()))
    beginnings = [path for name in names if (path := find(name)) is not None]
    return _read(_FOLDER.parent, _reached(beginnings, _FOLDER.parent, find))


def _is_for_authors(name: str) -> bool:
    """Whether a module reads, checks or builds recipes: a bundle has none."""
    return name == "bff.plan.planning" or (name.startswith("bff.cli.") and name not in _OF_SERVING)


def project_files(root: Path, modules: Iterable[str]) -> dict[str, bytes]:
    """These modules of a project and those of it that they import, by path."""

    def find(name: str) -> Path | None:
        return None if name.split(".")[0] == "bff" else _file_of(root, name)

    return _read(root, _reached([root / module for module in modules], root, find))


def _reached(beginnings: Iterable[Path], root: Path, find: Callable[[str], Path | None]) -> set[Path]:
    """The files that these import, themselves and the packages around them among them."""
    found: set[Path] = set()
    waiting = list(beginnings)
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        around = (folder / "__init__.py" for folder in path.relative_to(root).parents)
        waiting += [root / init for init in around if (root / init).is_file()]
        waiting += [other for name in _imported(path.read_bytes()) if (other := find(name)) is not None]
    return found


def imported_from(sources: Mapping[str, bytes]) -> set[str]:
    """The top-level modules that these files import from anywhere."""
    return {name.partition(".")[0] for source in sources.values() for name in _imported(source)}


@lru_cache(maxsize=1024)
def _imported(source: bytes) -> tuple[str, ...]:
    """The names of all modules that a file imports, at its top or in a function; each file is read once for a build."""
    found: list[str] = []
    for node in _statements(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found += (node.module, *(f"{node.module}.{name.name}" for name in node.names))
    return tuple(found)


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """All statements, also of functions and classes, but for those under `TYPE_CHECKING`, which run nowhere."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            waiting += node.orelse
            continue
        yield node
        for block in ("body", "handlers", "cases", "orelse", "finalbody"):
            waiting += getattr(node, block, ())


def _file_of(root: Path, name: str) -> Path | None:
    place = root.joinpath(*name.split("."))
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


def _read(root: Path, paths: Iterable[Path]) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(paths)}
