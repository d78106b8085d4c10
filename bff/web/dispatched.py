"""The way through Flask, for whoever looks on: the pages, errors and headers of the door, as Flask's responses."""

from __future__ import annotations

import html
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask, Request, Response, g, request
from werkzeug.datastructures import Headers as FlaskHeaders
from werkzeug.exceptions import (
    ClientDisconnected,
    HTTPException,
    MethodNotAllowed,
    RequestEntityTooLarge,
)

from bff.errors import AuthorError, OperatorError, PageError
from bff.problems import problem
from bff.web.admission import Admission
from bff.web.answer import Answer
from bff.web.cors import CorsNames
from bff.web.frame import Frame
from bff.web.headers import names_of
from bff.web.hosts import serves
from bff.web.journal import Journal, journal_of, name_of
from bff.web.live import LiveBody
from bff.web.paths import is_canonical
from bff.web.problems import is_api, problem_answer, unforeseen
from bff.web.receiving import Cut, TooLong
from bff.web.request import PageRequest
from bff.web.site import Site
from bff.web.waiting import waiting_at_most

_ALWAYS = frozenset({None, "healthz", "readyz", "exposition", "public.index", "public.file"})
_HEALTH = frozenset({"healthz", "readyz"})


class DispatchedRequest(PageRequest):
    """A request that Flask has taken in: whoever looks on may have read its body, or bound it."""

    flask: Any = None

    @classmethod
    def of(cls, flask: Request) -> DispatchedRequest:
        """The request that Flask answers."""
        return cls(flask.environ, flask.method, flask=flask)

    def bind(self, most: int) -> None:
        self.flask.max_content_length = most

    def _read_whole(self, timeout: float | None) -> bytes:
        self.max_body = self.flask.max_content_length
        with _as_ours(), waiting_at_most(self.environ, timeout):
            whole: bytes = self.flask.get_data(cache=True)
        return whole

    def piece(self, size: int, timeout: float) -> bytes:
        with _as_ours(), waiting_at_most(self.environ, timeout):
            found: bytes = self.flask.stream.read(size)
        return found


@contextmanager
def _as_ours() -> Iterator[None]:
    try:
        yield
    except RequestEntityTooLarge as error:
        raise TooLong from error
    except ClientDisconnected as error:
        raise Cut from error


def response_of(answer: Answer) -> Response:
    """An answer as a response of Flask."""
    body = answer.body
    response = Response(body if isinstance(body, LiveBody) else [body], answer.status)
    response.headers = FlaskHeaders(answer.headers)
    return response


def add_frame(app: Flask, frame: Frame, admission: Admission, site: Site, hosts: tuple[str, ...]) -> None:
    """What every answer carries, around whatever the project's own views and hooks make of it."""
    is_served = serves(hosts) if hosts else None

    @app.before_request
    def begin() -> None:
        visited = request._get_current_object()  # type: ignore[attr-defined]
        environ = visited.environ
        g.asked = DispatchedRequest.of(visited)
        g.journal = journal_of(environ)
        if not is_canonical(environ):
            raise problem("not-found", "There is no such page.")
        if admission.max_pages and visited.endpoint not in _ALWAYS and visited.method != "OPTIONS":
            try:  # of a preflight that is refused a browser tells nobody anything
                admission.admit(environ)
            except PageError:
                frame.shed(name_of(visited.endpoint))
                raise
        if is_served is not None and not is_served(visited.host) and visited.endpoint not in _HEALTH:
            raise problem("other-host", "This app does not answer for the host that was asked for.")

    @app.after_request
    def end(response: Response) -> Response:
        journal: Journal = g.get("journal") or journal_of(request.environ)
        asked: PageRequest = g.get("asked") or DispatchedRequest.of(request._get_current_object())  # type: ignore[attr-defined]
        headers = list(response.headers)

        def names_for(method: str | None) -> CorsNames | None:
            endpoint = request.endpoint if method is None else _endpoint(app, method)
            return site.cors_of(name_of(endpoint))

        frame.put_around(headers, asked, journal, names_for, names_of(headers) or {""})
        response.headers = FlaskHeaders(headers)
        if journal.page:
            body = response.response
            live = body if isinstance(body, LiveBody) else b""
            frame.tell(asked.method, Answer(response.status_code, headers, live), journal)
        return response


def _endpoint(app: Flask, method: str) -> str | None:
    """What would be asked with a method; a path may be that of several pages."""
    adapter = app.create_url_adapter(request)
    try:
        return None if adapter is None else adapter.match(method=method)[0]
    except HTTPException:
        return None


def add_problems(app: Flask, site: Site) -> None:
    """Answer every error with a problem."""

    @app.errorhandler(PageError)
    def page_error(error: PageError) -> Response:
        g.journal.end_with(error)
        if site.broken is not None and is_api(request.path):
            return readable(site.broken)
        return response_of(problem_answer(error, g.journal.request_id))

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response | HTTPException:
        if site.broken is not None and is_api(request.path):
            return readable(site.broken)
        if error.response is not None or (error.code or 500) < 400:
            return error
        return response_of(problem_answer(_of_http(error), g.journal.request_id))

    @app.errorhandler(Exception)
    def any_error(error: Exception) -> Response:
        g.journal.error = unforeseen(error, g.journal)
        return response_of(problem_answer(g.journal.error, g.journal.request_id))


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


def readable(error: AuthorError | OperatorError) -> Response:
    """What `check` or the start says, for the author's browser (a page) or program (a problem with the first of it).

    Only shown under the debugger.
    """
    wants_page = request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"
    if not wants_page:
        first: Any = error.findings[0] if isinstance(error, AuthorError) else error
        return response_of(problem_answer(problem("recipes-broken", str(first)), None))
    page = (
        "<!doctype html><meta charset=utf-8><title>The recipes need a look</title>"
        f"<h1>The recipes need a look</h1><pre>{html.escape(str(error))}</pre>"
    )
    return Response(page, 503, {"Cache-Control": "no-store"}, mimetype="text/html")
