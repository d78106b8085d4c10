"""Load shedding: more pages at once than this process may make are answered 503 before anything is read of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from bff import clock, forks
from bff.problems import problem
from bff.web.journal import operator

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_RETRY_AFTER = "1"
_ADMITTED = "bff.admitted"
_SECONDS_BETWEEN_LINES = 10.0


class Admission:
    """Counts the pages under way, from the request's first line to the end of its answer; 0 is no bound."""

    def __init__(self, max_pages: int) -> None:
        self.max_pages = max_pages
        self._lock = forks.lock()
        self._pages = 0
        self._told_at = -_SECONDS_BETWEEN_LINES
        forks.renew_in_child(self)

    def begin_anew(self) -> None:
        """Has no pages under way in a child of this process."""
        self._pages = 0

    def around(self, app: WSGIApplication) -> WSGIApplication:
        """The app, with a place given back when the server has closed the answer that took one."""

        def admitted(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            try:
                answer = app(environ, start_response)
            except BaseException:
                self._leave(environ)
                raise
            return _Leaving(answer, environ, self._leave) if _ADMITTED in environ else answer

        return admitted

    def admit(self, environ: dict[str, Any]) -> None:
        """Takes a place for the request; raises PageError where there is none."""
        with self._lock:
            full = self._pages >= self.max_pages
            if not full:
                self._pages += 1
                environ[_ADMITTED] = True
        if full:
            self._tell()
            raise problem(
                "busy",
                "There are more visitors than this page can take.",
                headers={"Retry-After": _RETRY_AFTER},
            )

    def _leave(self, environ: dict[str, Any]) -> None:
        if environ.pop(_ADMITTED, None):
            with self._lock:
                self._pages -= 1

    def _tell(self) -> None:
        """One line for the operator in a while, not one for each visitor who is turned away."""
        with self._lock:
            now = clock.monotonic()
            if now - self._told_at < _SECONDS_BETWEEN_LINES:
                return
            self._told_at = now
        operator.warning("bff: %d pages under way, more are answered 503", self.max_pages)


class _Leaving:
    """An answer that gives its place back when the server closes it."""

    def __init__(
        self, answer: Iterable[bytes], environ: dict[str, Any], leave: Callable[[dict[str, Any]], None]
    ) -> None:
        self._answer = answer
        self._environ = environ
        self._leave = leave

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer)

    def close(self) -> None:
        try:
            if (close := getattr(self._answer, "close", None)) is not None:
                close()
        finally:
            self._leave(self._environ)
