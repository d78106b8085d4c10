"""The app of a project while it is written: that of its wsgi.py, loaded anew when a module of it changes."""

from __future__ import annotations

import importlib
import os
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from flask import Flask

from bff.dev.asking import Visitor, cookie_of
from bff.dev.kept import KeptReplies
from bff.dev.pages import DevPages
from bff.dev.watching import watch
from bff.errors import OperatorError
from bff.settings import Settings
from bff.traces import trace_of
from bff.web.app import create_app
from bff.web.identity import COOKIE
from bff.web.observing import counting
from bff.web.site import Site, loading

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_ENTRY = "wsgi"
_LOCAL = re.compile(r"(?:127\.0\.0\.1|(?:[\w-]+\.)*localhost)(?::\d+)?")
Stamp = dict[str, int]


class DevApp:
    """A WSGI app whose project is followed: recipes and clients by its site, what wsgi.py imports by itself.

    Who has not signed in is the `visitor`, if there is one.
    """

    def __init__(
        self, folder: Path, pages: DevPages, write: Callable[[str], None], visitor: Visitor | None = None
    ) -> None:
        self._folder = folder
        self._pages = pages
        self._write = write
        self._visitor = visitor
        self._kept = KeptReplies()
        self._lock = threading.Lock()
        self._app = self._load()
        self._stamp = self._stamp_now()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        sent = environ.get("HTTP_COOKIE", "")
        if self._visitor is not None and f"{COOKIE.plain}=" not in sent and _is_local(environ):
            (key, *_) = Settings.from_environ(os.environ).session_keys
            environ["HTTP_COOKIE"] = "; ".join(filter(None, (sent, cookie_of(self._visitor, key))))
        return self._app(environ, start_response)

    @property
    def site(self) -> Site:
        site: Site = self._app.extensions["bff"]
        return site

    def refresh(self) -> None:
        """Take in what has changed, although nobody asks for a page."""
        with self._lock:
            stamp = self._stamp_now()
            if stamp != self._stamp:
                self._stamp = stamp
                self._load_anew()
        self.site.refresh()

    def kept_in(self, entry: Mapping[str, Any]) -> list[str]:
        """The steps of a page's log entry that kept replies have answered."""
        page = self.site.pages.get(entry["page"])
        return self._kept.take(() if page is None else page.plan.requests, entry["steps"])

    def _load(self) -> Flask:
        ways = loading.set(self._pages.load), counting.set(self._kept)
        try:
            app = importlib.import_module(_ENTRY).app if self._has_entry else create_app(self._folder)
        finally:
            loading.reset(ways[0])
            counting.reset(ways[1])
        if not (isinstance(app, Flask) and isinstance(app.extensions.get("bff"), Site)):
            raise OperatorError("the app of wsgi.py is none of create_app()")
        watch(app, self._pages, self._write)
        return app

    @property
    def _has_entry(self) -> bool:
        return (self._folder / f"{_ENTRY}.py").is_file()

    def _load_anew(self) -> None:
        """Load wsgi.py and what it imports of the project; where that fails, the app of before goes on."""
        before = {module.__name__: module for module in self._modules()}
        for name in before:
            del sys.modules[name]
        importlib.invalidate_caches()
        try:
            self._app = self._load()
        except SystemExit as error:
            self._failed(before, str(error))
        except Exception as error:
            self._failed(before, f"{type(error).__name__} in wsgi.py\n{trace_of(error)}")
        else:
            self._write("wsgi.py has changed; it is loaded anew")

    def _failed(self, before: dict[str, ModuleType], why: str) -> None:
        sys.modules.update(before)
        self._write(f"{why}\nwsgi.py needs a look; what it was goes on")

    def _modules(self) -> Iterator[ModuleType]:
        """wsgi.py and the modules beside it, but the engine, the project's own loads and what is installed."""
        for name, module in sys.modules.copy().items():
            top, file = name.partition(".")[0], getattr(module, "__file__", None)
            if file is None or top in ("bff", "__main__") or top.startswith("_bff_project_"):
                continue
            path = Path(file)
            if path.is_relative_to(self._folder) and "site-packages" not in path.parts:
                yield module

    def _stamp_now(self) -> Stamp:
        files = {str(module.__file__) for module in self._modules()}
        files |= {str(self._folder / f"{_ENTRY}.py")} if self._has_entry else set()
        found: Stamp = {}
        for file in files:
            try:
                found[file] = os.stat(file).st_mtime_ns
            except FileNotFoundError:  # an editor took it away in this moment
                found[file] = 0
        return found


def _is_local(environ: WSGIEnvironment) -> bool:
    """Whether a request names this machine; what another site has had resolved to it does not."""
    return _LOCAL.fullmatch(environ.get("HTTP_HOST", "")) is not None


@contextmanager
def project_path(folder: Path) -> Iterator[None]:
    """The folder as the working one, and first where Python looks for modules."""
    before = os.getcwd()
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        os.chdir(before)
