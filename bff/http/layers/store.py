"""The reads of one page whose replies may be kept: what answers each, and what is kept of what comes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import inf
from typing import TYPE_CHECKING

from msgspec.structs import replace

from bff import clock
from bff.http.cache.background import BackgroundReads, MakeCalls, Share
from bff.http.cache.entry import CONDITIONS, CacheEntry, entry_of
from bff.http.cache.reply_cache import cache_of, key_of
from bff.http.call import Call
from bff.http.layers.layer import Layer
from bff.http.ledger import Ledger, over
from bff.http.messages import Broken, CacheOutcome, CacheTerms, Reply
from bff.http.transport import Started, Transport
from bff.records import Unshown

if TYPE_CHECKING:  # who has no store loads none
    from bff.http.cache.redis_cache import LookUp

_FAILURES = frozenset({429})
_SHARE_OF_TIME = 0.5

Outcome = Reply | Broken


class Stored:
    """A read that may be kept: its `key`, the `terms` of that, and the old reply that it may be given, `kept`.

    `cached` is what came of it. Where its backend was asked to confirm the old reply, `confirmed` tells that it did.
    """

    def __init__(self, key: bytes, terms: CacheTerms, kept: CacheEntry | None) -> None:
        self.key = key
        self.terms = terms
        self.kept = kept
        self.cached: CacheOutcome | None = None
        self.confirmed = False

    def conditions(self, call: Call) -> dict[str, str]:
        """The headers that have a backend confirm the old reply, where there is one and it can be asked for that."""
        if self.kept is None or call.way.method != "GET":
            return {}
        asks_itself = not CONDITIONS.isdisjoint(name.lower() for name in call.headers)
        return {} if asks_itself else self.kept.conditions(self.terms)


class Confirming(Layer):
    """Gives the old reply in the place of a 304 that confirms it; after one of another, the call asks anew."""

    def came(self, started: Started | None, outcome: Outcome) -> Outcome | None:
        call = self.call
        if not call.conditions or not isinstance(outcome, Reply) or outcome.status != 304:
            return outcome
        found: Reply | None = call.stored.kept.confirmed(outcome)
        call.stored.confirmed = found is not None
        if found is None:
            call.conditions = {}
            self.last, self.due = outcome, 0.0
        return found


class _Awaited(Unshown, frozen=True):
    """What another thread does for a call, at most until then (monotonic): how the call goes on, or gives that up."""

    call: Call
    until: float
    go_on: Callable[[], None]
    give_up: Callable[[], None]

    @property
    def due(self) -> float:
        return min(self.until, self.call.until)


class Reads:
    """Answers reads from what is kept, from what other pages fetch, or by requests of this page.

    The order: what this process keeps, what instances keep together, a fetch shared with other pages, a request. An
    old reply stands in at once, or when the request fails, as far as the recipe and its backend allow. With `only_new`
    none does, and nothing is shared: these are the reads that others wait for. `begin` makes a request of this page,
    `end` ends a call. What other threads do is `awaited`.
    """

    def __init__(
        self,
        transport: Transport,
        deadline: float,
        ledger: Ledger,
        begin: Callable[[Call], None],
        end: Callable[[Call, Outcome], None],
        anew: MakeCalls,
        background: BackgroundReads | None,
    ) -> None:
        self.only_new = False
        self._transport = transport
        self._deadline = deadline
        self._ledger = ledger
        self._begin = begin
        self._kept_of: set[tuple[Call, bytes]] = set()
        self._end = end
        self._anew = anew
        self._background = background
        self.awaited: dict[Started, _Awaited] = {}

    def begin(self, call: Call) -> None:
        """Answers a read, or sets going what will."""
        terms = self._terms_of(call)
        visitor = (call.request.visitor or b"") if terms.private else None  # nobody is not everybody
        key = key_of(call.way.method, call.url, call.headers, call.request.body, visitor)
        call.stored = Stored(key, terms, cache_of(call.client).get(key))
        if self._is_answered(call):
            return
        look = None if self._background is None else self._background.look_up(call, self._transport)
        if look is None:
            self._ask(call)
        else:
            go_on = partial(self._looked_up, call, look)
            self.awaited[look.promise] = _Awaited(call, look.until, go_on, look.give_up)

    def land(self, started: Started) -> None:
        """Takes in what another thread has done."""
        if started in self.awaited:
            self.awaited.pop(started).go_on()

    def ring(self, now: float) -> None:
        """Goes on without what takes too long."""
        for started, one in list(self.awaited.items()):
            if one.due <= now:
                del self.awaited[started]
                one.give_up()
                one.go_on()

    def due(self) -> float:
        """When something is due next (monotonic), infinity where nothing is."""
        return min([one.due for one in self.awaited.values()], default=inf)

    def give_up(self, call: Call) -> None:
        """Lets a call wait no more."""
        for started, one in list(self.awaited.items()):
            if one.call is call:
                del self.awaited[started]
                one.give_up()

    def close(self) -> None:
        """Waits for nothing any more; where nothing runs behind pages, what is to be kept is handed over first."""
        for one in list(self.awaited.values()):
            self.give_up(one.call)
        if self._background is not None:
            self._background.hand_over()

    def settled(self, call: Call, outcome: Outcome) -> Outcome:
        """What a call is given for the outcome of its request; what may be kept of it is."""
        if _is_failure(outcome):
            return self._stand_in(call, outcome)
        stored, leader = call.stored, call.leader or call
        was_confirmed = leader.stored is not None and leader.stored.confirmed
        stored.cached = "revalidated" if was_confirmed else "miss"
        if isinstance(outcome, Reply) and (leader, stored.key) not in self._kept_of:
            self._kept_of.add((leader, stored.key))
            self._keep(call, leader.asked_at, outcome)
        return outcome

    # --- what is kept ----------------------------------------------------------------------------------------------

    def _terms_of(self, call: Call) -> CacheTerms:
        """The terms of a read: private where a token or an address had a part in it, and new below a write."""
        terms, request = call.way.cache, call.request
        assert terms is not None, "it may be kept"
        private = terms.private or request.token is not None or request.forwarded != ()
        newer_than = max(request.newer_than, self._ledger.wrote)
        shared = terms.shared and not private and not self.only_new
        if (terms.private, terms.shared, terms.newer_than) == (private, shared, newer_than):
            return terms
        return replace(terms, private=private, shared=shared, newer_than=newer_than)

    def _is_answered(self, call: Call) -> bool:
        """Ends a call whose reply is kept and may be given now."""
        stored: Stored = call.stored
        kept, terms, now = stored.kept, stored.terms, clock.monotonic()
        if kept is None:
            return False
        if kept.is_fresh(terms, now):
            stored.cached = "hit"
        elif self._refreshes_behind and kept.may_stand_in(terms, terms.stale_while_revalidate, now):
            assert self._background is not None, "it refreshes"
            self._background.refresh(call, self._anew)
            stored.cached = "stale"
        else:
            return False
        self._end(call, self._ledger.counted(kept.reply(now)))
        return True

    @property
    def _refreshes_behind(self) -> bool:
        return self._background is not None and self._background.runs_on and not self.only_new

    def _stand_in(self, call: Call, outcome: Outcome) -> Outcome:
        """The old reply in the place of a failure, where the recipe has it so."""
        stored: Stored = call.stored
        kept, terms, now = stored.kept, stored.terms, clock.monotonic()
        stored.cached = "miss"
        if kept is None or self.only_new:
            return outcome
        within = kept.may_stand_in(terms, terms.stale_while_revalidate, now)
        if not within and not kept.may_stand_in(terms, terms.stale_if_error, now):
            return outcome
        stored.cached = "stale"
        why = outcome.status if isinstance(outcome, Reply) else outcome
        return self._ledger.counted(kept.reply(now, stale=None if within else why))

    def _keep(self, call: Call, asked_at: float, reply: Reply) -> None:
        """Keeps a reply, or forgets what was kept where the backend has said something else since."""
        stored: Stored = call.stored
        terms, now = stored.terms, clock.monotonic()
        took = now - asked_at
        kept = entry_of(reply, private=terms.private, asked=clock.wall() - took, arrived=now, took=took)
        seconds = 0.0 if kept is None else kept.kept_for(terms)
        if kept is not None and seconds > 0:
            cache_of(call.client).put(stored.key, kept, now + seconds)
            if self._background is not None:
                self._background.keep(call, kept, seconds)
        elif stored.kept is not None:
            cache_of(call.client).drop(stored.key)
            if self._background is not None:
                self._background.forget(call)

    # --- who is asked ----------------------------------------------------------------------------------------------

    def _looked_up(self, call: Call, look: LookUp) -> None:
        """Goes on with what instances keep together, if it is newer than what this process keeps."""
        stored: Stored = call.stored
        found = look.found
        if found is not None and (stored.kept is None or found.arrived > stored.kept.arrived):
            stored.kept = found
            cache_of(call.client).put(stored.key, found, found.arrived + found.kept_for(stored.terms))
        if not self._is_answered(call):
            self._ask(call)

    def _ask(self, call: Call) -> None:
        """Has a call wait for a fetch of other pages too, where it may be shared, else for a request of this page."""
        stored: Stored = call.stored
        terms, now, kept = stored.terms, clock.monotonic(), None if self.only_new else stored.kept
        if kept is not None and kept.may_stand_in(terms, terms.stale_while_revalidate, now):
            # What waits for this step needs time too, and there is something to give it.
            call.until = min(call.until, now + (self._deadline - now) * _SHARE_OF_TIME)
        # What another page asked for may be older than what this visitor has written.
        if self._background is not None and terms.shared and terms.newer_than == 0:
            share = self._background.share(call, self._anew, self._transport)
            if share is not None:
                self._wait_for(call, share)
                return
        call.conditions = stored.conditions(call)
        self._begin(call)

    def _wait_for(self, call: Call, share: Share) -> None:
        """Has a call wait for what another thread asks: that counts as a try of this page, as its own would."""
        promise = share.promise
        if self._ledger.is_full:
            self._transport.abandon(promise)
            self._shared(call, over(), None)
            return

        def go_on() -> None:
            self._shared(call, promise.outcome or Broken("timeout", reason="reply-timeout"), share.cached)

        self._ledger.tries += 1
        self.awaited[promise] = _Awaited(call, inf, go_on, partial(self._transport.abandon, promise))

    def _shared(self, call: Call, outcome: Outcome, cached: CacheOutcome | None) -> None:
        """Ends a call with what was fetched for several pages."""
        if _is_failure(outcome):
            self._end(call, self._stand_in(call, outcome))
            return
        call.stored.cached = cached
        self._end(call, self._ledger.counted(outcome.copy() if isinstance(outcome, Reply) else outcome))


def _is_failure(outcome: Outcome) -> bool:
    return isinstance(outcome, Broken) or outcome.status >= 500 or outcome.status in _FAILURES
