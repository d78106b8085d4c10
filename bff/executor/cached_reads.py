"""Where a step with `cache:` looks for its replies before it asks: the key of each read, and on what terms."""

from __future__ import annotations

from msgspec.structs import replace

from bff.executor.results import Run
from bff.http import ReadKeys
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
            after = newer_than(self._planned, run.context.written)
            terms = replace(terms, newer_than=max(after, run.calls.ledger.wrote))
        return entry if entry.is_fresh(terms, now) else None


def newer_than(planned: PlannedRequest, written: RecentWrites) -> float:
    """What a reply must have been asked for after (epoch seconds), for a visitor who wrote this lately."""
    return written.newer_than(planned.known_as, private=planned.private)
