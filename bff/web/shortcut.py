"""The short way to a file: answered before Flask is asked, where nobody could tell the difference."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from flask import Flask, signals
from flask.sessions import SecureCookieSessionInterface
from werkzeug.exceptions import HTTPException

from bff.web.files import INDEX, File, Files
from bff.web.paths import is_canonical, is_tidy

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# What makes an answer more than the file: a part of it, a comparison, a test that looks at the request afterwards.
_NOT_PLAIN = (
    "HTTP_RANGE",
    "HTTP_IF_NONE_MATCH",
    "HTTP_IF_MODIFIED_SINCE",
    "HTTP_X_REQUEST_ID",
    "werkzeug.debug.preserve_context",
)
_HOOKS = (
    "before_request_funcs",
    "after_request_funcs",
    "teardown_request_funcs",
    "teardown_appcontext_funcs",
    "url_value_preprocessors",
)
_MOST_PATHS = 4096
_SIGNALS = (
    signals.request_started,
    signals.request_finished,
    signals.request_tearing_down,
    signals.appcontext_pushed,
    signals.appcontext_tearing_down,
    signals.appcontext_popped,
)


class Shortcut:
    """Answers plain requests for files before Flask is asked, where nobody could tell the difference.

    Nobody can where no hook, no signal and no route of the project's own looks at the request; else, and for every
    request that is more than plain, Flask dispatches as ever.
    """

    def __init__(self, app: Flask, files: Files, endpoints: Iterable[str], always: Mapping[str, str]) -> None:
        self._app = app
        self._files = files
        self._endpoints = frozenset(endpoints)
        self._always = tuple(always.items())
        self._hooks = {name: _copied(getattr(app, name)) for name in _HOOKS}
        self._ours: dict[str, bool] = {}
        self._views = 0

    def around(self, dispatch: WSGIApplication) -> WSGIApplication:
        """The app with the short way in front of it."""

        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            file = self._file(environ)
            if file is None:
                return dispatch(environ, start_response)
            copy = file.copy_for(environ.get("HTTP_ACCEPT_ENCODING", ""))
            own = ("X-Request-ID", secrets.token_hex(16))
            start_response("200 OK", [*copy.headers, *self._always, own])
            return [] if environ["REQUEST_METHOD"] == "HEAD" else [copy.body]

        return answer

    def _file(self, environ: WSGIEnvironment) -> File | None:
        path: str = environ.get("PATH_INFO", "")
        if path.startswith("/api/"):  # no file is there
            return None
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or any(name in environ for name in _NOT_PLAIN):
            return None
        # A file has one name that is remembered here, and any number of others: /a/../app.js
        file = (
            self._files.find(path[1:] or INDEX)
            if path.isascii() and is_tidy(path) and is_canonical(environ)
            else None
        )
        return file if file is not None and self._is_unwatched() and self._is_ours(path) else None

    def _is_unwatched(self) -> bool:
        app = self._app
        return (
            all(getattr(app, name) == found for name, found in self._hooks.items())
            and not any(signal.has_receivers_for(app) for signal in _SIGNALS)
            and app.request_class is Flask.request_class
            and app.response_class is Flask.response_class
            and type(app.session_interface) is SecureCookieSessionInterface
        )

    def _is_ours(self, path: str) -> bool:
        """Whether Flask's routing would give the file too, and no view of the project's own."""
        if self._views != len(self._app.view_functions):
            self._views, self._ours = len(self._app.view_functions), {}
        ours = self._ours.get(path)
        if ours is None:
            if len(self._ours) >= _MOST_PATHS:
                self._ours.clear()
            try:
                endpoint, _ = self._app.url_map.bind("").match(path, method="GET")
            except HTTPException:
                endpoint = ""
            ours = self._ours[path] = endpoint in self._endpoints
        return ours


def _copied(hooks: object) -> object:
    """Hooks as they are now."""
    if isinstance(hooks, dict):
        return {scope: list(functions) for scope, functions in hooks.items()}
    return list(hooks) if isinstance(hooks, list) else hooks
