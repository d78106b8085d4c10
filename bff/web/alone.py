"""What a built folder exports: the door alone. Flask and its app come with the first request that needs them.

A health check needs neither: a host may ask for one before the first page.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from bff import forks
from bff.recipe.model import Recipe
from bff.web.assembly import Assembly, load_site
from bff.web.bodies import body_seconds
from bff.web.flask_users import project_asks_flask
from bff.web.health import CHECKS, tell
from bff.web.hosts import is_plain_host
from bff.web.paths import is_canonical
from bff.web.routes import may_meet
from bff.web.site import Page
from bff.web.table import Table

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from flask import Flask

# What is answered beside pages and files; to the last it may be.
_TAKEN = ("/", *CHECKS, "/metrics")


def open_door(root: str | os.PathLike[str]) -> WSGIApplication:
    """What answers for a folder of pages: a door, or Flask's app at once where somebody may look on.

    Raises AuthorError or OperatorError with all that is wrong.
    """
    made = load_site(Path(root).resolve(), None, os.environ, None)
    if made.site.follows_files or _is_flask_loaded() or project_asks_flask(made.site.root):
        from bff.web.app import flask_app

        return flask_app(made)
    return DoorAlone(made)


def _is_flask_loaded() -> bool:
    return "flask" in sys.modules


class Unwatched:
    """The watch where Flask is not loaded: nobody can look on, and no path is a view's or taken for a file's."""

    def __init__(self, made: Assembly) -> None:
        pages = made.site.pages.values()
        self._is_whole = all(_is_its_own(page.recipe) for page in pages)
        self.table = Table(
            (page.recipe.path, made.answerers.of(page)) for page in pages if _is_its_own(page.recipe)
        )

    def sees_nobody(self) -> bool:
        return not _is_flask_loaded()

    def gives_index(self, path: str) -> bool:
        return self.gives_file(path)

    def gives_file(self, path: str) -> bool:
        return self._is_whole and path not in _TAKEN[1:] and self.find("GET", path) is None

    def find(self, method: str, path: str) -> Page | None:
        """The page of a method and path."""
        page = self.table.pages.get((method, path))
        if page is None and (found := self.table.find(method, path)) is not None:
            page, _ = found
        return None if page is None else page.page


def _is_its_own(recipe: Recipe) -> bool:
    """Whether no path of a page is also one that somebody else answers."""
    if recipe.method != "GET":
        return True
    return not any(rule == recipe.path or may_meet(rule, recipe.path) for rule in _TAKEN)


def _is_plain_check(environ: WSGIEnvironment) -> bool:
    """Whether a request is a health check that Flask's routing would find, and nobody looks on."""
    return (
        environ.get("PATH_INFO") in CHECKS
        and environ["REQUEST_METHOD"] in ("GET", "HEAD")
        and is_plain_host(environ.get("HTTP_HOST") or "")
        and environ.keys().isdisjoint(("HTTP_UPGRADE", "werkzeug.debug.preserve_context"))
        and is_canonical(environ)
        and not _is_flask_loaded()
    )


class DoorAlone:
    """The WSGI app whose door needs no Flask, until a request is for something else; then it is that of Flask.

    `extensions` has the site, as that of a Flask app.
    """

    def __init__(self, made: Assembly) -> None:
        self.extensions = {"bff": made.site}
        self._made = made
        self._lock = threading.Lock()
        self._app: Flask | None = None
        watch = Unwatched(made)
        made.site.body_seconds = body_seconds(watch.find, made.settings)
        self._answer = made.in_front_of(self._dispatch, watch)
        forks.renew_in_child(self)

    def begin_anew(self) -> None:
        """Nobody makes an app in a child of this process."""
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._answer(environ, start_response)

    def _dispatch(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer what is for no page."""
        if self._app is None and _is_plain_check(environ):
            return tell(self._made.site, self._made.frame, environ, start_response)
        return self._by_flask(environ, start_response)

    def _by_flask(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Have Flask answer, by an app that is made once; all that comes later goes to that app."""
        with self._lock:
            if self._app is None:
                from bff.web.app import flask_app

                self._app = flask_app(self._made)
                self._answer = self._app.wsgi_app
        # Its own dispatch: what stands before that the request has passed.
        return type(self._app).wsgi_app(self._app, environ, start_response)
