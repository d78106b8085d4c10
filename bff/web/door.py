"""The door in front of Flask: pages and files are answered here, where nobody could tell the difference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from typing import TYPE_CHECKING, Protocol

from bff.errors import PageError
from bff.web.admission import Admission
from bff.web.answer import Answer, compare
from bff.web.files import INDEX, Files
from bff.web.frame import Frame
from bff.web.headers import names_of, without_body
from bff.web.health import CHECKS
from bff.web.hosts import is_plain_host
from bff.web.journal import Journal, journal_of
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
# A part of a file, and one that may only be another.
_OF_NO_WHOLE_FILE = frozenset({"HTTP_IF_MATCH", "HTTP_RANGE"})


class Watch(Protocol):
    """Looks at who could tell the difference, and knows what a path is for as long as nobody can."""

    table: Table

    def sees_nobody(self) -> bool: ...
    def gives_file(self, path: str) -> bool: ...
    def gives_index(self, path: str) -> bool: ...


class Door:
    """Finds the page or file of a path and asks it directly; Flask dispatches all else.

    `serves` tells whether a host is one of the app's, where those are listed.
    """

    def __init__(
        self,
        watch: Watch,
        files: Files,
        frame: Frame,
        admission: Admission,
        serves: Callable[[str], bool] | None,
        max_body: int,
    ) -> None:
        self._watch = watch
        self._files = files
        self._frame = frame
        self._admission = admission
        self._serves = serves
        self._max_body = max_body

    def around(self, dispatch: WSGIApplication) -> WSGIApplication:
        """The app with the door in front of it."""
        watch = self._watch

        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            host = environ.get("HTTP_HOST")
            if (
                host is None
                or not is_plain_host(host)
                or (self._serves is not None and not self._serves(host))
                or "HTTP_UPGRADE" in environ
                or "werkzeug.debug.preserve_context" in environ
            ):
                return dispatch(environ, start_response)
            method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
            page, holes = watch.table.pages.get((method, path)), _NO_HOLES
            if page is not None:  # its path is canonical
                sent = environ.get("RAW_URI") or environ.get("REQUEST_URI") or path
                is_canon = sent == path or sent.partition("?")[0] == path or is_canonical(environ)
            elif (found := watch.table.find(method, path)) is not None:
                page, holes = found
                is_canon = is_canonical(environ)
            else:
                file = self._file(environ, start_response, path)
                return dispatch(environ, start_response) if file is None else file
            if is_canon and watch.sees_nobody():
                return self._ask(page, holes, environ, start_response)
            return dispatch(environ, start_response)

        return answer

    def _ask(
        self,
        page: PageAnswerer,
        holes: Mapping[str, str],
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        """Ask a page and hand out its answer, where there is a place for one more."""
        request = PageRequest(environ, environ["REQUEST_METHOD"], self._max_body)
        journal = journal_of(environ, page.name, page.route, page.said, page.invalidates)
        answer = self._turned_away(environ, journal) if self._admission.max_pages else None
        try:
            if answer is None:
                answer = page.answer(request, holes, journal)
        except PageError as error:
            journal.end_with(error)
            answer = problem_answer(error, journal.request_id)
        except Exception as error:
            journal.error = unforeseen(error, journal)
            answer = problem_answer(journal.error, journal.request_id)
        there = names_of(answer.headers) if page.passes else _NO_NAMES
        self._frame.put_around(answer.headers, request, journal, page.cors_for, there)
        if journal.page:
            self._frame.tell(request.method, answer, journal)
        status, body = answer.status, answer.body
        if status == 204 or status == 304:
            return _without_body(answer, start_response)
        start_response(STATUS_LINES[status], answer.headers)
        return [body] if isinstance(body, bytes) else body

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

    def _file(
        self, environ: WSGIEnvironment, start_response: StartResponse, path: str
    ) -> Iterable[bytes] | None:
        """The answer to a request for a whole file; None for any other."""
        method = environ["REQUEST_METHOD"]
        is_api = path == "/api" or path[:5] == "/api/"
        if not path or is_api or method not in ("GET", "HEAD") or not path.isascii():
            return None
        if path in CHECKS:  # before a first page nothing is loaded for them
            return None
        if not _OF_NO_WHOLE_FILE.isdisjoint(environ) or not (is_tidy(path) and is_canonical(environ)):
            return None
        # A file has one name that is remembered here, and any number of others: /a/../app.js
        file = self._files.find(path[1:] or INDEX)
        watch = self._watch
        if file is None and watch.gives_index(path) and not self._files.has(path[1:]):
            file = self._files.find(INDEX)  # a path of the app in the browser
        if file is None or not watch.sees_nobody() or not watch.gives_file(path):
            return None
        copy = file.copy_for(environ.get("HTTP_ACCEPT_ENCODING", ""))
        answer = Answer(200, list(copy.headers), copy.body)
        if "HTTP_IF_NONE_MATCH" in environ or "HTTP_IF_MODIFIED_SINCE" in environ:
            compare(answer, environ, f'"{copy.etag}"')
        answer.headers += [*self._frame.always, ("X-Request-ID", journal_of(environ).request_id)]
        if answer.status == 304:
            return _without_body(answer, start_response)
        start_response(STATUS_LINES[answer.status], answer.headers)
        return [] if method == "HEAD" else [copy.body]


def _without_body(answer: Answer, start_response: StartResponse) -> Iterable[bytes]:
    """Hand out an answer that has no body because of its status."""
    start_response(STATUS_LINES[answer.status], without_body(answer.headers, answer.status))
    if isinstance(answer.body, LiveBody):
        answer.body.close()
    return []
