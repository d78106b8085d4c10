"""Where a step with `cache:` looks for its replies before it asks: the key of each read, and on what terms."""

from __future__ import annotations

from msgspec.structs import replace

from bff.executor.results import Run
from bff.http import CacheTerms, OutgoingRequest, ReadKeys
from bff.http.cache.entry import CacheEntry
from bff.http.cache.reply_cache import cache_of
from bff.identity.recent_writes import RecentWrites
from bff.plan.model import PlannedRequest


class CachedReads:
    """Where the replies to the plain reads of one step are kept, and on what terms; made before the first of them.

    `target` is what each of them asks for, where that is the same.
    """

    def __init__(self, planned: PlannedRequest, target: str | None) -> None:
        self._planned = planned
        self._cache = cache_of(planned.client)
        assert planned.cache is not None, "it may be kept"
        self._terms = planned.cache
        self._keys = ReadKeys(planned.method, planned.client.url(""), planned.client.sent_headers)
        self._key = None if planned.private or target is None else self._keys.key(target, None, None)

    def fresh(self, run: Run, target: str, token: str | None, now: float) -> CacheEntry | None:
        """What is kept of a read and answers it as a new reply would, at `now` (monotonic)."""
        key = self._key
        if key is None:
            if token is not None and not token.isascii():
                return None  # whether it can be sent at all is for those to say who send it
            visitor = (run.calls.visitor or b"") if self._terms.private else None  # nobody is not everybody
            key = self._keys.key(target, token, visitor)
        entry = self._cache.get(key)
        if entry is None:
            return None
        terms = self._terms
        if run.context.written.moments or run.calls.ledger.wrote:
            terms = self._terms_after_writes(run)
        return entry if entry.is_fresh(terms, now) else None

    def request(self, run: Run, target: str, token: str | None) -> OutgoingRequest:
        """The request of a read that is not answered so."""
        step = self._planned
        return OutgoingRequest(
            method=step.method,
            path=target,
            safe=True,
            timeout=step.timeout,
            retries=step.retries,
            hedge=step.hedge,
            cache=cache_terms(step, run.context.written),
            visitor=run.calls.visitor,
            token=token,
        )

    def _terms_after_writes(self, run: Run) -> CacheTerms:
        """The terms of a read whose reply must be newer than what its visitor wrote lately, and its page just now."""
        terms = cache_terms(self._planned, run.context.written)
        return replace(terms, newer_than=max(terms.newer_than, run.calls.ledger.wrote))


def cache_terms(planned: PlannedRequest, written: RecentWrites) -> CacheTerms:
    """The terms on which the reply to a read may be kept, for a visitor who wrote this lately."""
    assert planned.cache is not None, "it may be kept"
    return replace(planned.cache, newer_than=written.newer_than(planned.known_as, private=planned.private))
