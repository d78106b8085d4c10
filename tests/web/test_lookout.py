"""Whoever looks at requests as Flask dispatches them sees every one; the door answers only where nobody does."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint, Flask, Request, Response, g, request, signals
from flask.sessions import SecureCookieSessionInterface, SessionInterface
from werkzeug.routing import Rule

from bff import visitor_client
from bff.errors import PageError
from tests.fakes import FakeBackend, answer
from tests.project import app_of
from tests.web.both_ways import dispatched

PAGES = {
    "page": "route: GET /api/page\nauth: none\nshape: 1\n",
    "item": "route: GET /api/items/{id}\nauth: none\nshape: path.id\n",
    "guarded": """
        route: GET /api/guarded
        auth: none
        steps:
          no: {require: 1 == 2, fail: {status: 409}}
        shape: 1
        """,
}
CALLS = "route: GET /api/page\nauth: none\nshape: agent()\n"


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return app_of(tmp_path, PAGES)


def asked(app: Flask, path: str = "/api/page", **headers: str) -> Any:
    return app.test_client().get(path, headers=headers)


# --- hooks, signals and classes ----------------------------------------------------------------------------------


def _nothing(*_: Any, **__: Any) -> None:
    pass


def _as_it_is(response: Response) -> Response:
    return response


def _hooked(app: Flask) -> Blueprint:
    blueprint = Blueprint("theirs", __name__)
    blueprint.before_app_request(_nothing)
    return blueprint


def _handling(app: Flask) -> Blueprint:
    blueprint = Blueprint("theirs", __name__)
    blueprint.errorhandler(PageError)(lambda error: "theirs")
    return blueprint


class _Sessions(SessionInterface):
    def open_session(self, app: Any, request: Any) -> Any:
        return SecureCookieSessionInterface().make_null_session(app)


WATCHES: dict[str, Callable[[Flask], object]] = {
    "before_request": lambda app: app.before_request(_nothing),
    "after_request": lambda app: app.after_request(_as_it_is),
    "teardown_request": lambda app: app.teardown_request(_nothing),
    "teardown_appcontext": lambda app: app.teardown_appcontext(_nothing),
    "url_value_preprocessor": lambda app: app.url_value_preprocessor(_nothing),
    "a hook of a blueprint": lambda app: app.register_blueprint(_hooked(app)),
    "a handler of a blueprint": lambda app: app.register_blueprint(_handling(app)),
    "a handler of an error": lambda app: app.register_error_handler(PageError, lambda error: "theirs"),
    "a handler of a status": lambda app: app.register_error_handler(409, lambda error: "theirs"),
    "a handler of its own error": lambda app: app.register_error_handler(KeyError, lambda error: "theirs"),
    "a class of requests": lambda app: setattr(app, "request_class", type("Own", (Request,), {})),
    "a class of responses": lambda app: setattr(app, "response_class", type("Own", (Response,), {})),
    "sessions": lambda app: setattr(app, "session_interface", _Sessions()),
    "a bound on bodies": lambda app: app.config.update(MAX_CONTENT_LENGTH=10),
    "trusted hosts": lambda app: app.config.update(TRUSTED_HOSTS=["localhost"]),
    "a trap": lambda app: app.config.update(TRAP_HTTP_EXCEPTIONS=True),
    "debugging": lambda app: setattr(app, "debug", True),
}
SIGNALS = [
    "request_started", "request_finished", "request_tearing_down", "got_request_exception", "appcontext_pushed",
    "appcontext_tearing_down", "appcontext_popped",
]  # fmt: skip


@pytest.mark.parametrize("path", ["/api/page", "/api/items/1", "/api/guarded"])
@pytest.mark.parametrize("watch", WATCHES)
def test_whoever_looks_on_sees_pages(app: Flask, watch: str, path: str) -> None:
    seen = dispatched(app)
    asked(app, path)
    assert seen == []
    WATCHES[watch](app)
    asked(app, path)
    assert seen == [path]


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_with_receivers_is_sent(app: Flask, name: str) -> None:
    seen, told = dispatched(app), []
    signal = getattr(signals, name)

    def note(sender: Flask, **_: Any) -> None:
        told.append(sender)

    with signal.connected_to(note, app):
        asked(app)
    assert seen == ["/api/page"]
    assert told == ([] if name == "got_request_exception" else [app])


def test_a_signal_of_another_app_changes_nothing(app: Flask, tmp_path: Path) -> None:
    seen, other = dispatched(app), Flask("other")
    with signals.request_started.connected_to(_nothing, other):
        asked(app)
    assert seen == []


def test_an_error_that_flask_has_looked_handlers_up_for_closes_no_door(app: Flask) -> None:
    assert asked(app, "/api/unknown").status_code == 404
    seen = dispatched(app)
    asked(app)
    assert seen == []


def test_settings_that_pages_do_not_read_change_nothing(app: Flask) -> None:
    seen = dispatched(app)
    app.config.update(SECRET_KEY="x", TESTING=True, OWN="y")
    asked(app)
    assert seen == []


def test_a_client_that_keeps_its_context_has_one(app: Flask) -> None:
    with app.test_client() as client:
        client.get("/api/page?a=1")
        assert request.args["a"] == "1"


def test_an_app_that_is_wrapped_outside_keeps_its_door(app: Flask) -> None:
    seen, inner = dispatched(app), app.wsgi_app

    def outer(environ: Any, start_response: Any) -> Any:
        return inner({**environ, "PATH_INFO": "/api/page"}, start_response)

    app.wsgi_app = outer  # type: ignore[method-assign]
    assert asked(app, "/elsewhere").data == b"1"
    assert seen == []


# --- views and routes --------------------------------------------------------------------------------------------


def test_a_view_by_hand_leaves_pages_at_the_door(app: Flask) -> None:
    app.add_url_rule("/api/by-hand/<name>", "own", lambda name: name)
    assert asked(app, "/api/by-hand/a").data == b"a"
    asked(app)  # the routing is looked at anew
    seen = dispatched(app)
    assert (asked(app).data, asked(app, "/api/items/7").data) == (b"1", b'"7"')
    assert seen == []


@pytest.mark.parametrize("rule", ["/api/items/special", "/api/<path:rest>/special", "/api/items/special/"])
def test_a_view_of_the_project_goes_before_a_page_as_flask_says(tmp_path: Path, rule: str) -> None:
    def made(folder: str) -> Flask:
        app = app_of(tmp_path / folder, PAGES)
        app.add_url_rule(rule, "own", lambda rest="": "theirs")
        return app

    door, flask = made("door"), made("flask")
    flask.before_request(_nothing)
    for _ in range(2):  # with the first the routing is looked at anew
        found, theirs = asked(door, "/api/items/special"), asked(flask, "/api/items/special")
        assert (found.status_code, found.data) == (theirs.status_code, theirs.data)


def test_a_view_of_the_project_may_take_a_pages_place(app: Flask) -> None:
    (endpoint,) = [name for name in app.view_functions if name.startswith("page.page.")]
    app.view_functions[endpoint] = lambda: "theirs"
    assert asked(app).data == b"theirs"
    assert asked(app).data == b"theirs"
    assert asked(app, "/api/items/7").data == b'"7"'


def test_a_rule_of_its_own_at_a_pages_path_is_seen(app: Flask) -> None:
    app.url_map.add(Rule("/api/items/one", endpoint="healthz", methods=["GET"]))
    for _ in range(2):
        assert asked(app, "/api/items/one").json == {"status": "up"}


def test_a_view_by_hand_asks_for_its_visitor(tmp_path: Path) -> None:
    with FakeBackend() as backend:
        backend.on("GET /people", answer(json=[1]))
        app = app_of(tmp_path, PAGES, environ={"PEOPLE_URL": backend.url})

        @app.get("/api/by-hand")
        def by_hand() -> Any:
            return visitor_client("people", auth="optional").get("/people").json()

        assert asked(app, "/api/by-hand").json == [1]


# --- modules of the project that know Flask ----------------------------------------------------------------------

READERS = {
    "at its top": "from flask import request\n\ndef agent():\n    return request.headers['User-Agent']\n",
    "in a function": "def agent():\n    import flask\n    return flask.request.headers['User-Agent']\n",
    "by name": (
        "from importlib import import_module\n\ndef agent():\n"
        "    return import_module('flask').request.headers['User-Agent']\n"
    ),
    "among others": "import json, flask\n\ndef agent():\n    return flask.request.headers['User-Agent']\n",
    "of another module": (
        "from orchestrations._shared import asked\n\ndef agent():\n    return asked()\n"
    ),
    "of a package": "from reads_flask import asked\n\ndef agent():\n    return asked()\n",
}  # fmt: skip
SHARED = "from flask import request\n\ndef asked():\n    return request.headers['User-Agent']\n"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package that functions may use, and that uses Flask."""
    folder = tmp_path / "packages"
    folder.mkdir()
    (folder / "reads_flask.py").write_text(SHARED)
    monkeypatch.syspath_prepend(str(folder))
    yield
    sys.modules.pop("reads_flask", None)


@pytest.mark.parametrize("reader", READERS)
def test_a_function_that_reads_flasks_request_finds_it(tmp_path: Path, reader: str, package: None) -> None:
    functions = {"functions": READERS[reader], "_shared": SHARED}
    if reader != "of another module":
        del functions["_shared"]
    app = app_of(tmp_path / "project", {"page": CALLS}, functions=functions)
    seen = dispatched(app)
    assert asked(app, User_Agent="mine").json == "mine"
    assert seen == ["/api/page"]


def test_a_function_that_knows_nothing_of_flask_runs_at_the_door(tmp_path: Path) -> None:
    functions = {"functions": "import json\n\ndef agent():\n    return json.loads('1')\n"}
    app = app_of(tmp_path, {"page": CALLS}, functions=functions)
    seen = dispatched(app)
    assert asked(app).json == 1
    assert seen == []


# --- who hears of log lines --------------------------------------------------------------------------------------


class _Asks(logging.Filter):
    """Adds the path that Flask answers."""

    def filter(self, record: logging.LogRecord) -> bool:
        heard.append(request.path)
        return True


class _Formats(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        heard.append(request.path)
        return super().format(record)


class _Handles(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        heard.append(request.path)


heard: list[str] = []


def _filtering(handler: logging.Handler) -> logging.Handler:
    handler.addFilter(_Asks())
    return handler


def _formatting(handler: logging.Handler) -> logging.Handler:
    handler.setFormatter(_Formats())
    return handler


@pytest.mark.parametrize("logger", ["bff.page", "bff", ""])
@pytest.mark.parametrize(
    "listener",
    [_Handles(), _filtering(logging.StreamHandler()), _formatting(logging.StreamHandler())],
    ids=["handler", "filter", "formatter"],
)
def test_a_listener_that_reads_flasks_request_finds_it(
    app: Flask, listener: logging.Handler, logger: str
) -> None:
    log, level = logging.getLogger(logger), logging.getLogger("bff.page").level
    log.addHandler(listener)
    logging.getLogger("bff.page").setLevel(logging.INFO)
    heard.clear()
    try:
        asked(app)
    finally:
        log.removeHandler(listener)
        logging.getLogger("bff.page").setLevel(level)
    assert heard == ["/api/page"]


def test_records_that_are_made_of_flasks_request_are(app: Flask) -> None:
    factory = logging.getLogRecordFactory()

    def made(*given: Any, **more: Any) -> logging.LogRecord:
        heard.append(request.path)
        return factory(*given, **more)

    heard.clear()
    logging.setLogRecordFactory(made)
    level = logging.getLogger("bff.page").level
    logging.getLogger("bff.page").setLevel(logging.INFO)
    try:
        asked(app)
    finally:
        logging.setLogRecordFactory(factory)
        logging.getLogger("bff.page").setLevel(level)
    assert heard == ["/api/page"]


# --- what a project's own hooks may do ---------------------------------------------------------------------------


def test_a_hook_may_read_the_body_before_its_page(tmp_path: Path) -> None:
    recipe = "route: POST /api/page\nauth: none\ninput:\n  body: {type: object}\nshape: body\n"
    app = app_of(tmp_path, {"page": recipe})
    app.before_request(lambda: setattr(g, "raw", request.get_data()))
    assert app.test_client().post("/api/page", json={}).json == {}


def test_a_hook_may_bound_a_body(tmp_path: Path) -> None:
    recipe = "route: POST /api/page\nauth: none\ninput:\n  body: {type: object}\nshape: body\n"
    app = app_of(tmp_path, {"page": recipe})
    app.before_request(lambda: setattr(request, "max_content_length", 1))
    assert app.test_client().post("/api/page", json={}).status_code == 413


def test_a_formatter_may_hold_what_reads_flasks_request(app: Flask) -> None:
    class Processing(logging.Formatter):
        """As those of other packages do it, which know nothing of Flask."""

        def __init__(self) -> None:
            super().__init__()
            self.processors = [_note_path]

        def format(self, record: logging.LogRecord) -> str:
            for process in self.processors:
                process()
            return super().format(record)

    Processing.__module__ = "logging"
    listener = logging.StreamHandler()
    listener.setFormatter(Processing())
    log, level = logging.getLogger("bff.page"), logging.getLogger("bff.page").level
    log.addHandler(listener)
    log.setLevel(logging.INFO)
    heard.clear()
    try:
        asked(app)
    finally:
        log.removeHandler(listener)
        log.setLevel(level)
    assert heard == ["/api/page"]


def _note_path() -> None:
    heard.append(request.path)


def test_the_word_alone_closes_no_door(tmp_path: Path) -> None:
    functions = {"functions": "# not of flask\nCOMMAND = ['-m', 'flask']\n\ndef agent():\n    return 1\n"}
    app = app_of(tmp_path, {"page": CALLS}, functions=functions)
    seen = dispatched(app)
    assert asked(app).json == 1
    assert seen == []
