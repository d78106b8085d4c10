"""Problems as answers: `application/problem+json`."""

from __future__ import annotations

import os

from bff.errors import PageError
from bff.jsontext import encode
from bff.problems import CONTENT_TYPE, document, problem
from bff.traces import trace_of
from bff.web.answer import Answer
from bff.web.journal import Journal, operator

API_PREFIX = "/api"


def is_api(path: str) -> bool:
    """Whether a path belongs to the API, where every error is a problem."""
    return path == API_PREFIX or path.startswith(f"{API_PREFIX}/")


def problem_answer(error: PageError, instance: str | None) -> Answer:
    """The answer of a problem; never cached."""
    body = encode(document(error, instance))
    headers = {"Cache-Control": "no-store", **error.headers}
    of_body = [("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(body)))]
    return Answer(error.status, [*headers.items(), *of_body], body)


def unforeseen(error: Exception, journal: Journal) -> PageError:
    """The problem of an error that nobody foresaw; its trace goes to the log, with its words under the debugger."""
    if is_debugged():
        operator.error("request %s failed", journal.request_id, exc_info=error)
    else:
        operator.error("request %s failed\n%s", journal.request_id, trace_of(error))
    log = f"{type(error).__name__}, see the trace above"
    members = dict(journal.written)
    return problem("internal", "This page could not be made.", members=members, log=log)


def is_debugged() -> bool:
    """Whether this runs under Flask's debugger."""
    return os.environ.get("FLASK_DEBUG", "").lower() not in ("", "0", "false", "no")
