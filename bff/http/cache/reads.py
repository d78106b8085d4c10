"""The reads of one page whose replies may be kept: what answers each, and what is kept of what comes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from math import inf
from typing import TYPE_CHECKING

from msgspec.structs import replace

from bff import clock
from bff.http.cache.background import BackgroundReads, MakeCalls, Share
from bff.http.cache.entry import entry_of
from bff.http.cache.reply_cache import cache_of, key_of
from bff.http.fetch import Call, Fetch
from bff.http.fetches import Fetches, Outcome
from bff.http.messages import Broken, CacheOutcome, CacheTerms, OutgoingRequest, Reply
from bff.http.transport import Started, Transport

if TYPE_CHECKING:  # who has no store loads none
    from bff.http.cache.redis_cache import LookUp

_FAILURES = frozenset({429})
_SHARE_OF_TIME = 0.5


class Reads:
    """Answers reads from what is kept, from what other pages fetch, or by requests of this page.

    The order: what this process keeps, what instances keep together, a fetch shared with other pages, a request. An
    old reply stands in at once, or when the request fails, as far as the recipe and its backend allow. With `only_new`
    none does, and nothing is shared: these are the reads that others wait for.
    """

    def __init__(
        self,
        transport: Transport,
        deadline: float,
        fetches: Fetches,
        end: Callable[[Call, Outcome], None],
        anew: MakeCalls,
        background: BackgroundReads | None,
    ) -> None:
        self.only_new = False
        self._transport = transport
        self._deadline = deadline
        self._fetches = fetches
        self._end = end
        self._anew = anew
        self._background = background
        self._looking: dict[Started, tuple[Call, LookUp]] = {}
        self._sharing: dict[Started, tuple[Call, Share]] = {}

    def __bool__(self) -> bool:
        return bool(self._looking or self._sharing)

    @property
    def awaited(self) -> Collection[Started]:
        """What other threads do for this page."""
        return (*self._looking, *self._sharing) if self else ()

    def begin(self, call: Call) -> None:
        """Answers a read, or sets going what will."""
        terms = call.terms = self._terms_of(call.request)
        visitor = (call.request.visitor or b"") if terms.private else None  # nobody is not everybody
        call.key = key_of(call.request.method, call.url, call.headers, call.request.body, visitor)
        call.kept = cache_of(call.client).get(call.key)
        if self._is_answered(call, terms):
            return
        look = None if self._background is None else self._background.look_up(call, self._transport)
        if look is None:
            self._ask(call, terms)
        else:
            self._looking[look.promise] = (call, look)

    def land(self, started: Started) -> None:
        """Takes in what another thread has done."""
        if started in self._looking:
            self._looked_up(*self._looking.pop(started))
        elif started in self._sharing:
            call, share = self._sharing.pop(started)
            self._shared(call, started.outcome or Broken("refused", reason="internal"), share.cached)

    def ring(self, now: float) -> None:
        """Goes on without what takes too long."""
        for started, (call, look) in list(self._looking.items()):
            if min(look.until, call.until) <= now:
                del self._looking[started]
                look.give_up()
                self._looked_up(call, look)
        for started, (call, _) in list(self._sharing.items()):
            if call.until <= now:
                del self._sharing[started]
                self._transport.abandon(started)
                self._shared(call, Broken("timeout", reason="reply-timeout"), None)

    def due(self) -> float:
        """When something is due next (monotonic), infinity where nothing is."""
        looking = [min(look.until, call.until) for call, look in self._looking.values()]
        return min([*looking, *(call.until for call, _ in self._sharing.values())], default=inf)

    def give_up(self, call: Call) -> None:
        """Lets a call wait no more."""
        for started, (found, _) in list(self._sharing.items()):
            if found is call:
                del self._sharing[started]
                self._transport.abandon(started)
        for started, (owner, look) in list(self._looking.items()):
            if owner is call:
                del self._looking[started]
                look.give_up()

    def close(self) -> None:
        """Waits for nothing any more; where nothing runs behind pages, what is to be kept is handed over first."""
        for call, _ in (*self._sharing.values(), *self._looking.values()):
            self.give_up(call)
        if self._background is not None:
            self._background.hand_over()

    def settled(self, call: Call, fetch: Fetch, outcome: Outcome) -> Outcome:
        """What a call is given for the outcome of its request; what may be kept of it is."""
        terms = call.terms
        assert terms is not None, "it may be kept"
        if _is_failure(outcome):
            return self._stand_in(call, terms, outcome)
        call.cached = "revalidated" if fetch.confirmed else "miss"
        if isinstance(outcome, Reply) and call.key not in fetch.kept_under:
            fetch.kept_under.add(call.key)
            self._keep(call, terms, fetch, outcome)
        return outcome

    # --- what is kept ----------------------------------------------------------------------------------------------

    def _terms_of(self, request: OutgoingRequest) -> CacheTerms:
        """The terms of a request: private where a token or an address had a part in it, and new below a write."""
        terms = request.cache
        assert terms is not None, "it may be kept"
        private = terms.private or request.token is not None or request.forwarded != ()
        newer_than = max(terms.newer_than, self._fetches.ledger.wrote)
        shared = terms.shared and not private and not self.only_new
        if (terms.private, terms.shared, terms.newer_than) == (private, shared, newer_than):
            return terms
        return replace(terms, private=private, shared=shared, newer_than=newer_than)

    def _is_answered(self, call: Call, terms: CacheTerms) -> bool:
        """Ends a call whose reply is kept and may be given now."""
        kept, now = call.kept, clock.monotonic()
        if kept is None:
            return False
        if kept.is_fresh(terms, now):
            call.cached = "hit"
        elif self._refreshes_behind and kept.may_stand_in(terms, terms.stale_while_revalidate, now):
            assert self._background is not None, "it refreshes"
            self._background.refresh(call, self._anew)
            call.cached = "stale"
        else:
            return False
        self._end(call, self._fetches.ledger.counted(kept.reply(now)))
        return True

    @property
    def _refreshes_behind(self) -> bool:
        return self._background is not None and self._background.runs_on and not self.only_new

    def _stand_in(self, call: Call, terms: CacheTerms, outcome: Outcome) -> Outcome:
        """The old reply in the place of a failure, where the recipe has it so."""
        kept, now = call.kept, clock.monotonic()
        call.cached = "miss"
        if kept is None or self.only_new:
            return outcome
        within = kept.may_stand_in(terms, terms.stale_while_revalidate, now)
        if not within and not kept.may_stand_in(terms, terms.stale_if_error, now):
            return outcome
        call.cached = "stale"
        why = outcome.status if isinstance(outcome, Reply) else outcome
        return self._fetches.ledger.counted(kept.reply(now, stale=None if within else why))

    def _keep(self, call: Call, terms: CacheTerms, fetch: Fetch, reply: Reply) -> None:
        """Keeps a reply, or forgets what was kept where the backend has said something else since."""
        now = clock.monotonic()
        took = now - fetch.begun
        kept = entry_of(reply, private=terms.private, asked=clock.wall() - took, arrived=now, took=took)
        seconds = 0.0 if kept is None else kept.kept_for(terms)
        if kept is not None and seconds > 0:
            cache_of(call.client).put(call.key, kept, now + seconds)
            if self._background is not None:
                self._background.keep(call, kept, seconds)
        elif call.kept is not None:
            cache_of(call.client).drop(call.key)
            if self._background is not None:
                self._background.forget(call)

    # --- who is asked ----------------------------------------------------------------------------------------------

    def _looked_up(self, call: Call, look: LookUp) -> None:
        """Goes on with what instances keep together, if it is newer than what this process keeps."""
        terms, found = call.terms, look.found
        assert terms is not None, "it may be kept"
        if found is not None and (call.kept is None or found.arrived > call.kept.arrived):
            call.kept = found
            cache_of(call.client).put(call.key, found, found.arrived + found.kept_for(terms))
        if not self._is_answered(call, terms):
            self._ask(call, terms)

    def _ask(self, call: Call, terms: CacheTerms) -> None:
        """Has a call wait for a fetch of other pages too, where it may be shared, else for a request of this page."""
        now, kept = clock.monotonic(), None if self.only_new else call.kept
        if kept is not None and kept.may_stand_in(terms, terms.stale_while_revalidate, now):
            # What waits for this step needs time too, and there is something to give it.
            call.until = min(call.until, now + (self._deadline - now) * _SHARE_OF_TIME)
        # What another page asked for may be older than what this visitor has written.
        if self._background is not None and terms.shared and terms.newer_than == 0:
            share = self._background.share(call, self._anew, self._transport)
            if share is not None:
                self._wait_for(call, share)
                return
        self._fetches.begin(call)

    def _wait_for(self, call: Call, share: Share) -> None:
        over = self._fetches.count()
        if over is None:
            self._sharing[share.promise] = (call, share)
        else:
            self._transport.abandon(share.promise)
            self._shared(call, over, None)

    def _shared(self, call: Call, outcome: Outcome, cached: CacheOutcome | None) -> None:
        """Ends a call with what was fetched for several pages."""
        terms = call.terms
        assert terms is not None, "it may be kept"
        if _is_failure(outcome):
            self._end(call, self._stand_in(call, terms, outcome))
            return
        call.cached = cached
        self._end(
            call, self._fetches.ledger.counted(outcome.copy() if isinstance(outcome, Reply) else outcome)
        )


def _is_failure(outcome: Outcome) -> bool:
    return isinstance(outcome, Broken) or outcome.status >= 500 or outcome.status in _FAILURES
