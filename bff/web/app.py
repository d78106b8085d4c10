"""Puts an app together: pages, files, health checks, problems. A plain Flask app comes out."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flask import Flask, Response, g, request
from flask.helpers import get_debug_flag
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import Rule

from bff.errors import PageError
from bff.http import Calls, Transport, transport_of
from bff.plan import Plan
from bff.problems import problem
from bff.settings import Settings
from bff.web.admission import Admission
from bff.web.behind import behind_of
from bff.web.bodies import body_seconds
from bff.web.cors import Cors
from bff.web.frame import add_frame, security_headers
from bff.web.identity import Identity
from bff.web.journal import operator, write_to_stdout
from bff.web.observing import View, add_metrics, metrics_of, traced, tracing_of
from bff.web.paths import serve_only
from bff.web.problems import is_api, problem_response, readable, unforeseen
from bff.web.public import serve_public
from bff.web.rates import Rates
from bff.web.repeats import Repeats
from bff.web.site import Page, Site, check_certificates, has_pages
from bff.web.stopping import on_stop
from bff.web.views import PageView
from bff.web.written import OwnWrites


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
    site = Site(folder, pages, settings, environ, require_for, transport, identity, debug=get_debug_flag())
    if asks_the_network:
        check_certificates(site, settings, environ)
    app = Flask("bff", root_path=str(folder), static_folder=None, template_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_request_body
    app.url_map.merge_slashes = False
    app.extensions["bff"] = site
    admission = Admission(settings.max_pages)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    if settings.max_pages:
        app.wsgi_app = admission.around(app.wsgi_app)  # type: ignore[method-assign, assignment]
    _add_health(app, site)
    always, written = security_headers(settings), OwnWrites(site)
    cors = Cors(app, site.cors_of, settings.origins) if settings.origins else None
    add_frame(app, settings, always, identity, admission, metrics, written, cors)
    if settings.hosts:
        serve_only(app, settings.hosts)
    _add_problems(app, site)
    if metrics is not None:
        add_metrics(app, metrics)
    calls = Calls if metrics is None else metrics.calls
    behind = behind_of(settings, environ)
    view: View = PageView(settings, transport, identity, rates, Repeats.of(settings), calls, behind, written)
    if tracing is not None:
        view = traced(view, tracing)
    _Routes(app, site, view).follow()
    serve_public(app, folder / "public", always, shortcut=not (app.debug or settings.hosts))
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


class _Routes:
    """Keeps Flask's routes in step with the pages, which change only under the debugger."""

    def __init__(self, app: Flask, site: Site, view: View) -> None:
        self._app = app
        self._site = site
        self._view = view
        self._added: set[tuple[str, str, str]] = set()

    def follow(self) -> None:
        """Add what is there, and before each request what has come since, where anything can."""
        self._add_new()
        if self._site.follows_files:
            self._app.before_request(self._refresh)

    def _refresh(self) -> None:
        if not self._site.refresh():
            return
        self._add_new()
        adapter = self._app.create_url_adapter(request)
        if adapter is not None:  # match again: the route may be new
            request.url_rule, request.view_args, request.routing_exception = None, None, None
            try:
                rule, arguments = adapter.match(return_rule=True)
                request.url_rule, request.view_args = rule, dict(arguments)
            except HTTPException as exc:
                request.routing_exception = exc

    def _add_new(self) -> None:
        for name, page in self._site.pages.items():
            route = (name, page.recipe.method, page.recipe.path)
            if route not in self._added:
                self._added.add(route)
                # Not add_url_rule: Flask refuses that after the first request, which is when debugging adds.
                endpoint = f"page.{name}.{len(self._added)}"
                path = page.recipe.path.replace("{", "<").replace("}", ">")
                rule = Rule(path, endpoint=endpoint, methods=[page.recipe.method, "OPTIONS"])
                rule.provide_automatic_options = True  # type: ignore[attr-defined]
                self._app.url_map.add(rule)
                self._app.view_functions[endpoint] = self._endpoint(name, route)

    def _endpoint(self, name: str, route: tuple[str, str, str]) -> Any:
        def answer(**path: str) -> Response:
            page: Page | None = self._site.pages.get(name)
            if self._site.broken is not None:
                return readable(self._site.broken)
            if page is None or (name, page.recipe.method, page.recipe.path) != route:
                raise problem("not-found", "There is no such page.")
            return self._view(page, path)

        return answer


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


def _add_problems(app: Flask, site: Site) -> None:
    @app.errorhandler(PageError)
    def page_error(error: PageError) -> Response:
        g.journal.error = error
        if site.broken is not None and is_api(request.path):
            return readable(site.broken)
        return problem_response(error, g.journal.request_id)

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response | HTTPException:
        if site.broken is not None and is_api(request.path):
            return readable(site.broken)
        if error.response is not None or (error.code or 500) < 400:
            return error
        return problem_response(_of_http(error), g.journal.request_id)

    @app.errorhandler(Exception)
    def any_error(error: Exception) -> Response:
        g.journal.error = unforeseen(error, g.journal)
        return problem_response(g.journal.error, g.journal.request_id)


def _of_http(error: HTTPException) -> PageError:
    """The problem of an error that Flask or Werkzeug found."""
    match error:
        case MethodNotAllowed():
            allowed = sorted(error.valid_methods or ())
            detail = f"Allowed here are {', '.join(allowed)}."
            return problem("method-not-allowed", detail, headers={"Allow": ", ".join(allowed)})
        case RequestEntityTooLarge():
            return problem("body-too-large", "The body is larger than this app takes.")
        case HTTPException(code=404):
            return problem("not-found", "There is no such page.")
        case HTTPException(code=code) if code is not None and code < 500:
            return problem("invalid-input", "The request is not valid.", status=code)
    return problem("internal", "This page could not be made.", log=type(error).__name__)
