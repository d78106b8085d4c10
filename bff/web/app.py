"""Puts an app together: pages, files, health checks, problems. A plain Flask app comes out."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, Response

from bff.http import Calls, Transport, transport_of
from bff.plan import Plan
from bff.problems import problem
from bff.settings import Settings
from bff.web.admission import Admission
from bff.web.behind import behind_of
from bff.web.bodies import body_seconds
from bff.web.dispatched import add_frame, add_problems
from bff.web.door import Door
from bff.web.flask_users import project_asks_flask
from bff.web.frame import Frame
from bff.web.hosts import serves
from bff.web.identity import Identity
from bff.web.journal import operator, write_to_stdout
from bff.web.lookout import Lookout
from bff.web.observing import metrics_of, tracing_of
from bff.web.page import Common
from bff.web.page_routes import PageRoutes
from bff.web.problems import is_debugged
from bff.web.proxies import Proxies
from bff.web.public import serve_public
from bff.web.rates import Rates
from bff.web.repeats import Repeats
from bff.web.site import Site, check_certificates, has_pages
from bff.web.stopping import on_stop
from bff.web.written import OwnWrites

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
    settings = Settings.from_environ(environ)
    write_to_stdout()
    identity, rates = Identity(settings, environ), Rates(settings)

    def require_for(plan: Plan) -> None:
        identity.require_for(plan)
        rates.require_for(plan)

    asks_the_network = transport is None
    if transport is None:
        transport = transport_of(settings.transport, settings.transport_threads)
    metrics, tracing = metrics_of(settings, environ), tracing_of(settings, environ)
    if tracing is not None:
        transport = tracing.watch(transport)
    site = Site(folder, pages, settings, environ, require_for, transport, identity, debug=is_debugged())
    if asks_the_network:
        check_certificates(site, settings, environ)
    app = Flask("bff", root_path=str(folder), static_folder=None, template_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_request_body
    app.url_map.merge_slashes = False
    app.extensions["bff"] = site
    admission, written = Admission(settings.max_pages), OwnWrites(site)
    _add_health(app, site)
    frame = Frame(settings, identity, written, metrics, with_steps=settings.server_timing or is_debugged())
    add_frame(app, frame, admission, site, settings.hosts)
    add_problems(app, site)
    if metrics is not None:
        _add_metrics(app, metrics)
    common = Common(
        *(settings, transport, identity, rates, written, Repeats.of(settings)),
        *(behind_of(settings, environ), Calls if metrics is None else metrics.calls, tracing),
    )
    routes = PageRoutes(app, site, common)
    files = serve_public(app, folder / "public")
    if settings.max_pages:
        app.wsgi_app = admission.around(app.wsgi_app)  # type: ignore[method-assign, assignment]
    if not site.follows_files and not project_asks_flask(folder):
        door = Door(
            Lookout(app, site, routes.routed, routes.answerer),
            None if settings.hosts else files,
            *(frame, admission),
            serves(settings.hosts) if settings.hosts else None,
            settings.max_request_body,
        )
        app.wsgi_app = door.around(app.wsgi_app)  # type: ignore[method-assign, assignment]
    if settings.trusted_proxies:
        app.wsgi_app = Proxies(settings.trusted_proxies).around(app.wsgi_app)  # type: ignore[method-assign, assignment]
    site.body_seconds = body_seconds(app, site, settings)
    on_stop(site.stop)
    operator.info("bff: %d pages from %s; %s", len(site.pages), folder, settings.describe())
    return app


def _project_of(caller: Mapping[str, Any]) -> Path:
    """The nearest folder with recipes, from the calling module's up; the working folder for an interactive one."""
    start = Path(caller.get("__file__") or Path.cwd() / "_").resolve().parent
    for folder in (start, *start.parents):
        if has_pages(folder):
            return folder
    return start


def _add_health(app: Flask, site: Site) -> None:
    @app.get("/healthz")
    def healthz() -> Response:
        return Response(
            b'{"status":"up"}', mimetype="application/json", headers={"Cache-Control": "no-store"}
        )

    @app.get("/readyz")
    def readyz() -> Response:
        if not site.ready:
            why = "It is stopping." if site.stopping else "Its recipes cannot run."
            raise problem("not-ready", why, headers={"Cache-Control": "no-store"})
        return Response(
            b'{"status":"ready"}', mimetype="application/json", headers={"Cache-Control": "no-store"}
        )


def _add_metrics(app: Flask, metrics: Metrics) -> None:
    """Serve the counters at /metrics."""

    @app.get("/metrics")
    def exposition() -> Response:
        text, content_type = metrics.exposition()
        return Response(text, content_type=content_type, headers={"Cache-Control": "no-store"})
