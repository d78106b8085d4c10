"""The door in front of Flask: pages and files are answered here, where nobody could tell the difference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from typing import TYPE_CHECKING

from bff.errors import PageError
from bff.web.admission import Admission
from bff.web.answer import Answer
from bff.web.files import INDEX, File, Files
from bff.web.frame import Frame, begun, request_id_of
from bff.web.headers import names_of, without_body
from bff.web.hosts import is_plain_host
from bff.web.journal import Journal
from bff.web.live import LiveBody
from bff.web.page import PageAnswerer
from bff.web.paths import is_canonical, is_tidy
from bff.web.problems import problem_answer, unforeseen
from bff.web.request import PageRequest
from bff.web.status import STATUS_LINES
from bff.web.table import Table

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_NO_HOLES: Mapping[str, str] = {}
_NO_NAMES: Set[str] = frozenset()
# What makes the answer of a file more than the file: a part of it, a comparison, an id to give back.
_MORE_THAN_A_FILE = frozenset({
    "HTTP_RANGE",
    "HTTP_IF_NONE_MATCH",
    "HTTP_IF_MODIFIED_SINCE",
    "HTTP_X_REQUEST_ID",
    "werkzeug.debug.preserve_context",
})  # fmt: skip


class Door:
    """Finds the page or file of a path and asks it directly; Flask dispatches all else.

    `table` knows the pages and what else Flask's routing holds, `is_unwatched` tells whether nobody looks at requests.
    `serves` tells whether a host is one of the app's, where those are listed.
    """

    def __init__(
        self,
        table: Table,
        files: Files | None,
        frame: Frame,
        admission: Admission,
        is_unwatched: Callable[[], bool],
        serves: Callable[[str], bool] | None,
        max_body: int,
    ) -> None:
        self._table = table
        self._files = files
        self._frame = frame
        self._admission = admission
        self._is_unwatched = is_unwatched
        self._serves = serves
        self._max_body = max_body

    def around(self, dispatch: WSGIApplication) -> WSGIApplication:
        """The app with the door in front of it."""
        table, is_unwatched = self._table, self._is_unwatched

        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            path = environ.get("PATH_INFO", "")
            page = table.pages.get((environ["REQUEST_METHOD"], path))
            holes = _NO_HOLES
            if page is None:
                found = table.find(environ["REQUEST_METHOD"], path)
                if found is None:
                    file = self._file(environ, path)
                    return (
                        dispatch(environ, start_response)
                        if file is None
                        else self._send(file, environ, start_response)
                    )
                page, holes = found
            if (
                "werkzeug.debug.preserve_context" in environ
                or "HTTP_UPGRADE" in environ
                or not is_unwatched()
                or not table.is_current()
                or not self._is_plain(environ, path, holes)
            ):
                return dispatch(environ, start_response)
            return self._ask(page, holes, environ, start_response)

        return self._admission.around(answer) if self._admission.max_pages else answer

    def _is_plain(self, environ: WSGIEnvironment, path: str, holes: Mapping[str, str]) -> bool:
        """Whether a request is for a host and by a path that nobody else has a word on."""
        host = environ.get("HTTP_HOST")
        if host is None or not is_plain_host(host) or (self._serves is not None and not self._serves(host)):
            return False
        sent = environ.get("RAW_URI") or environ.get("REQUEST_URI")
        if sent is None:
            return is_tidy(path)
        return (sent == path and not holes) or is_canonical(environ)

    def _ask(
        self,
        page: PageAnswerer,
        holes: Mapping[str, str],
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        """Ask a page and hand out its answer, where there is a place for one more."""
        request = PageRequest(environ, self._max_body)
        journal = page.journal(request_id_of(environ), begun(environ))
        answer = self._turned_away(environ, journal) if self._admission.max_pages else None
        try:
            if answer is None:
                answer = page.answer(request, holes, journal)
        except PageError as error:
            journal.error = error
            answer = problem_answer(error, journal.request_id)
        except Exception as error:
            journal.error = unforeseen(error, journal)
            answer = problem_answer(journal.error, journal.request_id)
        there = names_of(answer.headers) if page.passes else _NO_NAMES
        self._frame.put_around(answer.headers, request, journal, page.cors_for, there)
        if journal.page:
            self._frame.tell(request.method, answer, journal)
        return _handed_out(answer, start_response)

    def _turned_away(self, environ: WSGIEnvironment, journal: Journal) -> Answer | None:
        """The answer where there is no place for one more page; None where it has one now."""
        try:
            self._admission.admit(environ)
        except PageError as error:
            self._frame.shed(journal.page)
            journal.page = ""  # it has not begun
            return problem_answer(error, journal.request_id)
        return None

    # --- files ---------------------------------------------------------------------------------------------------

    def _file(self, environ: WSGIEnvironment, path: str) -> File | None:
        if (
            self._files is None
            or path[:5] == "/api/"
            or not path
            or environ["REQUEST_METHOD"] not in ("GET", "HEAD")
        ):
            return None
        if not _MORE_THAN_A_FILE.isdisjoint(environ) or not (
            path.isascii() and is_tidy(path) and is_canonical(environ)
        ):
            return None
        # A file has one name that is remembered here, and any number of others: /a/../app.js
        file = self._files.find(path[1:] or INDEX)
        if file is None or not self._is_unwatched() or not self._table.is_current():
            return None
        return file if self._table.gives_file(path) else None

    def _send(self, file: File, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        copy = file.copy_for(environ.get("HTTP_ACCEPT_ENCODING", ""))
        headers = [*copy.headers, *self._frame.always, ("X-Request-ID", request_id_of(environ))]
        start_response("200 OK", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [copy.body]


def _handed_out(answer: Answer, start_response: StartResponse) -> Iterable[bytes]:
    status, headers, body = answer.status, answer.headers, answer.body
    if status in (204, 304):
        start_response(STATUS_LINES[status], without_body(headers, status))
        if isinstance(body, LiveBody):
            body.close()
        return []
    start_response(STATUS_LINES[status], headers)
    return [body] if isinstance(body, bytes) else body
