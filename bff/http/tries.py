"""The tries of one page's calls, and the layers around them, within the page's bounds."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any

from bff import clock
from bff.http.call import Call
from bff.http.gate import full
from bff.http.layers.bounds import Bounds
from bff.http.layers.breaker import Sparing
from bff.http.layers.hedge import Hedge
from bff.http.layers.layer import Layer
from bff.http.layers.retry import Retry
from bff.http.layers.store import Confirming
from bff.http.ledger import Change, Ledger
from bff.http.messages import Broken, Reply, copy_of
from bff.http.transport import Started, Transport

if TYPE_CHECKING:
    from bff.http.client import Client
    from bff.http.sockets.wire import Wire
    from bff.http.way import Way

Outcome = Reply | Broken


class Tries:
    """Sends the requests of calls until each has its outcome, which `ended` is told for every call that waits for it.

    `turned` is told when a try has opened or closed a client's breaker. `ledger` is the page's. `leaders` are the calls
    that make requests, and `flying` are the tries that the network has, each with its call.
    """

    def __init__(
        self,
        transport: Transport,
        ledger: Ledger,
        ended: Callable[[Call, Outcome], None],
        turned: Callable[[Client, Change], None],
    ) -> None:
        self.ledger = ledger
        self.turned = turned
        self._transport = transport
        self._ended = ended
        self.leaders: dict[Call, None] = {}
        self.flying: dict[Started, Call] = {}
        self._joinable: dict[Any, Any] = ledger.joinable

    def begin(self, call: Call) -> None:
        """Has a call wait for its request: for one like it that is under way, else for a new one."""
        way, gate = call.way, call.client.gate
        if way.safe:
            call.leader = self._joinable.get(call.key)
            if call.leader is not None:
                call.leader.waiting.append(call)
                return
            gate.hedges.earn()
        gate.budget.earn()
        call.waiting = [call]
        self._lead(call)
        self.again(call, None)

    def wait_with(self, call: Call, moment: float) -> None:
        """Has a call begin at a moment (monotonic)."""
        from bff.http.layers.later import Later  # few pages wait

        call.waiting, call.layers = [call], [Later(call, moment, self._begin_late)]
        self.leaders[call] = None

    def _begin_late(self, call: Call) -> None:
        del self.leaders[call]
        call.layers = ()
        self.begin(call)

    def go_on(self, calls: list[Call], wire: Wire) -> None:
        """Has calls wait for the next try of a request whose last one, on a wire, is counted and told of."""
        call, retries = calls[0], wire.retries
        assert retries is not None, "it was tried"
        call.waiting, call.attempts, call.tried_until = calls, retries.attempts, wire.until
        call.sent, call.was_lost, call.retries = retries.sent, retries.lost, retries
        self._lead(call)
        self.again(call, retries.last)

    def due(self) -> float:
        """When something is due next (monotonic), infinity where nothing is."""
        return min([call.due for call in self.leaders], default=inf)

    def give_up(self, call: Call) -> None:
        """Lets a call wait no more."""
        leader = call.leader or call
        if call in leader.waiting:
            leader.waiting.remove(call)
            if not leader.waiting:
                self._drop(leader)

    def close(self) -> None:
        """Gives up all that is under way, so that it holds no place any more."""
        for call in list(self.leaders):
            call.waiting.clear()
            self._drop(call)

    def _lead(self, call: Call) -> None:
        """Has a call make its request, for all who wait for it, with the layers of its way around each try."""
        for one in call.waiting[1:]:
            one.leader = call
        call.layers = [layer(call, self) for layer in call.way.layers]
        self.leaders[call] = None
        if call.way.safe:
            self._joinable[call.key] = call

    # --- tries ---------------------------------------------------------------------------------------------------

    def again(self, call: Call, last: Outcome | None) -> None:
        """Begins the next try of a call if there is room for one, else ends it with its last outcome, if it has one.

        Where its client is full it waits for a place of this page's own, and for nobody else's.
        """
        client = call.client
        if self.ledger.take_place(client.gate):
            if not self._send(call, last):
                self.ledger.leave(client)
        elif self.ledger.holds(client.gate):
            self.ledger.queues.setdefault(client, deque()).append((call, last))
        else:
            self._finish(call, last or full())

    def copy(self, call: Call, may: Callable[[], bool]) -> bool:
        """Begins a try beside the one under way if there is room and it `may`; says whether it did."""
        client = call.client
        if self.ledger.refusal(call.ends) or not self.ledger.take_place(client.gate):
            return False
        if may() and self._launch(call) is None:
            return True
        self.ledger.leave(client)
        return False

    def hand_on(self, client: Client) -> None:
        """Gives a place that was freed to the page's next call that waits for one, else back."""
        queue: deque[tuple[Call, Outcome | None]] | None = self.ledger.queues.get(client)
        least = self.ledger.limits.min_try
        while queue:
            call, last = queue.popleft()
            if call.waiting and call.ends - clock.monotonic() < least:
                self._finish(call, last or full())
            elif call.waiting and self._send(call, last):
                return
        self.ledger.give_back(client.gate)

    def _send(self, call: Call, last: Outcome | None) -> bool:
        """Begins a try in a place that is taken; where it must not begin, ends the call and says so."""
        refusal = self._launch(call)
        if refusal is not None:
            self._finish(call, last or refusal)
        return refusal is None

    def _launch(self, call: Call) -> Broken | None:
        """Begins a try, unless the page or the backend has had enough."""
        for layer in reversed(call.layers):  # the outermost first
            refusal: Broken | None = layer.refusal()
            if refusal is not None:
                return refusal
        now = clock.monotonic()
        started = self._transport.start(call.as_try(self.ledger.room, self.ledger.limits.min_try))
        call.flights[started] = now
        self.flying[started] = call
        for layer in call.layers:
            layer.began(started, call.tried_until - now)
        return None

    # --- ends ----------------------------------------------------------------------------------------------------

    def ring(self, now: float) -> None:
        """Ends the calls whose time is up, and has the layers do what is due."""
        for call in list(self.leaders):
            late = [one for one in call.waiting if one.until <= now]
            if late:
                self._time_out(call, late)
                continue
            for layer in call.layers:
                if layer.due <= now:
                    layer.ring()

    def _time_out(self, call: Call, late: list[Call]) -> None:
        call.sent = call.sent or any(started.sent for started in call.flights)
        unheld = any(not started.held for started in call.flights)
        last = next((layer.last for layer in call.layers if layer.last is not None), None)
        late_by = Broken("timeout", reason="reply-timeout" if call.sent else "connect-timeout")
        outcome = last or (late_by if unheld else full())
        call.waiting = [one for one in call.waiting if one not in late]
        for one in late:
            self._ended(one, copy_of(outcome))
        if not call.waiting:
            self._drop(call, timed_out=True)

    def land(self, started: Started) -> bool:
        """Takes in the end of a try; says whether it was one of these."""
        call = self.flying.pop(started, None)
        if call is None:  # the end of another has made it superfluous
            return False
        call.asked_at = call.flights.pop(started)
        call.sent = call.sent or started.sent
        outcome = started.outcome or Broken("refused", reason="internal")
        if isinstance(outcome, Broken) and (started.sent or outcome.sent):
            call.was_lost = True
        self.ledger.leave(call.client)
        self._take(call, started, outcome)
        return True

    def _take(self, call: Call, started: Started, outcome: Outcome) -> None:
        """Ends a call with the outcome of a try, unless a layer or more time may bring a better."""
        found: Outcome | None = outcome
        for layer in call.layers:
            found = layer.came(started, found)
            if found is None:
                return
        assert found is not None
        if isinstance(found, Broken) and found.kind == "timeout" and call.ends > call.tried_until:
            self._go_on(call, found)
        else:
            self._finish(call, found)

    def _go_on(self, call: Call, outcome: Broken) -> None:
        """Tries again for those who came later and have time left; the time of the others is up."""
        late = [one for one in call.waiting if one.until <= call.tried_until]
        call.waiting = [one for one in call.waiting if one.until > call.tried_until]
        for one in late:
            self._ended(one, outcome)
        self.again(call, outcome)

    def _finish(self, call: Call, outcome: Outcome) -> None:
        waiting, call.waiting = call.waiting, []
        for at, one in enumerate(waiting):
            self._ended(one, outcome if at == 0 else self.ledger.counted(copy_of(outcome)))
        self._drop(call)

    def _drop(self, call: Call, *, timed_out: bool = False) -> None:
        """Forgets a call that nobody waits for any more, and gives up what is under way of it."""
        self.leaders.pop(call, None)
        if not call.way.safe:
            self.ledger.write_ended()
        elif self._joinable.get(call.key) is call:
            del self._joinable[call.key]
        for started in list(call.flights):
            del call.flights[started], self.flying[started]
            self._transport.abandon(started)
            for layer in call.layers:
                layer.left(started, late=timed_out and not started.held)
            self.ledger.leave(call.client)
        call.layers = ()


def layers_of(way: Way) -> tuple[type[Layer], ...]:
    """What stands around each try of a way's calls, as its client and step declare it; the innermost first."""
    declared = {
        Sparing: True,
        Hedge: way.hedge is not None,
        Confirming: way.cache is not None,
        Bounds: True,
        Retry: way.may_retry,
    }
    return tuple([layer for layer, is_declared in declared.items() if is_declared])
