"""Reads with `cache:`: what is kept and fresh is a step's value at once, and no call is made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from bff import clock
from bff.errors import Failure, FunctionError
from bff.executor import judge
from bff.executor.render import cache_terms, target_of
from bff.executor.request_step import RequestStep
from bff.executor.results import SAY_SO
from bff.http import CacheTerms, OutgoingRequest, ReadKeys
from bff.http.charsets import IN_UTF8
from bff.jsontext import NotJSON, TooDeep

if TYPE_CHECKING:
    from bff.executor.bind import BoundCached, BoundRequest
    from bff.executor.run import PageRun
    from bff.http.kept import Kept


class CachedReads:
    """Where the replies to the plain reads of one step are kept, and on what terms; made before the first of them."""

    def __init__(self, bound: BoundRequest) -> None:
        planned = bound.planned
        self._planned = planned
        self._client = planned.client
        assert planned.cache is not None, "it may be kept"
        self._terms = planned.cache
        self._keys = ReadKeys(planned.method, self._client.url(""), self._client.sent_headers)
        target = None if planned.private else bound.target
        self._key = None if target is None else self._keys.key(target, None, None)

    def fresh(self, run: PageRun, target: str, token: str | None, now: float) -> Kept | None:
        """What is kept of a read and answers it as a new reply would, at `now` (monotonic)."""
        key = self._key
        if key is None:
            if token is not None and not token.isascii():
                return None  # whether it can be sent at all is for those to say who send it
            visitor = (run.calls.visitor or b"") if self._terms.private else None  # nobody is not everybody
            key = self._keys.key(target, token, visitor)
        entry = self._client.cache.get(key)
        if entry is None:
            return None
        terms = self._terms
        if run.terms.written.moments or run.calls.ledger.wrote:
            terms = self._terms_after_writes(run)
        return entry if entry.is_fresh(terms, now) else None

    def request(self, run: PageRun, target: str, token: str | None) -> OutgoingRequest:
        """The request of a read that is not answered so."""
        step = self._planned
        return OutgoingRequest(
            method=step.method,
            path=target,
            safe=True,
            timeout=step.timeout,
            retries=step.retries,
            hedge=step.hedge,
            cache=self._terms_after_writes(run),
            visitor=run.calls.visitor,
            token=token,
        )

    def _terms_after_writes(self, run: PageRun) -> CacheTerms:
        """The terms of a read whose reply must be newer than what its visitor wrote lately, and its page just now."""
        terms = cache_terms(self._planned, run.terms.written)
        return replace(terms, newer_than=max(terms.newer_than, run.calls.ledger.wrote))


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
        token = None if auth is None else run.terms.visitor.token(auth.name, or_bearer=auth.bearer)
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
            except (NotJSON, TooDeep):
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
        call = run.calls.start(self.bound.planned.client, self.bound.cached.request(run, target, token))
        call.owner, call.at = self, at
        self.in_flight[call] = at

    def _judged_entry(self, entry: Kept, at: int, now: float) -> Any:
        """The value of a kept reply, or its Failure, where there is more to it than its JSON."""
        bound, run = self.bound, self._run
        reply = entry.reply(now)
        reply.max_depth = run.calls.limits.max_depth
        if not SAY_SO.isdisjoint(reply.headers):
            run.keeping.limit(reply)
        try:
            return judge.of_reply(bound.planned, reply, self._local(at), run.evaluation, self._item(at))
        except FunctionError as error:
            return judge.of_function(self.name, error, self._item(at))
