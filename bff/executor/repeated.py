"""Reads that are asked several times for one value: all pages of a list, or the same until it is done.

Each request of an item begins when the reply to the one before it is judged, and goes as any other: with its own
time-out, retries, `ok`, `on_status` and `take`. All of an item's have an end of their own beside that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from bff import clock
from bff.errors import Failure, FunctionError
from bff.executor import outcomes
from bff.executor.bind import BoundRepeated
from bff.executor.request_step import RequestStep, Waiting
from bff.executor.results import SAY_SO, Run
from bff.expressions.paths import ANY, path_text
from bff.http import Broken, OutgoingRequest, Reply, retry_after
from bff.http.next_page import target_of_next
from bff.plan.model import DONE, PlannedPages, PlannedUntil

_AGAIN = object()
"""Stands for a value that a further request is made for."""

_SCALARS = frozenset({str, int, float, bool})


class RepeatedStep(RequestStep):
    """Runs a step whose requests follow one another until one of them is an item's last."""

    bound: BoundRepeated

    def __init__(self, bound: BoundRepeated, run: Run) -> None:
        super().__init__(bound, run)
        self._ends: dict[int, float] = {}

    def send(self, at: int) -> None:
        """Sends the first request of an item."""
        within, deadline = self.bound.planned.repeats.within, self._run.context.deadline  # type: ignore[union-attr]
        self._ends[at] = deadline if within is None else min(deadline, clock.monotonic() + within)
        request = self._first(at)
        if isinstance(request, Failure):
            self._store(at, request)
        elif request is not None:
            self._ask(at, request)

    def take_in(self, one: Waiting) -> bool:
        at = self.in_flight.pop(one, None)
        if at is None:
            one.release()
            return False
        outcome = self._judged(one, at)
        if outcome is not _AGAIN:
            if self.bound.lists_of_items:
                outcome = self._with_lists(at, outcome)
            self._store(at, outcome)
            if self._waiting:
                self._launch()
        if self.in_flight:
            return False
        self.settle()
        return True

    def _ask(self, at: int, request: OutgoingRequest, moment: float | None = None) -> None:
        """Sends a request of an item, now or at a moment (monotonic)."""
        calls, way, end = self._run.calls, self.bound.way, self._ends[at]
        call = (
            calls.start(way, request, end) if moment is None else calls.start_later(way, request, moment, end)
        )
        call.owner, call.at = self, at
        self.in_flight[call] = at
        self.sent += 1

    def _judged(self, one: Waiting, at: int) -> Any:
        """The value of an item, or its Failure, or _AGAIN."""
        result = one.result
        assert result is not None, "only what has ended is taken in"
        one.release()
        if isinstance(result, Broken):
            self._replied = None
            return self._broken(at, result)
        if self.bound.planned.falls_back_on_reply:
            self._replied = at, result
        if not SAY_SO.isdisjoint(result.headers):
            self._run.keeping.limit(result.allows())
        try:
            outcome = self._after(at, result)
        except FunctionError as error:
            outcome = outcomes.of_function(self.name, error, self._item(at))
        if result.stale is not None and not isinstance(outcome, Failure):
            self._note_stale(outcomes.of_stale(self.bound.planned, result.stale, self._item(at)))
        return outcome

    def _first(self, at: int) -> OutgoingRequest | Failure | None:
        raise NotImplementedError

    def _after(self, at: int, reply: Reply) -> Any:
        raise NotImplementedError


class _List:
    """A list of which some pages are there: its rows, the current cursor and request, and what was asked before."""

    __slots__ = ("cursor", "cursors", "request", "requests", "rows")

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.cursor: Any = None
        self.cursors: set[Any] = set()
        self.request: OutgoingRequest | None = None
        self.requests: set[Any] = set()


class PagesStep(RepeatedStep):
    """Goes through all pages of a list; its value are their rows together."""

    def __init__(self, bound: BoundRepeated, run: Run) -> None:
        super().__init__(bound, run)
        pages = bound.planned.repeats
        assert isinstance(pages, PlannedPages), "it goes through a list"
        self._pages = pages
        self._lists: dict[int, _List] = {}

    def _local(self, at: int) -> Mapping[str, Any]:
        return {**self._run.scope, **self._local_names(at)}

    def _local_names(self, at: int) -> dict[str, Any]:
        names = super()._local_names(at)
        if self._pages.name is not None and at in self._lists:
            names[self._pages.name] = self._lists[at].cursor
        return names

    def _first(self, at: int) -> OutgoingRequest | Failure | None:
        one, first = _List(), self._pages.first
        if first is not None:
            try:
                one.cursor = first(self._local(at), self._run.evaluation)
            except FunctionError as error:
                return outcomes.of_function(self.name, error, self._item(at))
        self._lists[at] = one
        one.cursors.add(self._key_of(one.cursor))
        request = self._rendered(at)
        if isinstance(request, OutgoingRequest):
            one.request = request
            one.requests.add(_what(request))
        return request

    def _after(self, at: int, reply: Reply) -> Any:
        planned, one, item = self.bound.planned, self._lists[at], self._item(at)
        scope = self._local(at)
        rows, following = outcomes.page_of(
            planned, self._pages.next, reply, scope, self._run.evaluation, item
        )
        if isinstance(rows, Failure):
            return rows
        if rows is not None and not isinstance(rows, list):
            path = (self.name,) if item is None else (self.name, ANY)
            return outcomes.bad_reply(self.name, path_text(path), item)
        one.rows += rows or ()
        if following is None or following is False or following == "":
            return one.rows
        if len(one.requests) >= self._pages.most:
            return self._beyond(one, item)
        request = self._next(at, one, following)
        if isinstance(request, Failure):
            return request
        what = _what(request)
        if what in one.requests:
            return self._again(item)
        one.request = request
        one.requests.add(what)
        self._ask(at, request)
        return _AGAIN

    def _next(self, at: int, one: _List, following: Any) -> OutgoingRequest | Failure:
        """The request for the page that follows, or why there is none."""
        item = self._item(at)
        if self._pages.name is None:
            assert one.request is not None, "its reply was judged"
            target = None
            if isinstance(following, str):
                target = target_of_next(following, one.request.target, self.bound.base)
            if target is None:
                what = "an address of its next page that its client does not ask"
                return self._wrong(what, "address", item)
            return replace(one.request, path=target, query=())
        key = self._key_of(following)
        if key in one.cursors:
            return self._again(item)
        one.cursor = following
        one.cursors.add(key)
        request = self._rendered(at)
        if request is None:
            return outcomes.unsent(self.name, "a part of its path is empty.", by_visitor=False, item=item)
        # What the visitor sent was right for the first request: now it is the cursor that is not.
        is_unsent = isinstance(request, Failure) and request.kind == "unsent"
        return replace(request, status=502) if is_unsent else request

    def _beyond(self, one: _List, item: int | None) -> Any:
        """What becomes of a list that has more pages than may be read."""
        detail = f"'{self.name}' has more pages than the {self._pages.most} that may be read."
        failure = Failure(self.name, "limit", 500, detail, item=item)
        if not self._pages.stops:
            return failure
        if item is not None or not self.item_failures:
            self.item_failures = [*self.item_failures, failure]
        return one.rows

    def _again(self, item: int | None) -> Failure:
        return self._wrong("a page of its list that was asked for before", "repeat", item)

    def _wrong(self, what: str, reason: Any, item: int | None) -> Failure:
        detail = f"'{self.name}' answered with {what}."
        return Failure(self.name, "bad-reply", 502, detail, item=item, reason=reason)

    def _key_of(self, cursor: Any) -> Any:
        """What is the same in equal cursors."""
        if cursor is None or cursor.__class__ in _SCALARS:
            return cursor.__class__, cursor
        return self._run.context.encode(cursor)


def _what(request: OutgoingRequest) -> Any:
    """What is the same in equal requests of a step."""
    return request.path, request.query, frozenset(request.headers.items()), request.body


class UntilStep(RepeatedStep):
    """Asks the same again until it is done."""

    def __init__(self, bound: BoundRepeated, run: Run) -> None:
        super().__init__(bound, run)
        until = bound.planned.repeats
        assert isinstance(until, PlannedUntil), "it is done at some time"
        self._repeats = until
        self._requests: dict[int, OutgoingRequest] = {}

    def _first(self, at: int) -> OutgoingRequest | Failure | None:
        request = self._rendered(at)
        if isinstance(request, OutgoingRequest):
            self._requests[at] = request
        return request

    def _after(self, at: int, reply: Reply) -> Any:
        planned, run, scope = self.bound.planned, self._run, self._local(at)
        if outcomes.accepts(planned, reply, scope, run.evaluation):
            with_body = DONE in planned.bodies_seen
            seen = outcomes.reply_names(planned, reply, run.evaluation, with_body=with_body)
            if not self._repeats.done({**scope, "reply": seen}, run.evaluation):
                return self._later(at, reply)
            wrong = outcomes.first_not_list(seen["body"], ("reply", "body"), planned.reply_lists)
            if wrong is not None:
                return outcomes.bad_reply(self.name, wrong, self._item(at))
        return outcomes.of_reply(planned, reply, scope, run.evaluation, self._item(at))

    def _later(self, at: int, reply: Reply) -> Any:
        """Asks again after a while, or fails at once where no time is left for that."""
        moment = clock.monotonic() + max(self._repeats.every, retry_after(reply) or 0.0)
        if moment + self._run.calls.limits.min_try > self._ends[at]:
            detail = f"'{self.name}' was not done in time."
            return Failure(self.name, "timeout", 504, detail, item=self._item(at), reason="not-done")
        self._ask(at, self._requests[at], moment)
        return _AGAIN
