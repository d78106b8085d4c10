"""What becomes of a page's requests on wires: the place is given back, the breaker told, the owner given its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bff.http.joined import Joined, end_all, end_those_late, key_of
from bff.http.ledger import HandOver, Ledger
from bff.http.messages import Broken, BrokenKind, Reply, is_transient, of_tries
from bff.http.sockets.wire import Wire

if TYPE_CHECKING:
    from bff.http.client import Client
    from bff.http.ledger import Change

Ended = Wire | Joined
"""What tells its owner that a request has ended."""


class Beside(Protocol):
    """The calls of a page, as far as its wires need them."""

    def take_over(self, wire: Wire) -> None:
        """Has a request whose next try no wire can make go on as a call."""

    def turned(self, client: Client, change: Change) -> None:
        """Is told that a request has opened or closed its client's breaker."""

    def refused(self, client: Client, why: Broken) -> None:
        """Is told that a request was not made."""

    def handed_over(self, client: Client, why: HandOver) -> None:
        """Is told that a request goes on as a call."""


class Landing:
    """Takes in what came of wires; used by one thread.

    `flying` are those that are under way, `resting` those that wait for their next try. `calls` are those of its page,
    which go on with what needs more; `visitor` is the mark of who asks.
    """

    __slots__ = ("calls", "flying", "ledger", "resting", "visitor")

    ledger: Ledger
    calls: Beside
    visitor: bytes | None
    flying: list[Wire]
    resting: list[Wire]

    def rests(self, wire: Wire, outcome: Reply | Broken) -> bool:
        """Has a request wait for its next try; False where its outcome stands, as it does here."""
        return False

    def land(self, wire: Wire, now: float, ended: list[Ended]) -> None:
        """Takes in what came of a wire at a moment (monotonic)."""
        self.flying.remove(wire)
        wire.landed_at = now
        route, ledger = wire.route, self.ledger
        gate, limits = route.gate, ledger.limits
        if not ledger.queues:
            ledger.held[gate] -= 1
            gate.leave()
        else:
            ledger.leave(route.client)
        if not wire.plain:
            outcome = wire.found
            assert outcome is not None, "it has ended"
            if isinstance(outcome, Reply) or outcome.kind == "too-large":
                outcome = ledger.counted(outcome)
            self._settle(wire, outcome, ended)
            return
        size = len(wire.raw)
        ledger.bytes += size
        if size > limits.max_reply or ledger.bytes > limits.max_replies:
            self._refuse(wire, "too-large" if size > limits.max_reply else "limit", ended)
        elif (
            wire.status >= 500
            or wire.status == 429
            or wire.joined is not None
            or gate.circuit.standing is None
        ):
            self._settle(wire, wire.result, ended)
        else:
            if (verdict := (route.client, True)) not in ledger.told:
                ledger.told.add(verdict)
                gate.circuit.succeeded(wire.permit)
            if route.may_join or not route.safe:
                self._forget(wire)
            ended.append(wire)

    def _refuse(self, wire: Wire, kind: BrokenKind, ended: list[Ended]) -> None:
        """Ends a wire whose reply is more than may be taken in."""
        wire.connection.close()
        wire.plain = False
        self._settle(wire, Broken(kind, sent=True), ended)

    def _settle(self, wire: Wire, outcome: Reply | Broken, ended: list[Ended]) -> None:
        """Tells the breaker of a try, and has the next one wait for its time, or ends the request with this."""
        route, ledger = wire.route, self.ledger
        seconds = wire.until - wire.tried_at
        change = ledger.tell(route.client, wire.permit, outcome, seconds, route.timeout, self.visitor)
        if change is not None:
            self.calls.turned(route.client, change)
        if not (route.may_retry and is_transient(outcome) and self.rests(wire, outcome)):
            self.end(wire, outcome, ended)

    def end(self, wire: Wire, outcome: Reply | Broken, ended: list[Ended]) -> None:
        """Ends a request for all who wait for it."""
        if wire.retries is not None and wire.retries.attempts > 1:
            outcome = of_tries(outcome, wire.retries.attempts, sent=wire.retries.sent)
        if wire.route.may_join or not wire.route.safe:
            self._forget(wire)
        if wire.joined is None:
            wire.found = outcome
            ended.append(wire)
        else:
            ended += end_all(wire, outcome, self.ledger)
            wire.release()

    def end_late(self, wire: Wire, outcome: Reply | Broken, now: float) -> list[Joined]:
        """Ends those whose own time is up, and the wire where nobody waits for it any more."""
        late = end_those_late(wire, outcome, now)
        if late and not wire.joined:
            self._drop(wire)
        return late

    def hand_over(self, wire: Wire, why: HandOver) -> None:
        """Has a request go on as a call."""
        self.calls.handed_over(wire.route.client, why)
        self.calls.take_over(wire)
        if wire.route.safe:
            self._forget(wire)

    def _forget(self, wire: Wire) -> None:
        """Joins no further read to a request that has ended, and after a write to none from before it."""
        if not wire.route.safe:
            self.ledger.write_ended()
        elif wire.route.may_join:
            self.ledger.joinable.pop(key_of(wire.route, wire.target, wire.token, wire.request), None)

    def give_up(self, one: Ended) -> None:
        """Gives a request up, and its wire where nobody else waits for that."""
        if not isinstance(one, Joined):
            self._drop(one)
        elif one.result is None:  # else its wire is others' already
            wire = one.wire
            wire.joined = [joined for joined in wire.joined or () if joined is not one]
            if not wire.joined:
                self._drop(wire)

    def _drop(self, wire: Wire) -> None:
        """Forgets a request that nobody waits for any more, and gives up what is under way of it."""
        if wire in self.resting:
            self.resting.remove(wire)
            self._forget(wire)
        elif wire not in self.flying:
            wire.release()
        else:
            self.flying.remove(wire)
            wire.give_up(None)
            wire.route.gate.circuit.left(wire.permit)
            self.ledger.leave(wire.route.client)
            self._forget(wire)

    def close(self) -> None:
        """Gives up all that is under way, so that it holds no place any more."""
        for wire in (*self.flying, *self.resting):
            wire.joined = None
            self.give_up(wire)
