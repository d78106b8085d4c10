"""The calls of one page: deadlines, retries, second copies, bounds and the cache, above any transport."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bff.http.bulkhead import Places
from bff.http.cache import key_of
from bff.http.fetch import Call, Fetch, Flight, headers_of
from bff.http.messages import Broken, OutgoingRequest, Reply
from bff.http.retry import is_transient
from bff.http.transport import Started, Transport
from bff.http.verdicts import Change, Verdicts

if TYPE_CHECKING:
    from bff.http.client import Client

_RETRY_WHEN_FULL = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one page's calls.

    Tries; bytes of one reply and of all, unzipped; depth of a reply's JSON; least seconds for a try to start.
    """

    max_requests: int = 250
    max_reply: int = 8 * 2**20
    max_replies: int = 32 * 2**20
    max_depth: int = 100
    min_try: float = 0.020


class Calls:
    """The calls of one page; used by one thread."""

    def __init__(
        self, transport: Transport, deadline: float, limits: Limits | None = None, request_id: str = ""
    ) -> None:
        self._transport = transport
        self._deadline = deadline
        self._whole = deadline - time.monotonic()
        self._limits = limits or Limits()
        self._request_id = request_id
        self._fetches: dict[Fetch, None] = {}
        self._flying: dict[Started, Fetch] = {}
        self._joinable: dict[Hashable, Fetch] = {}
        self._places = Places()
        self._queues: dict[Client, deque[tuple[Fetch, Reply | Broken | None]]] = {}
        self._verdicts = Verdicts()
        self._ended: list[Call] = []
        self._tries = 0
        self._bytes = 0

    def anew(self, deadline: float) -> Calls:
        """Calls of the same page with another deadline (monotonic) and bounds of their own."""
        return Calls(self._transport, deadline, self._limits, self._request_id)

    def start(self, client: Client, request: OutgoingRequest, until: float | None = None) -> Call:
        """Starts a call that ends by `until`, its time-out and the page's deadline (monotonic).

        A read that is under way already is not sent again. Raises ValueError for a request that cannot be sent as
        it is (path, header).
        """
        timeout = client.timeout if request.timeout is None else request.timeout
        end = min(self._deadline, time.monotonic() + timeout, self._deadline if until is None else until)
        url = client.url(request.target)
        headers = headers_of(client, request, self._request_id)
        call = Call(client, request, end)
        if request.safe and request.cache is not None:
            visitor = request.visitor if request.cache.private else None
            call.cache_key = key_of(request.method, url, headers, request.body, visitor)
            kept = client.cache.get(call.cache_key)
            if kept is not None:
                self._end(call, self._counted(kept))
                return call
        same: Hashable = None
        if request.safe:
            sent = frozenset(headers.items())
            same = (client, request.method, url, request.body, sent, timeout, request.retries, request.hedge)
        joined = self._joinable.get(same)
        if joined is not None:
            joined.calls.append(call)
            call.fetch = joined
        else:
            self._begin(Fetch(call, url, headers, same))
        return call

    def wait(self, until: float) -> list[Call]:
        """The calls that ended since the last wait; waits for the first, at most until then (monotonic).

        Gives an empty list when the time is up or nothing is under way.
        """
        while not self._ended and self._fetches:
            next_moment = min(moment for fetch in self._fetches for moment in fetch.moments())
            for started in self._transport.wait(self._flying.keys(), min(until, next_moment)):
                if started in self._flying:  # else the end of another has made this one superfluous
                    self._land(started)
            now = time.monotonic()
            self._ring(now)
            if now >= until:
                break
        ended, self._ended = self._ended, []
        return ended

    def abandon(self, call: Call) -> None:
        """Gives a call up: `wait` does not give it any more."""
        fetch = call.fetch
        if fetch is not None and call in fetch.calls:
            fetch.calls.remove(call)
            if not fetch.calls:
                self._drop(fetch)
        self._ended = [ended for ended in self._ended if ended is not call]

    def close(self) -> None:
        """Gives up all that is under way, so that it holds no place any more."""
        for fetch in list(self._fetches):
            fetch.calls.clear()
            self._drop(fetch)

    # --- tries ---------------------------------------------------------------------------------------------------

    def _begin(self, fetch: Fetch) -> None:
        fetch.calls[0].fetch = fetch
        self._fetches[fetch] = None
        if fetch.same is not None:
            self._joinable[fetch.same] = fetch
            fetch.client.hedges.earn()
        fetch.client.budget.earn()
        self._try(fetch)

    def _try(self, fetch: Fetch, last: Reply | Broken | None = None) -> None:
        """Starts a try if there is room for one, else ends the fetch with its last outcome, if it has one.

        Where its client is full it waits for a place of this page's own, and for nobody else's.
        """
        client = fetch.client
        if self._places.take(client.bulkhead):
            if not self._send(fetch, last):
                self._leave(client)
        elif self._places.has(client.bulkhead):
            self._queues.setdefault(client, deque()).append((fetch, last))
        else:
            self._finish(fetch, last or _full())

    def _leave(self, client: Client) -> None:
        """Hands a place on to the page's next call that waits for one, else gives it back."""
        queue = self._queues.get(client)
        while queue:
            fetch, last = queue.popleft()
            if fetch.calls and not self._has_time(fetch):
                self._finish(fetch, last or _full())
            elif fetch.calls and self._send(fetch, last):
                return
        self._places.give_back(client.bulkhead)

    def _send(self, fetch: Fetch, last: Reply | Broken | None) -> bool:
        """Starts a try in a place that is taken; where it must not start, ends the fetch and says so."""
        refusal = self._refusal(fetch) or self._launch(fetch)
        if refusal is not None:
            self._finish(fetch, last or refusal)
        return refusal is None

    def _refusal(self, fetch: Fetch) -> Broken | None:
        limits = self._limits
        if not self._has_time(fetch):
            return Broken("timeout", reason="no time was left for a try")
        if self._tries >= limits.max_requests or self._bytes >= limits.max_replies:
            return Broken("limit", reason="requests or replies of the page")
        return None

    def _has_time(self, fetch: Fetch) -> bool:
        return fetch.until - time.monotonic() >= self._limits.min_try

    def _launch(self, fetch: Fetch) -> Broken | None:
        """Starts a try, unless the backend is being spared."""
        client, request, until = fetch.client, fetch.request, fetch.until
        permit = client.circuit.enter(until)
        if permit is None:
            return Broken("breaker", retry_after=client.circuit.retry_after, reason="it failed too often")
        limits, now = self._limits, time.monotonic()
        timeout = client.timeout if request.timeout is None else request.timeout
        # A page that has used up its time elsewhere leaves a try too little of it to tell anything.
        telling = until - now >= min(timeout, self._whole) / 2
        if request.safe and request.hedge is not None and fetch.attempts == 0:
            fetch.hedge_at = now + request.hedge
        self._tries += 1
        room = min(limits.max_reply, limits.max_replies - self._bytes)
        started = self._transport.start(fetch.as_try(room, limits.min_try))
        fetch.flights[started] = Flight(permit, telling)
        self._flying[started] = fetch
        return None

    def _hedge(self, fetch: Fetch) -> None:
        """Sends the second copy, if a place, the page's bounds and the client's budget of them allow it."""
        fetch.hedge_at = None
        client = fetch.client
        waits_for_place = any(started.held for started in fetch.flights)
        if not fetch.flights or waits_for_place or self._refusal(fetch) or not client.circuit.closed:
            return
        if not self._places.take(client.bulkhead):
            return
        if not client.hedges.spend() or self._launch(fetch) is not None:
            self._leave(client)
        else:
            fetch.copies += 1

    # --- ends ----------------------------------------------------------------------------------------------------

    def turned(self, client: Client, change: Change) -> None:
        """Called when one of the tries has opened or closed its client's breaker; for who counts that."""

    def _tell(self, fetch: Fetch, flight: Flight, outcome: Reply | Broken) -> None:
        change = self._verdicts.tell(fetch, flight, outcome)
        if change is not None:
            self.turned(fetch.client, change)

    def _ring(self, now: float) -> None:
        """Ends the calls whose time is up, starts the tries whose back-off is over and the copies that are due."""
        for fetch in list(self._fetches):
            late = [call for call in fetch.calls if call.until <= now]
            if late:
                self._time_out(fetch, late)
            elif fetch.rest is not None and fetch.rest[0] <= now:
                last, fetch.rest = fetch.rest[1], None
                self._try(fetch, last)
            elif fetch.hedge_at is not None and fetch.hedge_at <= now:
                self._hedge(fetch)

    def _time_out(self, fetch: Fetch, late: list[Call]) -> None:
        fetch.sent = fetch.sent or any(started.sent for started in fetch.flights)
        unheld = any(not started.held for started in fetch.flights)
        resting = None if fetch.rest is None else fetch.rest[1]
        outcome = fetch.last or resting or (Broken("timeout") if unheld else _full())
        fetch.calls = [call for call in fetch.calls if call not in late]
        for call in late:
            self._end(call, _copy(outcome))
        if not fetch.calls:
            self._drop(fetch, timed_out=True)

    def _land(self, started: Started) -> None:
        fetch = self._flying.pop(started)
        flight = fetch.flights.pop(started)
        fetch.sent = fetch.sent or started.sent
        outcome = started.outcome or Broken("refused")
        if isinstance(outcome, Broken) and (started.sent or outcome.sent):
            fetch.lost = True
        self._tell(fetch, flight, outcome)
        self._leave(fetch.client)
        if fetch.flights and not _is_good(outcome):
            fetch.last = outcome  # the other copy may do better
            return
        last, fetch.last = fetch.last, None
        if isinstance(outcome, Broken) and last is not None:
            outcome = last
        if isinstance(outcome, Broken) and outcome.kind == "timeout" and fetch.until > fetch.tried_until:
            self._go_on(fetch, outcome)
            return
        outcome = self._counted(outcome)
        delay = fetch.delay_after(outcome, self._limits.min_try)
        if delay is None:
            self._finish(fetch, outcome)
        else:
            fetch.rest = (time.monotonic() + delay, outcome)

    def _go_on(self, fetch: Fetch, outcome: Broken) -> None:
        """Tries again for the calls that came later and have time left; the time of the others is up."""
        late = [call for call in fetch.calls if call.until <= fetch.tried_until]
        fetch.calls = [call for call in fetch.calls if call.until > fetch.tried_until]
        for call in late:
            self._end(call, outcome)
        self._try(fetch, outcome)

    def _finish(self, fetch: Fetch, outcome: Reply | Broken) -> None:
        calls, fetch.calls = fetch.calls, []
        for at, call in enumerate(calls):
            self._end(call, outcome if at == 0 else self._counted(_copy(outcome)))
        self._drop(fetch)

    def _drop(self, fetch: Fetch, *, timed_out: bool = False) -> None:
        """Forgets a fetch that nobody waits for any more, and gives up what is under way of it."""
        self._fetches.pop(fetch, None)
        if fetch.same is None:
            self._joinable.clear()  # what was read before a write is no answer to what is read after it
        elif self._joinable.get(fetch.same) is fetch:
            del self._joinable[fetch.same]
        for started, flight in list(fetch.flights.items()):
            del fetch.flights[started], self._flying[started]
            self._transport.abandon(started)
            if timed_out and not started.held:
                self._tell(fetch, flight, Broken("timeout"))
            else:
                fetch.client.circuit.left(flight.permit)
            self._leave(fetch.client)

    def _counted(self, outcome: Reply | Broken) -> Reply | Broken:
        """The outcome, or that the page has had too many bytes."""
        limits = self._limits
        if isinstance(outcome, Reply):
            self._bytes += len(outcome.raw)
            if self._bytes > limits.max_replies:
                return Broken("limit", sent=True, reason="replies of the page")
        elif outcome.kind == "too-large" and limits.max_replies - self._bytes < limits.max_reply:
            return replace(outcome, kind="limit")
        return outcome

    def _end(self, call: Call, outcome: Reply | Broken) -> None:
        attempts = 0 if call.fetch is None else call.fetch.attempts
        if isinstance(outcome, Broken):
            sent = outcome.sent or (call.fetch is not None and call.fetch.sent)
            call.result = replace(outcome, sent=sent, attempts=attempts)
        else:
            call.result = outcome
            outcome.attempts = attempts
            outcome.max_depth = self._limits.max_depth
            terms = call.request.cache
            if terms is not None and call.cache_key is not None and not outcome.from_cache:
                call.client.cache.put(call.cache_key, outcome, terms.ttl)
        self._ended.append(call)


def _full() -> Broken:
    return Broken("full", retry_after=_RETRY_WHEN_FULL, reason="as many calls as its client may make")


def _copy(outcome: Reply | Broken) -> Reply | Broken:
    """The outcome for a further call: JSON of its own, so that no step can change another's."""
    if isinstance(outcome, Broken):
        return outcome
    return Reply(outcome.status, dict(outcome.headers), outcome.raw)


def _is_good(outcome: Reply | Broken) -> bool:
    return isinstance(outcome, Reply) and outcome.status < 500 and not is_transient(outcome)
