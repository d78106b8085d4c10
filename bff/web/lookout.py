"""Whether anybody looks at requests as Flask dispatches them, and would miss those that the door answers."""

from __future__ import annotations

from operator import is_, itemgetter
from typing import Any

from flask import Flask, signals
from flask.sessions import SecureCookieSessionInterface
from msgspec import Struct
from werkzeug.exceptions import HTTPException

from bff.web.flask_users import listener_asks_flask
from bff.web.journal import is_heard_elsewhere
from bff.web.page import Answerers
from bff.web.paths import is_tidy
from bff.web.routes import may_meet
from bff.web.site import Site
from bff.web.table import Table

_FILE_ENDPOINTS = frozenset({"public.index", "public.file"})
_MOST_PATHS = 4096
_HOOKS = (
    "before_request_funcs",
    "after_request_funcs",
    "teardown_request_funcs",
    "teardown_appcontext_funcs",
    "url_value_preprocessors",
)
_SIGNALS = (
    signals.request_started,
    signals.request_finished,
    signals.request_tearing_down,
    signals.got_request_exception,
    signals.appcontext_pushed,
    signals.appcontext_tearing_down,
    signals.appcontext_popped,
)
_settings_of = itemgetter(
    *("APPLICATION_ROOT", "DEBUG", "MAX_CONTENT_LENGTH", "SERVER_NAME", "TRAP_BAD_REQUEST_ERRORS"),
    *("TRAP_HTTP_EXCEPTIONS", "TRUSTED_HOSTS"),
)


class Routed(Struct, frozen=True):
    """How Flask calls a page: its name, method and path, the endpoint and the view there."""

    name: str
    method: str
    path: str
    endpoint: str
    view: Any


class Lookout:
    """Knows an app as it was made, and sees what is added to it; made last.

    `table` finds what is a page by Flask's routing too: routes, views and pages that come later are looked at then.
    """

    def __init__(self, app: Flask, site: Site, routed: list[Routed], answerers: Answerers) -> None:
        self._app = app
        self._site = site
        self._routed = routed
        self._answerers = answerers
        self._hooks = [(getattr(app, name), _copied(getattr(app, name))) for name in _HOOKS]
        self._handlers = dict(app.error_handler_spec[None][None])
        self._request, self._response = app.request_class, app.response_class
        self._settings = _settings_of(app.config)
        self._look()

    def sees_nobody(self) -> bool:
        """Whether nobody would miss a request that Flask does not dispatch, and the table is as Flask's routing is."""
        app = self._app
        for now, known in self._hooks:
            if now != known:
                return False
        for signal in _SIGNALS:
            if signal.receivers and signal.has_receivers_for(app):
                return False
        for scope in app.error_handler_spec.values():
            for code, handlers in scope.items():  # Flask leaves empty ones where it looked for some
                if handlers and (code is not None or handlers != self._handlers):
                    return False
        if app.view_functions != self._views or app.url_map._rules_by_endpoint != self._rules:
            self._look()
            return False
        pages = self._site.pages
        if len(pages) != len(self._pages) or not all(map(is_, pages.values(), self._pages)):
            self._look()
            return False
        return (
            app.request_class is self._request
            and app.response_class is self._response
            and app.session_interface.__class__ is SecureCookieSessionInterface
            and _settings_of(app.config) == self._settings
            and not (is_heard_elsewhere() and listener_asks_flask())
        )

    def gives_index(self, path: str) -> bool:
        return False  # there is no end of such paths, and what routing says of one is remembered

    def gives_file(self, path: str) -> bool:
        """Whether Flask's routing would give the file of a path, and no view of the project's own."""
        found = self._files.get(path)
        if found is None:
            if len(self._files) >= _MOST_PATHS:
                self._files.clear()
            found = self._files[path] = self._endpoint(path, "GET") in _FILE_ENDPOINTS
        return found

    def _look(self) -> None:
        """Note what the routing and the pages are now."""
        app, pages = self._app, self._site.pages
        views = dict(app.view_functions)
        rules = {endpoint: list(found) for endpoint, found in app.url_map._rules_by_endpoint.items()}
        ours = [one for one in self._routed if one.name in pages and views.get(one.endpoint) is one.view]
        # A page goes before the files, whatever its path.
        known = {one.endpoint for one in ours} | {"public.file"}
        theirs = [rule.rule for name, found in rules.items() if name not in known for rule in found]
        self.table = Table(
            (one.path, self._answerers.of(pages[one.name])) for one in ours if self._is_alone(one, theirs)
        )
        self._files: dict[str, bool] = {}
        # Last, since other threads take the table for good when they find these.
        self._pages, self._views, self._rules = list(pages.values()), views, rules

    def _is_alone(self, one: Routed, theirs: list[str]) -> bool:
        """Whether a page's path is that of no rule of somebody else's."""
        if "{" in one.path:
            return not any(may_meet(rule, one.path) for rule in theirs)
        return is_tidy(one.path) and self._endpoint(one.path, one.method) == one.endpoint

    def _endpoint(self, path: str, method: str) -> str:
        try:
            endpoint, _ = self._app.url_map.bind("").match(path, method=method)
        except HTTPException:
            return ""
        return str(endpoint)


def _copied(hooks: Any) -> Any:
    """Hooks as they are now."""
    if isinstance(hooks, dict):
        return {scope: list(functions) for scope, functions in hooks.items()}
    return list(hooks)
