"""Mistakes of the engine, one of each kind: the matrix turns red for each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from copy import copy
from typing import Any

import pytest
from msgspec.structs import replace

import bff.executor.outcomes as outcomes
import bff.executor.passing as passing
import bff.executor.request_step as request_step
import bff.executor.run as run
import bff.http.calls as calls
import bff.http.stock.streaming as streaming
import bff.http.way as way
import bff.testing.upstream as upstream
import bff.web.answer as answer
import bff.web.problems as web_problems
from bff import jsontext
from bff.errors import Failure
from bff.executor.bind import BoundRequest
from bff.executor.writes import Writes
from bff.http import Calls, HeldStream, StreamBroke
from bff.http.cache.entry import CacheEntry
from bff.http.ledger import Ledger
from bff.http.sockets.idle import Idle
from bff.http.stock.streaming import RequestsStream
from bff.http.wires import Wires
from bff.plan.partial_decoding import NarrowDecoder
from bff.testing import Matrix
from bff.web.identity import Identity
from bff.web.keeping import CacheControl
from bff.web.recent_writes import RecentWritesCookie
from tests.testing.pages import problems

Seed = Callable[[pytest.MonkeyPatch], None]
SEEDS: dict[str, tuple[Seed, str, str | None, str | None, str]] = {}


def seed(page: str, step: str | None, fault: str | None, said: str) -> Callable[[Seed], Seed]:
    """Notes a mistake, a case that must see it, and a part of what that says; several cases may see one mistake."""

    def note(function: Seed) -> Seed:
        SEEDS[f"{function.__name__}-{page}-{step}-{fault}"] = (function, page, step, fault, said)
        return function

    return note


@seed("reading", "me", "500", "expected status 502, found 500")
@seed("sending", "file", "500", "expected status 502, found 500")
def the_status_is_mapped_wrongly(patch: pytest.MonkeyPatch) -> None:
    good = outcomes._of_status

    def of_status(planned: Any, reply: Any, *given: Any) -> Failure:
        return replace(good(planned, reply, *given), status=reply.status)

    patch.setattr(outcomes, "_of_status", of_status)


@seed("reading", "me", "401", "expected status 502, found 401")
def our_own_credentials_become_the_visitors_problem(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(outcomes, "KEPT_STATUSES", outcomes.KEPT_STATUSES | {401})


@seed("reading", "notice", "500", "expected status 200, found 502")
def the_fallback_is_ignored(patch: pytest.MonkeyPatch) -> None:
    good = run.PageRun.finish

    def finish(self: run.PageRun, step: Any) -> None:
        step.bound = copy(step.bound)
        step.bound.planned = replace(step.bound.planned, fallback=None)
        good(self, step)

    patch.setattr(run.PageRun, "finish", finish)


@seed("reading", "notice", "HTML", "expected notice to be 'none', found None")
def another_value_than_the_fallback_is_shown(patch: pytest.MonkeyPatch) -> None:
    good = run.PageRun.end
    patch.setattr(
        run.PageRun,
        "end",
        lambda self, step, value, outcome: good(
            self, step, None if outcome == "fallback" else value, outcome
        ),
    )


@seed("reading", "notice", "refused", "expected X-Page-Partial: notice, found None")
def the_partial_header_is_lost(patch: pytest.MonkeyPatch) -> None:
    good = run.PageRun._lacking
    patch.setattr(run.PageRun, "_lacking", lambda self: ((), good(self)[1]))


@seed("reading", "notice", "404", "expected a partial page to be no-store")
@seed("reading", "notice", "kept", "expected an old page to be no-store")
def a_partial_or_old_page_may_be_kept(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(CacheControl, "of", lambda self, results: "private, max-age=60")


@seed("reading", "notice", "kept", "expected X-Page-Stale: notice, found None")
def the_header_of_what_is_old_is_lost(patch: pytest.MonkeyPatch) -> None:
    good = run.PageRun._lacking
    patch.setattr(run.PageRun, "_lacking", lambda self: (good(self)[0], ()))


@seed("reading", "notice", "kept", "expected X-Page-Stale: notice, found None")
def nothing_old_stands_in(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(CacheEntry, "may_stand_in", lambda self, *given: False)


@seed("writing", "second", "500", "expected the cookie that says what was written")
def the_cookie_of_what_was_written_is_lost(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RecentWritesCookie, "tell", lambda self, *given: None)


@seed("reading", "me", "429", "found the backend's words in the answer")
def upstream_text_is_leaked(patch: pytest.MonkeyPatch) -> None:
    good = outcomes.of_reply

    def leaky(planned: Any, reply: Any, *more: Any) -> Any:
        found = good(planned, reply, *more)
        return replace(found, detail=reply.raw.decode()) if isinstance(found, Failure) else found

    patch.setattr(outcomes, "of_reply", leaky)


@seed("reading", "notice", "503", "expected notice to be 'none', found 'upstream-words-that-must-not-show'")
def a_failed_reply_is_shown(patch: pytest.MonkeyPatch) -> None:
    good = outcomes.of_reply

    def shown(planned: Any, reply: Any, *more: Any) -> Any:
        return {"text": reply.json()["message"]} if reply.status == 503 else good(planned, reply, *more)

    patch.setattr(outcomes, "of_reply", shown)


@seed("reading", "me", "hangs", "expected an answer within")
def the_deadline_is_not_enforced(patch: pytest.MonkeyPatch) -> None:
    good = calls.Call.__init__

    def patient(self: Any, client: Any, request: Any, until: float, *more: Any) -> None:
        good(self, client, request, until + 60, *more)

    good_ask = Wires.ask

    def ask_patiently(*given: Any) -> Any:
        found = good_ask(*given)
        for patient_one in (found, getattr(found, "flight", None)):
            if patient_one is not None:
                patient_one.until += 60
        return found

    patch.setattr(calls.Call, "__init__", patient)
    patch.setattr(Wires, "ask", ask_patiently)
    patch.setattr(Calls, "wait", _waiting_on(Calls.wait))
    patch.setattr(upstream, "_PATIENCE", 1.0)


def _waiting_on(good: Any) -> Any:
    return lambda self, until: good(self, until + 60)


@seed("reading", "notice", "drip", "expected an answer within")
def a_reply_may_drip_for_ever(patch: pytest.MonkeyPatch) -> None:
    the_deadline_is_not_enforced(patch)


@seed("reading", "notice", "500", "expected name to be 'me-name-1', found None")
def an_unharmed_field_is_changed(patch: pytest.MonkeyPatch) -> None:
    good = run.PageRun._results

    def results(self: Any, pending: Any) -> Any:
        if self._failures:
            self.scope["me"] = None
        return good(self, pending)

    patch.setattr(run.PageRun, "_results", results)


@seed("reading", "me", "503", "expected Retry-After 7, found None")
def retry_after_is_lost(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(outcomes, "_retry_after", lambda text: None)


@seed("reading", "notice", "500", "expected errors[0].fields")
def the_fields_of_an_error_are_lost(patch: pytest.MonkeyPatch) -> None:
    good = answer.entry
    patch.setattr(answer, "entry", lambda failure, fields: good(failure, []))


@seed("reading", "me", "half", "expected status 502, found 200")
def what_is_no_json_is_taken_for_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(outcomes, "_body", lambda step, reply, *_, **__: outcomes._body_or_null(reply))


@seed("reading", "todos", "form", "expected status 502, found 200")
def what_is_no_list_is_an_empty_page(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(outcomes, "first_not_list", lambda *_: None)


@seed("reading", "todos", "missing rows", "expected status 502, found 200")
@seed("promised", "person", "retyped name", "expected status 502, found 200")
@seed("promised", "person", "missing name", "expected status 502, found 200")
@seed("promised", "rows", "missing found[*].id", "expected X-Page-Partial: rows, found None")
def replies_are_held_to_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(NarrowDecoder, "__call__", lambda self, raw, max_depth: jsontext.decode(raw, max_depth))


@seed("reading", "me", "10MB", "expected failure 'too-large' in the problem, found 'bad-reply'")
def replies_have_no_bound(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Ledger, "room", property(lambda self: 2**40))


@seed("reading", "todos", "nulls", "expected status 200, found 502")
def null_is_taken_for_a_failure(patch: pytest.MonkeyPatch) -> None:
    good = outcomes._is_list_at
    patch.setattr(outcomes, "_is_list_at", lambda value, path: value is not None and good(value, path))


@seed("reading", "me", "empty", "expected status 502, found 200")
def an_empty_body_is_taken_for_a_page(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(outcomes, "_empty", lambda step, item: None)


@seed("writing", "second", "500", "expected done ['first'] in the problem, found None")
def what_was_written_is_not_told(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Writes, "members", property(lambda self: {}))


@seed("writing", "second", "hangs", "expected unknown ['second'] in the problem, found []")
def a_write_without_a_reply_is_taken_for_none(patch: pytest.MonkeyPatch) -> None:
    good = request_step._outcome_of

    def outcome_of(result: Any, *, lost: bool) -> Any:
        found = good(result, lost=lost)
        return "unsent" if found == "unknown" else found

    patch.setattr(request_step, "_outcome_of", outcome_of)


@seed("writing", "second", "500", "expected undo_failed ['taken_back'] in the problem, found []")
def what_was_written_is_not_taken_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(run.PageRun, "take_back", lambda self: self.writes.members)


@seed("writing", "first", "stale", "expected status 201, found 502")
def a_stale_connection_is_used(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Idle, "take", lambda self, **_: self._kept.pop() if self._kept else None)


@seed("many", "rows", "404", "expected errors to be")
def failures_of_items_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    forgetful = property(lambda self: [], lambda self, value: None)
    patch.setattr(run.RequestStep, "item_failures", forgetful, raising=False)


@seed("many", "other", "404", "expected step other to be asked, found ids, rows asked")
def a_step_is_not_asked(patch: pytest.MonkeyPatch) -> None:
    good = run._STARTS[BoundRequest]

    def start(page: Any, step: Any) -> None:
        if step.name == "other":
            page.end(step, None, "skipped")
        else:
            good(page, step)

    patch.setitem(run._STARTS, BoundRequest, start)


@seed("fetching", "file", "HTML", "expected status 502, found 200")
def a_page_of_a_backend_is_handed_on(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(passing, "manner_of", lambda content_type: "inline")


@seed("fetching", "file", "half", "expected a body that breaks off, found one that does not")
def a_broken_body_ends_as_a_whole_one_does(patch: pytest.MonkeyPatch) -> None:
    def chunks(self: Any) -> Any:
        with suppress(StreamBroke):
            yield from self._stream.chunks()

    patch.setattr(HeldStream, "chunks", chunks)


@seed("fetching", "file", "10MB", "expected the 10485760 bytes of the backend, found")
def a_piece_of_a_body_is_lost(patch: pytest.MonkeyPatch) -> None:
    good = RequestsStream._read
    patch.setattr(RequestsStream, "_read", lambda self: good(self)[:-1] if self._request.max_bytes else b"")


@seed("fetching", "file", "drip", "expected an answer within")
def a_body_may_take_as_long_as_it_likes(patch: pytest.MonkeyPatch) -> None:
    good = streaming.at
    patch.setattr(streaming, "at", lambda until, *given: good(until + 1.0, *given))


@seed(
    "fetching",
    None,
    None,
    "expected the header Content-Security-Policy: sandbox; default-src 'none', found default",
)
def what_goes_through_stands_in_no_sandbox(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("bff.web.passing.SANDBOX", "default-src *")


@seed("sending", "file", "HTML", "expected done ['file'] in the problem, found")
def an_upload_that_was_done_is_not_told(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Writes, "members", property(lambda self: {}))


@seed("reading", None, None, "expected another page: expected name to be 'me-name-1', found None")
def a_good_page_lacks_a_value(patch: pytest.MonkeyPatch) -> None:
    good = run.PageRun._results

    def results(self: Any, pending: Any) -> Any:
        self.scope["me"] = None
        return good(self, pending)

    patch.setattr(run.PageRun, "_results", results)


@seed("writing", "second", "cut", "expected step second to be asked 1 times, found 2")
def a_write_is_tried_again(patch: pytest.MonkeyPatch) -> None:
    good = way.Way.__init__

    def init(self: Any, *given: Any, **more: Any) -> None:
        good(self, *given, **more)
        self.may_retry, self.retries = True, 1

    patch.setattr(way.Way, "__init__", init)


@seed("reading", "me", "500", "expected no member name in the problem")
def a_problem_has_a_field_of_the_page(patch: pytest.MonkeyPatch) -> None:
    good = web_problems.document
    patch.setattr(web_problems, "document", lambda *given: good(*given) | {"name": None})


@seed("signing", "login", "500", "expected no Set-Cookie with a problem")
def a_problem_signs_in(patch: pytest.MonkeyPatch) -> None:
    good = web_problems.Answer
    cookie = ("Set-Cookie", "bff-session=x")
    patch.setattr(
        web_problems, "Answer", lambda status, headers, body: good(status, [*headers, cookie], body)
    )


@seed("signing", None, None, "expected the session cookie")
def nobody_is_signed_in(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Identity, "sign_in", lambda self, *given: None)


@seed("reading", "notice", "500", "expected the header X-Name: me-name-1, found None")
def a_header_of_the_page_is_lost(patch: pytest.MonkeyPatch) -> None:
    good = answer.Answers._headers

    def headers(self: Any, results: Any, *given: Any) -> Any:
        return [one for one in good(self, results, *given) if not results.partial or one[0] != "X-Name"]

    patch.setattr(answer.Answers, "_headers", headers)


@pytest.mark.parametrize("name", SEEDS)
def test_it_turns_red_when(name: str, matrix: Matrix, monkeypatch: pytest.MonkeyPatch) -> None:
    seeded, page, step, fault, said = SEEDS[name]
    seeded(monkeypatch)  # without it, every case is green: test_matrix.py
    found = problems(matrix, page, step, fault)
    assert [line for line in found if said in line], found


def test_a_case_says_what_was_expected_and_found(matrix: Matrix, monkeypatch: pytest.MonkeyPatch) -> None:
    the_status_is_mapped_wrongly(monkeypatch)
    case = next(case for case in matrix.cases if str(case) == "reading-todos-500")
    with pytest.raises(AssertionError) as caught:
        case.check()
    assert str(caught.value).splitlines()[:2] == [
        "reading-todos-500:",
        "  expected status 502, found 500",
    ]
