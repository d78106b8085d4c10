"""Imports a project's own Python files, each load anew, so that two projects (or two states of one) never mix.

A load is a package of a private name, and the only one that knows it: what its files import of `clients` and
`orchestrations` is found below it, also while a function runs. Nothing that the process shares is changed for that,
neither `sys.path` nor a module that others import; so loads may run in several threads at once.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import itertools
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from bff.errors import Finding, Place
from bff.text import nearest

_FOLDERS = frozenset({"clients", "orchestrations"})
_OS = ("<frozen os>", os.__file__)
_OWN_NAME = "_bff_project_"
_ENGINE = Path(__file__).parent
_loads = itertools.count(1)


class ProjectModules:
    """One load of a project's files.

    With `fresh`, as they are now; else from their bytecode, where there is some: nobody edits a bundle.
    """

    def __init__(self, root: Path, *, fresh: bool = True) -> None:
        self.root = root
        self.name = f"{_OWN_NAME}{next(_loads)}"
        self._loader = _FreshLoader if fresh else _Loader
        self._builtins = {**vars(builtins), "__import__": self._import}
        self._own = dict.fromkeys(_FOLDERS, True)
        sys.modules[self.name] = _Package(self)

    def load(self, path: Path) -> tuple[ModuleType | None, list[Finding]]:
        """The module of a file in the project; an exception in it is a finding at its line."""
        parts = path.relative_to(self.root).with_suffix("").parts
        try:
            return importlib.import_module(".".join((self.name, *parts))), []
        except (Exception, SystemExit) as error:
            return None, [_finding(error, path, self.root)]

    def spec_of(self, name: str) -> ModuleSpec | None:
        """Where a module or package of this load stands; None where there is no such file or folder."""
        base = self.root.joinpath(*name.split(".")[1:])
        for path, inside in ((base / "__init__.py", []), (base.with_name(f"{base.name}.py"), None)):
            if path.is_file():
                loader = self._loader(name, str(path), self._builtins)
                return importlib.util.spec_from_file_location(
                    name, path, loader=loader, submodule_search_locations=inside
                )
        if not base.is_dir():
            return None
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = []
        return spec

    def _import(
        self,
        name: str,
        of: Mapping[str, object] | None = None,
        names: Mapping[str, object] | None = None,
        wanted: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """What `import` does in files of this load: what is the project's own is found below the load's package."""
        top = name.partition(".")[0]
        if level or not self._is_own(top):
            return builtins.__import__(name, of, names, wanted or (), level)
        try:
            found = importlib.import_module(f"{self.name}.{name}")
            if not wanted:  # `import clients._x` binds `clients`
                return sys.modules[f"{self.name}.{top}"]
            return builtins.__import__(found.__name__, of, names, wanted)
        except ModuleNotFoundError as error:
            if error.name is None or not error.name.startswith(self.name):
                raise
            missing = error.name.removeprefix(f"{self.name}.")
            raise ModuleNotFoundError(f"No module named '{missing}'", name=missing) from None

    def _is_own(self, top: str) -> bool:
        """Whether a name stands for the project's own: its two folders, and beside them what nothing else is called."""
        own = self._own.get(top)
        if own is None:
            here = self.spec_of(f"{self.name}.{top}")
            own = self._own[top] = (
                here is not None and here.origin is not None and _is_strange(top, self.root)
            )
        return own


def _is_strange(top: str, root: Path) -> bool:
    """Whether Python finds nothing by a name, or only what stands in the folder of another project."""
    try:
        known = sys.modules.get(top)
        origin = getattr(known, "__file__", None) or getattr(importlib.util.find_spec(top), "origin", None)
    except (ImportError, ValueError):
        return True
    if origin is None or not Path(origin).is_file():
        return known is None
    folder = Path(origin).parent
    folder = folder.parent if Path(origin).name == "__init__.py" else folder
    return (folder / "orchestrations").is_dir() and folder.resolve() != root.resolve()


class _Package(ModuleType):
    """The package of a load; the finder below knows the load by it."""

    def __init__(self, modules: ProjectModules) -> None:
        super().__init__(modules.name)
        self.modules = modules
        self.__path__: list[str] = []  # so Python's own finders look nowhere


class _Finder:
    """Finds what is below the package of a load; it is asked last, and knows no other name."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        package = sys.modules.get(name.partition(".")[0])
        return package.modules.spec_of(name) if isinstance(package, _Package) else None


sys.meta_path.append(_Finder())


class _Loader(SourceFileLoader):
    """Runs a file of a project, whose `import` is its load's; writes no bytecode beside it."""

    def __init__(self, name: str, path: str, names: Mapping[str, object]) -> None:
        super().__init__(name, path)
        self._names = names

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = (
            self._names
        )  # where Python looks `import` up, for each module by itself
        super().exec_module(module)

    def set_data(self, path: Any, data: Any, *, _mode: int = 0o666) -> None:
        """Keeps bytecode nowhere: the layer writes no file."""


class _FreshLoader(_Loader):
    """Reads the source itself: bytecode is told apart by whole seconds, and a file changes faster than that."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


def project_modules(root: Path) -> Iterator[ModuleType]:
    """The modules that have been loaded from a project's folder, by whatever load of it."""
    below = f"{root}{os.sep}"
    for name, module in sys.modules.copy().items():  # another thread may load one meanwhile
        if name.startswith(_OWN_NAME) and (getattr(module, "__file__", None) or "").startswith(below):
            yield module


def is_of_project(function: FunctionType) -> bool:
    """Whether a function stands in a file of a project."""
    return function.__module__.startswith(_OWN_NAME)


def _finding(error: BaseException, path: Path, root: Path) -> Finding:
    """What an exception at import says, at the innermost line of the project that it came through."""
    file, line = path, 1
    for frame in traceback.extract_tb(error.__traceback__):
        if Path(frame.filename).is_relative_to(root) and _ENGINE not in Path(frame.filename).parents:
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
    hint = _argument_meant(error) if words else "what it says is left out: that may be a secret"
    return Finding(place, f"{type(error).__name__}{words}", source, length, hint)


_UNKNOWN_ARGUMENT = re.compile(r"(\w+)(?:\.__init__)?\(\) got an unexpected keyword argument '(\w+)'")
_MEANT = re.compile(r"\. Did you mean '\w+'\?\Z")
"""The cure that Python has from 3.13 on, in place of which stands one for every version."""


def _argument_meant(error: BaseException) -> str:
    """The cure of a call by an argument that there is not: the one of the nearest name, or all."""
    import inspect

    found = _UNKNOWN_ARGUMENT.fullmatch(_MEANT.sub("", str(error))) if isinstance(error, TypeError) else None
    if found is None or error.__traceback__ is None:
        return ""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    try:
        known = list(inspect.signature(frame.f_globals[found[1]]).parameters)
    except (KeyError, TypeError, ValueError):
        return ""
    near = nearest(found[2], known)
    return f"did you mean '{near}'?" if near else f"it takes: {', '.join(known)}"


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
    if not known and not isinstance(error, _WITHOUT_VALUES):
        return ""
    text = _MEANT.sub("", str(error)) if isinstance(error, TypeError) else str(error)
    return ": " + re.sub(rf"{_OWN_NAME}\d+\.", "", text)


def line_of(path: Path, line: int) -> str:
    """A line of a Python file, '' when it has none of that number."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[line - 1] if 0 < line <= len(lines) else ""


def public_functions(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """The functions that a module defines itself, without those whose names begin with _."""
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_")
        and isinstance(value, FunctionType)
        and value.__module__ == module.__name__
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
