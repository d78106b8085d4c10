"""Imports a project's own Python files, each load anew, so that two projects (or two states of one) never mix."""

from __future__ import annotations

import importlib.util
import inspect
import itertools
import os
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from bff.errors import Finding, Place

_FOLDERS = ("clients", "orchestrations")
_ENGINE = Path(__file__).parent
_OS = ("<frozen os>", os.__file__)
_OWN_NAME = "_bff_project_"
_loads = itertools.count(1)
# sys.path and sys.modules belong to the whole process.
_importing = threading.RLock()


class _FreshLoader(SourceFileLoader):
    """Reads the source itself: bytecode is told apart by whole seconds, and a file changes faster than that."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


@contextmanager
def importing_from(root: Path) -> Iterator[None]:
    """Within, `import clients._x` finds the project's file, read anew; afterwards it is as if it never was."""
    with _importing:
        saved = {name: sys.modules.pop(name) for name in _project_modules()}
        sys.path.insert(0, str(root))
        writes_bytecode = sys.dont_write_bytecode
        sys.dont_write_bytecode = True
        try:
            yield
        finally:
            sys.dont_write_bytecode = writes_bytecode
            sys.path.remove(str(root))
            for name in _project_modules():
                del sys.modules[name]
            sys.modules.update(saved)
            # A function that imports a sibling while it runs must still find it.
            if str(root) not in sys.path:
                sys.path.append(str(root))


def _project_modules() -> list[str]:
    return [name for name in list(sys.modules) if name.split(".")[0] in _FOLDERS]


def import_file(path: Path, root: Path, *, fresh: bool = True) -> tuple[ModuleType | None, list[Finding]]:
    """The module of a file, under a name of its own; an exception in it is a finding at its line.

    One that is not `fresh` comes from its bytecode, where there is some: nobody edits a bundle.
    """
    name = f"{_OWN_NAME}{next(_loads)}_{re.sub(r'[^A-Za-z0-9_]', '_', path.stem)}"
    spec = importlib.util.spec_from_file_location(
        name, path, loader=(_FreshLoader if fresh else SourceFileLoader)(name, str(path))
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and pickles look their module up by name.
    sys.modules[name] = module
    if fresh:
        importlib.invalidate_caches()
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        return None, [_finding(error, path, root)]
    return module, []


def is_of_project(function: FunctionType) -> bool:
    """Whether a function stands in a file that `import_file` has read."""
    return function.__module__.startswith(_OWN_NAME)


def _finding(error: BaseException, path: Path, root: Path) -> Finding:
    """What an exception at import says, at the innermost line of the project that it came through."""
    file, line = path, 1
    for frame in traceback.extract_tb(error.__traceback__):
        if Path(frame.filename).is_relative_to(root):
            file, line = Path(frame.filename), frame.lineno or 1
    column = 1
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).is_relative_to(root):
        file, line, column = Path(error.filename), error.lineno or 1, error.offset or 1
    source = line_of(file, line)
    if column == 1:
        column = len(source) - len(source.lstrip()) + 1
    place = Place(file.relative_to(root).as_posix(), line, column)
    length = 1 if isinstance(error, SyntaxError) else len(source.strip()) or 1
    words = _words(error)
    hint = "" if words else "what it says is left out: that may be a secret"
    return Finding(place, f"{type(error).__name__}{words}", source, length, hint)


# Python makes the texts of these of names, not of values.
_WITHOUT_VALUES = (SyntaxError, ImportError, NameError, AttributeError, TypeError, ArithmeticError)


def _words(error: BaseException) -> str:
    """What an exception says, where that cannot hold a value that the module has read, such as a secret."""
    if isinstance(error, SyntaxError):
        return f": {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    file = frames[-1].filename if frames else ""
    # Ours name no value; of os.environ the text is the name of the variable that is missing.
    known = Path(file).is_relative_to(_ENGINE) or (isinstance(error, KeyError) and file in _OS)
    return f": {error}" if known or isinstance(error, _WITHOUT_VALUES) else ""


def line_of(path: Path, line: int) -> str:
    """A line of a Python file, '' when it has none of that number."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[line - 1] if 0 < line <= len(lines) else ""


def public_functions(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """The functions that a module defines itself, without those whose names begin with _."""
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and inspect.isfunction(value) and value.__module__ == module.__name__
    }


def place_of_function(function: Callable[..., Any], root: Path) -> Finding:
    """A finding without message at the `def` of a function."""
    code = function.__code__
    path = Path(code.co_filename)
    line = code.co_firstlineno
    # With decorators the code begins at the first of them.
    pattern = re.compile(rf"\s*(async\s+)?def\s+({re.escape(function.__name__)})\b")
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    for number in range(line, len(lines) + 1):
        if match := pattern.match(lines[number - 1]):
            place = Place(path.relative_to(root).as_posix(), number, match.start(2) + 1)
            return Finding(place, "", lines[number - 1], len(function.__name__))
    return Finding(Place(path.relative_to(root).as_posix(), line, 1), "", line_of(path, line))
