"""Health checks: whether the process runs, and whether it takes requests. Neither asks a backend."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bff.errors import PageError
from bff.problems import problem
from bff.web.answer import Answer
from bff.web.frame import Frame
from bff.web.journal import journal_of
from bff.web.problems import problem_answer
from bff.web.site import Site
from bff.web.status import STATUS_LINES

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

HEALTHZ, READYZ = CHECKS = ("/healthz", "/readyz")


def health_of(path: str, site: Site) -> Answer:
    """The answer to a check at a path; raises PageError where the app takes no requests."""
    if path == READYZ and not site.ready:
        why = "It is stopping." if site.stopping else "Its recipes cannot run."
        raise problem("not-ready", why)
    body = b'{"status":"up"}' if path == HEALTHZ else b'{"status":"ready"}'
    of_body = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    return Answer(200, [("Cache-Control", "no-store"), *of_body], body)


def tell(
    site: Site, frame: Frame, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Answer a check as Flask's app does."""
    request_id = journal_of(environ).request_id
    try:
        answer = health_of(environ["PATH_INFO"], site)
    except PageError as error:
        answer = problem_answer(error, request_id)
    headers = [*answer.headers, *frame.always, ("X-Request-ID", request_id)]
    start_response(STATUS_LINES[answer.status], headers)
    return [answer.body] if environ["REQUEST_METHOD"] == "GET" and isinstance(answer.body, bytes) else []
