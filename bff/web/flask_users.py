"""Who may ask Flask which request it answers: modules of the project that know Flask, and who hears of log lines."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from bff.memo import memoized
from bff.modules import project_modules
from bff.web.journal import is_heard_elsewhere, operator, pages

_FOLDERS = ("clients", "orchestrations")
# `visitor_client` is of views by hand, and asks Flask too.
_NAMES_FLASK = re.compile(
    rb"""\b(?:from|import)\s+(?:[\w.]+\s*,\s*)*flask|import\w*\(\s*['"]flask|\bvisitor_client\b""",
    re.IGNORECASE,
)
_TOPS = ("flask", "werkzeug")


def project_asks_flask(root: Path) -> bool:
    """Whether a module of a project may look at Flask's request, by itself or by a package that it uses."""
    # Several apps of a project may be loaded, each with modules of its own: of those of one file one is looked at.
    modules = {str(module.__file__): module for module in project_modules(root)}
    files = set(map(Path, modules))
    files |= {path for folder in _FOLDERS for path in (root / folder).rglob("*.py")}
    if any(_NAMES_FLASK.search(path.read_bytes()) for path in files if path.is_file()):
        return True
    packages = {name.partition(".")[0] for module in modules.values() for name in _modules_of(module)}
    packages -= sys.stdlib_module_names | {"bff"}
    return any(_knows_flask(name) for name in sys.modules.copy() if name.partition(".")[0] in packages)


def listener_asks_flask() -> bool:
    """Whether somebody who hears of pages may look at Flask's request: a filter, a formatter, a handler."""
    if not is_heard_elsewhere():
        return False
    if logging.getLogRecordFactory() is not logging.LogRecord:
        return True
    return any(_knows_flask(_module_of(part)) for one in _listeners() for part in _parts(one))


def _listeners() -> Iterator[Any]:
    for logger in (pages, operator, logging.root):
        yield from logger.filters
        for handler in logger.handlers:
            yield handler
            yield from handler.filters
            if handler.formatter is not None:
                yield handler.formatter


def _parts(listener: Any) -> Iterator[Any]:
    """A listener, and what it holds: a formatter may be given functions that it calls."""
    yield listener
    for value in list(getattr(listener, "__dict__", {}).values()):
        yield from value if isinstance(value, list | tuple) else (value,)


def _module_of(part: Any) -> str:
    """Where the function or class of something was written."""
    part = getattr(part, "func", part)
    return getattr(part, "__module__", None) or type(part).__module__


@memoized(entries=512, longest=1024)
def _knows_flask(name: str) -> bool:
    """Whether Flask, or something of it, is among the names of a module."""
    module = sys.modules.get(name)
    return module is not None and any(
        found.partition(".")[0].partition("_")[0] in _TOPS for found in _modules_of(module)
    )


def _modules_of(module: ModuleType) -> Iterator[str]:
    """The modules that what a module names comes from."""
    for value in list(vars(module).values()):
        if isinstance(value, ModuleType):
            yield value.__name__
        elif isinstance(value, FunctionType | type):
            yield value.__module__ or ""
        else:
            yield type(value).__module__
