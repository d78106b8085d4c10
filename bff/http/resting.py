"""Next tries of requests on wires: when they begin, and what they need for that."""

from __future__ import annotations

from sys import modules

from bff import clock
from bff.http.landing import Ended, Landing
from bff.http.layers.retry import Retries
from bff.http.messages import Broken, Reply
from bff.http.sockets.transport import is_replaced
from bff.http.sockets.wire import Wire


class Resting(Landing):
    """Has requests whose failure may pass rest for a while, and tries them again."""

    __slots__ = ()

    def rests(self, wire: Wire, outcome: Reply | Broken) -> bool:
        """Has a request wait for its next try; False where its outcome stands."""
        route, retries = wire.route, wire.retries
        if retries is None:
            least = self.ledger.limits.min_try
            retries = wire.retries = Retries(route.retries, wire.until, least, route.gate.budget)
        delay = retries.delay_after(outcome, sent=wire.sent)
        if delay is None:
            return False
        wire.rest(clock.monotonic() + delay)
        self.resting.append(wire)
        return True

    def wake(self, now: float, ended: list[Ended]) -> None:
        """Ends what has no time left (monotonic), and tries again what has rested."""
        for wire in self.resting[:]:
            retries = wire.retries
            assert retries is not None and retries.last is not None, "it was tried"
            if wire.until <= now:
                self._stand(wire, ended)
            elif late := self.end_late(wire, retries.last, now):
                ended += late
            elif wire.again_at <= now:
                self._try_again(wire, ended)

    def _try_again(self, wire: Wire, ended: list[Ended]) -> None:
        """Starts the next try of a request if there is room for one, else ends it with what the last came to.

        Where its client is full it waits for a place of this page's own, as a call.
        """
        ledger, route = self.ledger, wire.route
        gate, now = route.gate, clock.monotonic()
        if "requests.adapters" in modules and is_replaced():
            self.resting.remove(wire)
            self.hand_over(wire, "mocked")
        elif ledger.take_place(gate):
            has_room = wire.until - now >= ledger.limits.min_try and not ledger.is_full
            permit = gate.circuit.enter(wire.until) if has_room else None
            if permit is None:
                ledger.leave(route.client)
                self._stand(wire, ended)
            else:
                self.resting.remove(wire)
                self._begin(wire, permit, now)
        elif ledger.holds(gate):
            self.resting.remove(wire)
            self.hand_over(wire, "place")
        else:
            self._stand(wire, ended)

    def _begin(self, wire: Wire, permit: int, now: float) -> None:
        """Sends a request if there is a connection for it, else begins to make one."""
        assert wire.retries is not None, "it was tried"
        self.ledger.tries += 1
        wire.retries.attempts += 1
        wire.permit, wire.tried_at = permit, now
        self.flying.append(wire)
        connection = wire.route.idle.take(for_write=wire.route.for_write, now=now)
        if connection is None:
            wire.reach()
            return
        wire.fresh = False
        try:
            wire.bind(connection)
            wire.send(wire.until - now)
        except Exception as error:
            wire.fail(error)

    def _stand(self, wire: Wire, ended: list[Ended]) -> None:
        """Ends a request with what its last try came to."""
        assert wire.retries is not None and wire.retries.last is not None, "it was tried"
        self.resting.remove(wire)
        self.end(wire, wire.retries.last, ended)

    def wakes_at(self, until: float) -> float:
        """Until then, or when something is to be done for what rests: its next try, or the end of somebody."""
        for wire in self.resting:
            until = min(until, wire.again_at, wire.until)
            for one in wire.joined or ():
                until = min(until, one.until)
        return until
