"""Puts an app together: pages, files, health checks, problems. A plain Flask app comes out."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, Response

from bff import forks
from bff.http import Transport
from bff.web.assembly import Assembly, load_site
from bff.web.bodies import body_seconds
from bff.web.dispatched import add_frame, add_problems, response_of
from bff.web.flask_users import project_asks_flask
from bff.web.health import HEALTHZ, READYZ, health_of
from bff.web.lookout import Lookout
from bff.web.page_routes import PageRoutes
from bff.web.public import serve_public
from bff.web.site import Site, has_pages

if TYPE_CHECKING:
    from bff.web.metrics import Metrics


def create_app(
    root: str | os.PathLike[str] | None = None,
    pages: Sequence[str] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    transport: Transport | None = None,
) -> Flask:
    """The app of a project folder (by default the folder of the calling module, or the nearest with recipes).

    `pages` limits it to some recipes; `environ` stands in for `os.environ`. Raises AuthorError with every mistake
    of the project's files, and OperatorError for a wrong setting; under `flask run --debug` a mistake in the files
    is shown as a page instead.
    """
    environ = os.environ if environ is None else environ
    folder = Path(root).resolve() if root is not None else _project_of(sys._getframe(1).f_globals)
    return flask_app(load_site(folder, pages, environ, transport))


class _OneAtATime:
    """Werkzeug makes rules of syntax trees, and CPython 3.11 mistakes the depth of those that threads make at once."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        forks.renew_in_child(self)

    def begin_anew(self) -> None:
        """Nobody makes an app in a child of this process."""
        self.lock = threading.Lock()


_making: Final = _OneAtATime()


def flask_app(made: Assembly) -> Flask:
    """The Flask app of what was loaded, with all that stands before its dispatch."""
    with _making.lock:
        return _flask_app(made)


def _flask_app(made: Assembly) -> Flask:
    site, settings = made.site, made.settings
    app = Flask("bff", root_path=str(site.root), static_folder=None, template_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_request_body
    app.url_map.merge_slashes = False
    app.extensions["bff"] = site
    _add_health(app, site)
    add_frame(app, made.frame, made.admission, site, settings.hosts)
    add_problems(app, site)
    if made.metrics is not None:
        _add_metrics(app, made.metrics)
    routes = PageRoutes(app, site, made.answerers)
    serve_public(app, made.files)
    site.body_seconds = body_seconds(routes.find, settings)
    is_watched = site.follows_files or project_asks_flask(site.root)
    lookout = None if is_watched else Lookout(app, site, routes.routed, made.answerers)
    app.wsgi_app = made.in_front_of(app.wsgi_app, lookout)  # type: ignore[method-assign, assignment]
    return app


def _project_of(caller: Mapping[str, Any]) -> Path:
    """The nearest folder with recipes, from the calling module's up; the working folder for an interactive one."""
    start = Path(caller.get("__file__") or Path.cwd() / "_").resolve().parent
    for folder in (start, *start.parents):
        if has_pages(folder):
            return folder
    return start


def _add_health(app: Flask, site: Site) -> None:
    @app.get(HEALTHZ)
    def healthz() -> Response:
        return response_of(health_of(HEALTHZ, site))

    @app.get(READYZ)
    def readyz() -> Response:
        return response_of(health_of(READYZ, site))


def _add_metrics(app: Flask, metrics: Metrics) -> None:
    """Serve the counters at /metrics."""

    @app.get("/metrics")
    def exposition() -> Response:
        text, content_type = metrics.exposition()
        return Response(text, content_type=content_type, headers={"Cache-Control": "no-store"})
