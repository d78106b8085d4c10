"""The requests of one page under way: their tries, retries and second copies, within the page's bounds."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from math import inf
from typing import TYPE_CHECKING

from bff import clock
from bff.http.fetch import Call, Fetch, Flight
from bff.http.gate import full
from bff.http.ledger import Change, Ledger, over, spared
from bff.http.messages import Broken, Reply
from bff.http.retry import is_transient
from bff.http.transport import Started, Transport

if TYPE_CHECKING:
    from bff.http.client import Client
    from bff.http.sockets.wire import Wire

Outcome = Reply | Broken


class Fetches:
    """Sends requests until each has its outcome, which `ended` is told for every call that waits for it.

    `turned` is told when one of its tries has opened or closed a client's breaker. `ledger` is the page's.
    """

    def __init__(
        self,
        transport: Transport,
        ledger: Ledger,
        ended: Callable[[Call, Outcome], None],
        turned: Callable[[Client, Change], None],
    ) -> None:
        self.ledger = ledger
        self._transport = transport
        self._ended = ended
        self._turned = turned
        self._fetches: dict[Fetch, None] = {}
        self._flying: dict[Started, Fetch] = {}
        self._joinable: dict[str, list[Fetch]] = ledger.joinable

    def __bool__(self) -> bool:
        return bool(self._fetches)

    @property
    def flying(self) -> Collection[Started]:
        """The tries that the network has."""
        return self._flying.keys()

    def begin(self, call: Call) -> None:
        """Has a call wait for its request: for one like it that is under way, else for a new one."""
        if call.request.safe:
            for fetch in self._joinable.get(call.url, ()):
                if fetch.answers(call):
                    fetch.calls.append(call)
                    call.fetch = fetch
                    return
        self._begin(Fetch(call))

    def due(self) -> float:
        """When something is due next (monotonic), infinity where nothing is."""
        return min([fetch.due for fetch in self._fetches], default=inf)

    def give_up(self, call: Call) -> None:
        """Lets a call wait no more."""
        fetch = call.fetch
        if fetch is not None and call in fetch.calls:
            fetch.calls.remove(call)
            if not fetch.calls:
                self._drop(fetch)

    def close(self) -> None:
        """Gives up all that is under way, so that it holds no place any more."""
        for fetch in list(self._fetches):
            fetch.calls.clear()
            self._drop(fetch)

    def count(self) -> Broken | None:
        """Counts a request that another thread makes for this page; says so where it may make no more."""
        if self.ledger.is_full:
            return over()
        self.ledger.tries += 1
        return None

    def go_on(self, calls: list[Call], wire: Wire) -> None:
        """Has calls wait for the next try of a request whose last one, on a wire, is counted and told of."""
        fetch, retries = Fetch(calls[0]), wire.retries
        assert retries is not None, "it was tried"
        fetch.calls, fetch.attempts, fetch.retries = calls, retries.attempts, retries
        fetch.begun, fetch.tried_until = wire.began, wire.until
        fetch.sent, fetch.lost = retries.sent, retries.lost
        for call in calls:
            call.fetch = fetch
        self._fetches[fetch] = None
        if fetch.request.safe:
            self._joinable.setdefault(fetch.url, []).append(fetch)
        self._try(fetch, retries.last)

    # --- tries ---------------------------------------------------------------------------------------------------

    def _begin(self, fetch: Fetch) -> None:
        fetch.calls[0].fetch = fetch
        self._fetches[fetch] = None
        if fetch.request.safe:
            self._joinable.setdefault(fetch.url, []).append(fetch)
            fetch.client.gate.hedges.earn()
        fetch.client.gate.budget.earn()
        self._try(fetch)

    def _try(self, fetch: Fetch, last: Outcome | None = None) -> None:
        """Starts a try if there is room for one, else ends the fetch with its last outcome, if it has one.

        Where its client is full it waits for a place of this page's own, and for nobody else's.
        """
        client = fetch.client
        if self.ledger.take_place(client.gate):
            if not self._send(fetch, last):
                self.ledger.leave(client)
        elif self.ledger.holds(client.gate):
            self.ledger.queues.setdefault(client, deque()).append((fetch, last))
        else:
            self._finish(fetch, last or full())

    def hand_on(self, client: Client) -> None:
        """Gives a place that was freed to the page's next call that waits for one, else back."""
        queue: deque[tuple[Fetch, Outcome | None]] | None = self.ledger.queues.get(client)
        while queue:
            fetch, last = queue.popleft()
            if fetch.calls and not self._has_time(fetch):
                self._finish(fetch, last or full())
            elif fetch.calls and self._send(fetch, last):
                return
        self.ledger.give_back(client.gate)

    def _send(self, fetch: Fetch, last: Outcome | None) -> bool:
        """Starts a try in a place that is taken; where it must not start, ends the fetch and says so."""
        refusal = self.refusal(fetch) or self._launch(fetch)
        if refusal is not None:
            self._finish(fetch, last or refusal)
        return refusal is None

    def refusal(self, fetch: Fetch) -> Broken | None:
        """Why there may be no further try: no time is left, or the page has made or had too much."""
        if not self._has_time(fetch):
            return Broken("timeout", reason="no-time")
        return over() if self.ledger.is_full else None

    def _has_time(self, fetch: Fetch) -> bool:
        return fetch.until - clock.monotonic() >= self.ledger.limits.min_try

    def _launch(self, fetch: Fetch) -> Broken | None:
        """Starts a try, unless the backend is being spared."""
        client, request, until = fetch.client, fetch.request, fetch.until
        permit = client.gate.circuit.enter(until)
        if permit is None:
            return spared(client)
        ledger, now = self.ledger, clock.monotonic()
        timeout = client.timeout if request.timeout is None else request.timeout
        telling = ledger.telling(until - now, timeout)
        if request.safe and request.hedge is not None and fetch.attempts == 0:
            fetch.hedge_at = now + request.hedge
        ledger.tries += 1
        started = self._transport.start(fetch.as_try(ledger.room, ledger.limits.min_try))
        fetch.flights[started] = Flight(permit, telling, now)
        self._flying[started] = fetch
        return None

    def _hedge(self, fetch: Fetch) -> None:
        """Sends the second copy, if a place, the page's bounds and the client's budget of them allow it."""
        fetch.hedge_at = None
        client = fetch.client
        waits_for_place = any(started.held for started in fetch.flights)
        if not fetch.flights or waits_for_place or self.refusal(fetch) or not client.gate.circuit.closed:
            return
        if not self.ledger.take_place(client.gate):
            return
        if not client.gate.hedges.spend() or self._launch(fetch) is not None:
            self.ledger.leave(client)
        else:
            fetch.copies += 1

    # --- ends ----------------------------------------------------------------------------------------------------

    def ring(self, now: float) -> None:
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
        late_by = Broken("timeout", reason="reply-timeout" if fetch.sent else "connect-timeout")
        outcome = fetch.last or resting or (late_by if unheld else full())
        fetch.calls = [call for call in fetch.calls if call not in late]
        for call in late:
            self._ended(call, _copy(outcome))
        if not fetch.calls:
            self._drop(fetch, timed_out=True)

    def land(self, started: Started) -> bool:
        """Takes in the end of a try; says whether it was one of these."""
        fetch = self._flying.pop(started, None)
        if fetch is None:  # the end of another has made it superfluous
            return False
        flight = fetch.flights.pop(started)
        fetch.sent = fetch.sent or started.sent
        outcome = started.outcome or Broken("refused", reason="internal")
        if isinstance(outcome, Broken) and (started.sent or outcome.sent):
            fetch.lost = True
        self.tell(fetch, flight, outcome)
        self.ledger.leave(fetch.client)
        self._take(fetch, flight, outcome)
        return True

    def _take(self, fetch: Fetch, flight: Flight, outcome: Outcome) -> None:
        """Ends a fetch with the outcome of a try, unless another copy, a retry or more time may bring a better."""
        if fetch.flights and not _is_good(outcome):
            fetch.last = outcome
            return
        last, fetch.last = fetch.last, None
        if isinstance(outcome, Broken) and last is not None:
            outcome = last
        if isinstance(outcome, Broken) and outcome.kind == "timeout" and fetch.until > fetch.tried_until:
            self._go_on(fetch, outcome)
            return
        fetch.begun = flight.begun
        resolved = fetch.resolved(outcome)
        if resolved is None:
            self._try(fetch, outcome)
            return
        self._rest_or_finish(fetch, self.ledger.counted(resolved))

    def _rest_or_finish(self, fetch: Fetch, outcome: Outcome) -> None:
        delay = fetch.delay_after(outcome, self.ledger.limits.min_try)
        if delay is None:
            self._finish(fetch, outcome)
        else:
            fetch.rest = (clock.monotonic() + delay, outcome)

    def tell(self, fetch: Fetch, flight: Flight, outcome: Outcome) -> None:
        """Gives back the permit of a try and tells its client's breaker how it went."""
        client, visitor = fetch.client, fetch.request.visitor
        change = self.ledger.tell(client, flight.permit, outcome, telling=flight.telling, visitor=visitor)
        if change is not None:
            self._turned(client, change)

    def _go_on(self, fetch: Fetch, outcome: Broken) -> None:
        """Tries again for the calls that came later and have time left; the time of the others is up."""
        late = [call for call in fetch.calls if call.until <= fetch.tried_until]
        fetch.calls = [call for call in fetch.calls if call.until > fetch.tried_until]
        for call in late:
            self._ended(call, outcome)
        self._try(fetch, outcome)

    def _finish(self, fetch: Fetch, outcome: Outcome) -> None:
        calls, fetch.calls = fetch.calls, []
        for at, call in enumerate(calls):
            self._ended(call, outcome if at == 0 else self.ledger.counted(_copy(outcome)))
        self._drop(fetch)

    def _drop(self, fetch: Fetch, *, timed_out: bool = False) -> None:
        """Forgets a fetch that nobody waits for any more, and gives up what is under way of it."""
        self._fetches.pop(fetch, None)
        if not fetch.request.safe:
            self.ledger.write_ended()
        elif fetch in (joinable := self._joinable.get(fetch.url, [])):
            joinable.remove(fetch)
        for started, flight in list(fetch.flights.items()):
            del fetch.flights[started], self._flying[started]
            self._transport.abandon(started)
            if timed_out and not started.held:
                self.tell(fetch, flight, Broken("timeout"))
            else:
                fetch.client.gate.circuit.left(flight.permit)
            self.ledger.leave(fetch.client)


def _copy(outcome: Outcome) -> Outcome:
    """The outcome for a further call."""
    return outcome if isinstance(outcome, Broken) else outcome.copy()


def _is_good(outcome: Outcome) -> bool:
    return isinstance(outcome, Reply) and outcome.status < 500 and not is_transient(outcome)
