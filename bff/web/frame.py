"""The frame around every answer: the request id, security headers, CORS, Server-Timing, the line in the log."""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import TYPE_CHECKING

from bff import clock
from bff.settings import Settings
from bff.web.answer import Answer
from bff.web.cors import Cors, CorsNames
from bff.web.headers import Headers, put, value_of
from bff.web.identity import Identity
from bff.web.journal import Journal
from bff.web.live import LiveBody
from bff.web.problems import is_api
from bff.web.recent_writes import RecentWritesCookie
from bff.web.request import PageRequest

if TYPE_CHECKING:
    from bff.web.metrics import Metrics


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


class Frame:
    """What every answer carries; made once at start."""

    def __init__(
        self,
        settings: Settings,
        identity: Identity,
        written: RecentWritesCookie,
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
            if self._with_steps:
                timing = journal.server_timing()
            else:
                timing = f"total;dur={(clock.monotonic() - journal.begun) * 1000:.1f}"
            own.append(("Server-Timing", timing))
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
        if isinstance(answer.body, LiveBody):
            answer.body.at_end(lambda: self._tell_late(method, answer.status, journal))
            return
        journal.log(method, answer.status)
        if self._metrics is not None:
            self._metrics.page_ended(journal, answer.status)

    def _tell_late(self, method: str, status: int, journal: Journal) -> None:
        """The same for a page in pieces; one that ended with a problem in its body has the status of that."""
        status = status if journal.error is None else journal.error.status
        journal.log(method, status)
        if self._metrics is not None:
            self._metrics.page_ended(journal, status)
