"""A page in lines of JSON: first what there is, then each part as it comes, at last that this was all.

Each line is an object::

    {"page": …, "pending": ["people", "notice"]}
    {"steps": ["people"], "patch": […], "pending": ["notice"]}
    {"steps": ["notice"], "patch": […], "errors": […], "pending": []}
    {"complete": true, "partial": ["notice"]}

or instead of the last one `{"problem": …}`. The last one has `stale` beside `partial` where old replies stand in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bff import jsontext
from bff.errors import BoundError, PageError
from bff.executor import Results, draft_scope
from bff.expressions import Evaluation
from bff.jsonpatch import changes, replacement
from bff.plan.model import Plan
from bff.problems import document
from bff.settings import Settings
from bff.web.answer import Answer, encode_bounded, errors_of, measure_bounded
from bff.web.headers import Headers, put
from bff.web.journal import Journal
from bff.web.live import LiveBody
from bff.web.problems import unforeseen
from bff.web.request import PageRequest

MEDIA_TYPE = "application/x-ndjson"
_DEEPER = 3
"""How much deeper a value stands in a line than in its page."""


def asks_for_lines(request: PageRequest) -> bool:
    """Whether a page with deferred parts goes out in lines: only where their media type is named and preferred.

    A range such as `*/*` does not ask for it; where JSON is named too and weighs the same, the page is JSON.
    """
    accepted = request.header("Accept")
    if "ndjson" not in accepted.lower():
        return False
    from werkzeug.datastructures import MIMEAccept
    from werkzeug.http import parse_accept_header

    parsed = parse_accept_header(accepted, MIMEAccept)
    named = {kind.partition(";")[0].strip().lower(): weight for kind, weight in parsed}
    lines, whole = named.get(MEDIA_TYPE, 0), parsed.quality("application/json")
    return lines > 0 and (lines > whole or (lines == whole and "application/json" not in named))


class PageLines:
    """The lines of one page; `drafts` is what its shape may spend on pages that are not whole.

    The whole page draws on the page's own `evaluation`, so that it is made wherever the page is made in one piece.
    """

    def __init__(self, plan: Plan, evaluation: Evaluation, drafts: Evaluation, settings: Settings) -> None:
        assert plan.shape is not None, "a page without a shape has no lines"
        self._plan = plan
        self._shape = plan.shape
        self._evaluation = evaluation
        self._drafts = drafts
        self._settings = settings
        self._room = settings.max_answer
        self._page: Any = None
        self._told_failures = 0
        self._told_pending: tuple[str, ...] = ()

    def first(self, results: Results) -> bytes:
        """The page as it is with null for what is to come, itself null where it cannot be made so."""
        try:
            self._page = self._made(results)
        except PageError:
            if not results.pending:
                raise
        return self._line({"page": self._page}, results)

    def part(self, results: Results) -> bytes | None:
        """What has come since the last line; None where that is better told together with the next part."""
        try:
            page = self._made(results)
        except PageError:
            if results.pending:
                return None
            raise
        try:
            found = changes(self._page, page, self._drafts.charge)
        except BoundError:
            if results.pending:
                return None
            found = replacement(page)
        steps = [name for name in self._told_pending if name not in results.pending]
        line: dict[str, Any] = {"steps": steps, "patch": found}
        errors = errors_of(self._plan, results)[self._told_failures :]
        if errors:
            line["errors"] = errors
        self._page = page
        return self._line(line, results)

    def _made(self, results: Results) -> Any:
        errors = errors_of(self._plan, results)
        if results.pending:
            scope, evaluation = draft_scope(self._plan, results, self._drafts), self._drafts
        else:
            scope, evaluation = results.scope, self._evaluation
        page = self._shape({**scope, "errors": errors}, evaluation)
        measure_bounded(page, self._settings)  # shared sublists can be too many to compare
        return page

    def _line(self, line: dict[str, Any], results: Results) -> bytes:
        line["pending"] = list(results.pending)
        text = encode_bounded(line, self._settings, room=self._room, deeper=_DEEPER) + b"\n"
        self._room -= len(text)
        self._told_failures, self._told_pending = len(results.failures), results.pending
        return text


def answer_in_lines(status: int, headers: Headers, body: LiveBody) -> Answer:
    """The answer; nobody keeps it, and no proxy holds it back."""
    headers.append(("Content-Type", MEDIA_TYPE))
    put(headers, "Cache-Control", "no-store")
    put(headers, "X-Accel-Buffering", "no")
    return Answer(status, headers, body)


def lines_of(first: Results, parts: Iterator[Results], lines: PageLines, journal: Journal) -> Iterator[bytes]:
    """The first line, made already, and each further one when the server asks for it."""
    results, begun = first, lines.first(first)

    def rest() -> Iterator[bytes]:
        nonlocal results
        yield begun
        try:
            for results in parts:
                journal.partial, journal.stale = results.partial, results.stale
                line = lines.part(results)
                if line is not None:
                    yield line
            last: dict[str, Any] = {"complete": True, "partial": list(results.partial)}
            if results.stale:
                last["stale"] = list(results.stale)
        except PageError as error:
            last = _problem_line(error, journal)
        except Exception as error:
            last = _problem_line(unforeseen(error, journal), journal)
        journal.cut = False
        yield jsontext.encode(last) + b"\n"

    return rest()


def _problem_line(error: PageError, journal: Journal) -> dict[str, Any]:
    journal.end_with(error)
    return {"problem": document(error, journal.request_id)}
