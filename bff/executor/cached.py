"""Reads with `cache:`: what is kept and fresh is a step's value at once, and no call is made of it."""

from __future__ import annotations

from typing import Any

from bff import clock
from bff.errors import Failure, FunctionError
from bff.executor import outcomes
from bff.executor.bind import BoundCached
from bff.executor.cached_reads import newer_than
from bff.executor.render import target_of
from bff.executor.request_step import RequestStep
from bff.executor.results import SAY_SO
from bff.http import OutgoingRequest
from bff.http.cache.entry import CacheEntry
from bff.http.charsets import IN_UTF8
from bff.jsontext import NotJSON, TooDeep
from bff.plan.holding import UnmetNeed


class CachedStep(RequestStep):
    """Runs a step of plain reads that may be kept: those for which nothing fresh is kept go on as calls."""

    bound: BoundCached

    def send(self, at: int) -> None:
        """Takes what is kept for the value of one read, or sends it."""
        bound, run = self.bound, self._run
        target: str | Failure | None = bound.target
        if target is None:
            target = target_of(bound, self._local(at), run.evaluation, at)
        if not isinstance(target, str):
            self._store(at, target)
            return
        auth, calls, now = bound.auth, run.calls, clock.monotonic()
        token = None if auth is None else run.context.visitor.token(auth.name, or_bearer=auth.bearer)
        self.sent += 1
        entry = bound.cached.fresh(run, target, token, now)
        if entry is None or calls.ledger.bytes + len(entry.raw) > calls.limits.max_replies:
            self._ask(at, target, token)
            return
        calls.ledger.bytes += len(entry.raw)
        calls.cache_hit(bound.planned.client)
        headers = entry.headers
        if bound.plain and headers.get("content-type") in IN_UTF8 and SAY_SO.isdisjoint(headers):
            try:
                outcome = bound.decode(entry.raw, calls.limits.max_depth)
            except (NotJSON, TooDeep, UnmetNeed):
                outcome = self._judged_entry(entry, at, now)
            else:
                if bound.take is not None:
                    outcome = self._taken(outcome, at)
        else:
            outcome = self._judged_entry(entry, at, now)
        if bound.is_single and outcome.__class__ is not Failure:
            self._values[at] = outcome
        else:
            self._store(at, self._with_lists(at, outcome) if bound.lists_of_items else outcome)

    def _ask(self, at: int, target: str, token: str | None) -> None:
        """Has a call made of a read, which knows what else may answer it."""
        run = self._run
        after = newer_than(self.bound.planned, run.context.written)
        request = OutgoingRequest(target, token=token, visitor=run.calls.visitor, newer_than=after)
        self.in_flight[run.calls.ask(self, at, self.bound.way, request)] = at

    def _judged_entry(self, entry: CacheEntry, at: int, now: float) -> Any:
        """The value of a kept reply, or its Failure, where there is more to it than its JSON."""
        bound, run = self.bound, self._run
        reply = entry.reply(now)
        reply.max_depth = run.calls.limits.max_depth
        if not SAY_SO.isdisjoint(reply.headers):
            run.keeping.limit(reply.allows())
        if bound.planned.falls_back_on_reply:
            self._replied = at, reply
        try:
            return outcomes.of_reply(bound.planned, reply, self._local(at), run.evaluation, self._item(at))
        except FunctionError as error:
            return outcomes.of_function(self.name, error, self._item(at))
