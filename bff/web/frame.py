"""The frame around every answer: the request id, security headers, CORS, Server-Timing, the line in the log."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Set
from typing import TYPE_CHECKING, Any

from bff import clock
from bff.settings import Settings
from bff.web.answer import Answer
from bff.web.cors import Cors, CorsNames
from bff.web.headers import Headers, put, value_of
from bff.web.identity import Identity
from bff.web.journal import Journal
from bff.web.live import LiveBody
from bff.web.problems import is_api
from bff.web.request import PageRequest
from bff.web.written import OwnWrites

if TYPE_CHECKING:
    from bff.web.metrics import Metrics

_is_request_id = re.compile(r"[A-Za-z0-9._-]{1,64}").fullmatch


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


def request_id_of(environ: dict[str, Any]) -> str:
    """The id that a request brings, or a new one."""
    given = environ.get("HTTP_X_REQUEST_ID")
    return given if given and _is_request_id(given) else secrets.token_hex(16)


def begun(environ: dict[str, Any]) -> float:
    """When a request came; a server that waits for the body says since when."""
    return environ.get("bff.begun") or clock.monotonic()


class Frame:
    """What every answer carries; made once at start."""

    def __init__(
        self,
        settings: Settings,
        identity: Identity,
        written: OwnWrites,
        metrics: Metrics | None,
        *,
        with_steps: bool,
    ) -> None:
        self.always = tuple(security_headers(settings).items())
        self._identity = identity
        self._written = written
        self._cors = Cors(settings.origins) if settings.origins else None
        self._metrics = metrics
        self._with_steps = with_steps

    def put_around(
        self,
        headers: Headers,
        request: PageRequest,
        journal: Journal,
        names_for: Callable[[str | None], CorsNames | None],
        there: Set[str] = frozenset(),
    ) -> None:
        """Complete the headers of an answer; `there` are the names in lower case of those that may be meant too."""
        headers += [pair for pair in self.always if pair[0].lower() not in there] if there else self.always
        if self._cors is not None and is_api(request.path):
            self._cors.tell(headers, request, names_for)
        if request.has_stale_cookie and value_of(headers, "set-cookie") is None:
            self._identity.sign_out(headers, request)
        if journal.invalidates:
            # What is kept for repeats never holds a cookie, and is kept by now.
            self._written.tell(headers, request, journal)
        own = [("X-Request-ID", journal.request_id)]
        if journal.page:
            own.append(("Server-Timing", journal.server_timing(with_steps=self._with_steps)))
        if there:
            for name, value in own:
                put(headers, name, value)
        else:
            headers += own

    def shed(self, page: str) -> None:
        """Count a page that was turned away because there were too many."""
        if self._metrics is not None:
            self._metrics.page_shed(page)

    def tell(self, method: str, answer: Answer, journal: Journal) -> None:
        """Log and count a page when its whole answer has been made: at once, or when its body ends."""
        body = answer.body
        if isinstance(body, LiveBody):
            body.at_end(lambda: self._told(method, _late_status(answer, journal), journal))
        else:
            self._told(method, answer.status, journal)

    def _told(self, method: str, status: int, journal: Journal) -> None:
        journal.log(method, status)
        if self._metrics is not None:
            self._metrics.page_ended(journal, status)


def _late_status(answer: Answer, journal: Journal) -> int:
    """The status of a page in pieces; of one that ended with a problem in its body that problem's."""
    return answer.status if journal.error is None else journal.error.status
