"""Whether anybody looks at requests as Flask dispatches them, and would miss those that the door answers."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from flask import Flask, signals
from flask.sessions import SecureCookieSessionInterface

from bff.web.flask_users import listener_asks_flask
from bff.web.journal import is_heard_elsewhere

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


class Lookout:
    """Knows an app as it was made; made last."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._hooks = [(getattr(app, name), _copied(getattr(app, name))) for name in _HOOKS]
        self._handlers = dict(app.error_handler_spec[None][None])
        self._request, self._response = app.request_class, app.response_class
        self._settings = _settings_of(app.config)

    def sees_nobody(self) -> bool:
        """Whether nobody would miss a request that Flask does not dispatch."""
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
        return (
            app.request_class is self._request
            and app.response_class is self._response
            and app.session_interface.__class__ is SecureCookieSessionInterface
            and _settings_of(app.config) == self._settings
            and not (is_heard_elsewhere() and listener_asks_flask())
        )


def _copied(hooks: Any) -> Any:
    """Hooks as they are now."""
    if isinstance(hooks, dict):
        return {scope: list(functions) for scope, functions in hooks.items()}
    return list(hooks)
