"""Problems as answers: `application/problem+json`, and the author's mistakes as a page that can be read."""

from __future__ import annotations

import html
import json

from flask import Response, request
from flask.helpers import get_debug_flag

from bff.errors import AuthorError, OperatorError, PageError
from bff.problems import CONTENT_TYPE, document, problem
from bff.traces import trace_of
from bff.web.journal import Journal, operator

API_PREFIX = "/api"


def is_api(path: str) -> bool:
    """Whether a path belongs to the API, where every error is a problem."""
    return path == API_PREFIX or path.startswith(f"{API_PREFIX}/")


def problem_response(error: PageError, instance: str | None) -> Response:
    """The answer of a problem; never cached."""
    body = json.dumps(document(error, instance), ensure_ascii=False, allow_nan=False).encode()
    headers = {"Cache-Control": "no-store", **error.headers}
    return Response(body, error.status, headers, mimetype=CONTENT_TYPE)


def unforeseen(error: Exception, journal: Journal) -> PageError:
    """The problem of an error that nobody foresaw; its trace goes to the log, with its words under the debugger."""
    if get_debug_flag():
        operator.error("request %s failed", journal.request_id, exc_info=error)
    else:
        operator.error("request %s failed\n%s", journal.request_id, trace_of(error))
    log = f"{type(error).__name__}, see the trace above"
    members = dict(journal.writes.members)
    return problem("internal", "This page could not be made.", members=members, log=log)


def readable(error: AuthorError | OperatorError) -> Response:
    """What `check` or the start says, for the author's browser (a page) or program (a problem with the first of it).

    Only shown under the debugger.
    """
    wants_page = request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"
    if not wants_page:
        first = error.findings[0] if isinstance(error, AuthorError) else error
        return problem_response(problem("recipes-broken", str(first)), None)
    page = (
        "<!doctype html><meta charset=utf-8><title>The recipes need a look</title>"
        f"<h1>The recipes need a look</h1><pre>{html.escape(str(error))}</pre>"
    )
    return Response(page, 503, {"Cache-Control": "no-store"}, mimetype="text/html")
