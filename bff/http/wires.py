"""One page's ordinary requests, each on a wire, and one wait for all of them."""

from __future__ import annotations

import select
from math import inf
from sys import modules
from typing import TYPE_CHECKING, Any, Protocol

from bff import clock
from bff.http import resting
from bff.http.gate import full
from bff.http.joined import Joined, end_all, end_late, join, key_of
from bff.http.ledger import HandOver, Ledger, over, spared
from bff.http.messages import Broken, BrokenKind, OutgoingRequest, Reply, is_transient
from bff.http.sockets.transport import is_replaced, wait_once
from bff.http.sockets.wire import Wire

if TYPE_CHECKING:
    from bff.http.client import Client
    from bff.http.ledger import Change
    from bff.http.route import Route

_POLLIN = select.POLLIN

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


class Wires:
    """What a page has under way on wires; used by one thread.

    `flying` are those that are under way, `resting` those that wait for their next try. `calls` are those of its page,
    which go on with what needs more. `lines`, `request_id`, `visitor` and `offset` are what all requests share.
    """

    __slots__ = (
        "_calls",
        "_deadline",
        "flying",
        "ledger",
        "lines",
        "offset",
        "request_id",
        "resting",
        "visitor",
    )

    def __init__(self, ledger: Ledger, deadline: float, request_id: str, calls: Beside) -> None:
        self.ledger = ledger
        self.visitor: bytes | None = None
        self._deadline = deadline
        self.request_id = request_id
        self._calls = calls
        self.flying: list[Wire] = []
        self.resting: list[Wire] = []
        self.offset = 0.0
        identity = f"X-Request-ID: {request_id}\r\n" if request_id else ""
        self.lines = f"{identity}X-Request-Deadline-Ms: "

    # --- sending -------------------------------------------------------------------------------------------------

    def ask(
        self,
        owner: Any,
        at: int,
        route: Route,
        target: str,
        token: str | None = None,
        request: OutgoingRequest | None = None,
    ) -> Ended | Broken | None:
        """Sends a request, or says why it may not be made; None, with nothing done, where a call may wait for that.

        `target` and `token` say it all, unless there is a `request` with headers or a body of its own.
        """
        ledger, gate = self.ledger, route.gate
        limits, now = ledger.limits, clock.monotonic()
        until = now + route.timeout
        if until > self._deadline:
            until = self._deadline
        left = until - now
        if left < limits.min_try or ledger.tries >= limits.max_requests or ledger.bytes >= limits.max_replies:
            return self._refused(route, until)
        if route.may_join and (wire := ledger.joinable.get(key_of(route, target, token, request))):
            return join(wire, owner, at, until)
        if "requests.adapters" in modules and is_replaced():  # who has not loaded it has not replaced it
            self._calls.handed_over(route.client, "mocked")
            return None
        held = ledger.held.get(gate, 0)
        permit = gate.pass_at_once(not held, route.safe)
        if permit is None:
            passed = self._pass(route, until, first=not held)
            if not isinstance(passed, int):
                return passed
            permit = passed
        ledger.held[gate] = held + 1
        ledger.tries += 1
        if self.offset == 0.0 or route.for_write:
            self.offset = clock.wall() - now
        connection = route.idle.take(for_write=route.for_write, now=now, offset=self.offset)
        wire = (connection and connection.wire) or Wire(connection)
        wire.owner, wire.at, wire.page, wire.ledger, wire.route = owner, at, self, ledger, route
        wire.target, wire.token, wire.request, wire.permit = target, token, request, permit
        wire.began, wire.tried_at, wire.until = now, now, until
        wire.fresh = wire.went_out = False
        self.flying.append(wire)
        if route.may_join:
            ledger.joinable[key_of(route, target, token, request)] = wire
        if connection is None:
            wire.reach()
        else:
            wire.send(left)
        return wire

    def _pass(self, route: Route, until: float, *, first: bool) -> int | Broken | None:
        """The permit of a backend that is being tried again, or why it is not asked.

        None where the page holds a place already, and may wait until that is free.
        """
        gate = route.gate
        if self.ledger.queues.get(route.client) or not gate.enter(first=first):
            if first:
                return self._refused(route, until, full())
            self._calls.handed_over(route.client, "place")
            return None
        permit = gate.circuit.enter(until)
        if permit is None:
            gate.leave()
            return self._refused(route, until, spared(route.client))
        self._earn(route)
        return permit

    def _refused(self, route: Route, until: float, why: Broken | None = None) -> Broken:
        """Why a request is not made; it counts as a call of its client all the same."""
        self._earn(route)
        if why is None:
            has_time = until - clock.monotonic() >= self.ledger.limits.min_try
            why = over() if has_time else Broken("timeout", reason="no-time")
        self._calls.refused(route.client, why)
        return why

    @staticmethod
    def _earn(route: Route) -> None:
        if route.safe:
            route.gate.hedges.earn()
        route.gate.budget.earn()

    # --- waiting -------------------------------------------------------------------------------------------------

    def due(self) -> float:
        """When something is due next (monotonic), infinity where nothing is."""
        flying = [wire.due for wire in self.flying]
        return min([*flying, *map(_again_at, self.resting)], default=inf)

    def wait(self, until: float) -> list[Ended]:
        """What has ended; waits for the first, at most until then (monotonic)."""
        if self.resting:
            return self._wait_beside(until)
        flying = self.flying
        for wire in flying:
            if not wire.simple:
                return self._wait_beside(until)
            if wire.until < until:
                until = wire.until
        if len(flying) == 1:
            poll = flying[0].connection.poll
        else:
            several = select.poll()
            for wire in flying:
                several.register(wire.fd, _POLLIN)
            poll = several.poll
        left = until - clock.monotonic()
        news = poll(left * 1000 if left > 0 else 0)
        now = clock.monotonic()
        ended: list[Ended] = []
        there = dict(news)
        for wire in flying[:]:
            if wire.fd in there:
                if wire.read() is None:
                    wire.look_closer()
                if wire.plain or wire.found is not None:
                    self._land(wire, now, ended)
        if not there:
            ended += self.ring(now)
        return ended

    def _wait_beside(self, until: float) -> list[Ended]:
        """The same where something is not simple."""
        under_way = self.flying[:]
        for wire in self.flying:
            if wire.found is not None:  # it ended as soon as it was begun
                under_way.remove(wire)
                until = 0.0  # and nothing is due
        for wire in self.resting:
            until = min(until, _again_at(wire))
        now, is_due = wait_once(under_way, until)
        ended: list[Ended] = []
        for wire in self.flying[:]:
            if wire.plain or wire.found is not None:
                self._land(wire, now, ended)
        if is_due and until:
            ended += self.ring(now)
        return ended

    def land(self, wire: Wire) -> list[Ended]:
        """What has ended because a wire has."""
        ended: list[Ended] = []
        self._land(wire, clock.monotonic(), ended)
        return ended

    def ring(self, now: float) -> list[Ended]:
        """Ends what has no time left, and tries again what has rested."""
        ended: list[Ended] = []
        for wire in self.flying[:]:
            if wire.until <= now:
                if not wire.plain and wire.found is None:
                    wire.give_up(wire.late)
                self._land(wire, now, ended)
            elif wire.joined is not None:
                ended += self.end_late_of(wire, wire.late, now)
        if self.resting:
            resting.ring(self, now, ended)
        return ended

    def end_late_of(self, wire: Wire, outcome: Reply | Broken, now: float) -> list[Joined]:
        """Ends those whose own time is up, and the wire where nobody waits for it any more."""
        late = end_late(wire, outcome, now)
        if late and not wire.joined:
            self._drop(wire)
        return late

    # --- ends ----------------------------------------------------------------------------------------------------

    def _land(self, wire: Wire, now: float, ended: list[Ended]) -> None:
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
        telling = (
            isinstance(outcome, Broken)
            and outcome.kind == "timeout"
            and ledger.telling(wire.until - wire.tried_at, route.timeout)
        )
        change = ledger.tell(route.client, wire.permit, outcome, telling=telling, visitor=self.visitor)
        if change is not None:
            self._calls.turned(route.client, change)
        may_help = route.may_repeat and route.retries and is_transient(outcome)
        if not (may_help and resting.rests(self, wire, outcome)):
            self.end(wire, outcome, ended)

    def end(self, wire: Wire, outcome: Reply | Broken, ended: list[Any]) -> None:
        """Ends a request for all who wait for it."""
        if wire.retries is not None and wire.retries.attempts > 1:
            outcome = wire.retries.told(outcome)
        if wire.route.may_join or not wire.route.safe:
            self._forget(wire)
        if wire.joined is None:
            wire.found = outcome
            ended.append(wire)
        else:
            ended += end_all(wire, outcome, self.ledger)
            wire.release()

    def hand_over(self, wire: Wire, why: HandOver) -> None:
        """Has a request go on as a call."""
        self._calls.handed_over(wire.route.client, why)
        self._calls.take_over(wire)
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


def _again_at(wire: Wire) -> float:
    """When something is to be done for what rests: its next try, or the end of somebody."""
    due = min(wire.again_at, wire.until)
    return due if wire.joined is None else min([due, *(one.until for one in wire.joined)])
