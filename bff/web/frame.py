"""The frame around every answer: the request id, security headers, CORS, Server-Timing, the line in the log."""

from __future__ import annotations

import functools
import re
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING

from flask import Flask, Response, g
from flask.helpers import get_debug_flag

from bff import clock
from bff.errors import PageError
from bff.problems import problem
from bff.settings import Settings
from bff.web.admission import Admission
from bff.web.asked import this_request
from bff.web.cors import Cors
from bff.web.identity import Identity
from bff.web.journal import Journal, name_of
from bff.web.live import live_body, when_sent
from bff.web.paths import is_canonical
from bff.web.problems import is_api
from bff.web.whole import put_last, set_last
from bff.web.written import OwnWrites

if TYPE_CHECKING:
    from bff.web.metrics import Metrics

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def security_headers(settings: Settings) -> dict[str, str]:
    """The headers that every answer has, a file's too."""
    always = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "X-Frame-Options": "DENY",
    }
    if settings.csp:
        always["Content-Security-Policy"] = settings.csp
    return always


def add_frame(
    app: Flask,
    settings: Settings,
    always: Mapping[str, str],
    identity: Identity,
    admission: Admission,
    metrics: Metrics | None,
    written: OwnWrites,
    cors: Cors | None,
) -> None:
    """What every answer carries: the request id, security headers, CORS, Server-Timing."""
    with_steps = settings.server_timing or get_debug_flag()
    own = tuple((name.lower(), (name, value)) for name, value in always.items())

    @app.before_request
    def begin() -> None:
        visited = this_request()
        given = visited.headers.get("X-Request-ID")
        g.journal = Journal(
            given if given and _REQUEST_ID.fullmatch(given) else secrets.token_hex(16),
            # A server that waits for the body says since when.
            visited.environ.get("bff.begun") or clock.monotonic(),
        )
        if not is_canonical(visited.environ):
            raise problem("not-found", "There is no such page.")
        try:
            admission.admit(visited)
        except PageError:
            if metrics is not None:
                metrics.page_shed(name_of(visited.endpoint))
            raise

    @app.after_request
    def end(response: Response) -> Response:
        visited, headers = this_request(), response.headers
        there = {name.lower() for name, _ in headers}
        put_last(headers, [header for name, header in own if name not in there])
        if cors is not None and is_api(visited.path):
            cors.tell(response, visited)
        if g.get("stale_cookie") and "Set-Cookie" not in headers:
            identity.sign_out(response, visited)
        journal: Journal | None = g.get("journal")
        if journal is None:
            return response
        # What is kept for repeats never holds a cookie, and is kept by now.
        written.tell(response, visited, journal)
        of_page = [("X-Request-ID", journal.request_id)]
        if journal.page:
            of_page.append(("Server-Timing", journal.server_timing(with_steps=with_steps)))
        set_last(headers, of_page, there)
        if journal.page:
            when_sent(response, functools.partial(_tell, journal, visited.method, response, metrics))
        return response


def _tell(journal: Journal, method: str, response: Response, metrics: Metrics | None) -> None:
    """Log and count a page that has ended; one that ended with a problem in its body by the status of that."""
    late = None if live_body(response) is None else journal.error
    status = response.status_code if late is None else late.status
    journal.log(method, status)
    if metrics is not None:
        metrics.page_ended(journal, status)
