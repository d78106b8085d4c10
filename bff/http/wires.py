"""One page's ordinary requests, each on a wire, and one wait for all of them."""

from __future__ import annotations

import select
from math import inf
from sys import modules
from typing import TYPE_CHECKING, Any

from bff import clock
from bff.http.gate import full
from bff.http.joined import join, key_of
from bff.http.landing import Beside, Ended
from bff.http.ledger import Ledger, over, spared
from bff.http.messages import Broken, OutgoingRequest
from bff.http.resting import Resting
from bff.http.sockets.transport import is_replaced, wait_once
from bff.http.sockets.wire import Wire

if TYPE_CHECKING:
    from bff.http.route import Route

_POLLIN = select.POLLIN


class Wires(Resting):
    """What a page has under way on wires; used by one thread.

    `lines`, `request_id`, `visitor` and `offset` are what all of its requests share.
    """

    __slots__ = ("_deadline", "lines", "offset", "request_id")

    def __init__(self, ledger: Ledger, deadline: float, request_id: str, calls: Beside) -> None:
        self.ledger = ledger
        self.visitor = None
        self._deadline = deadline
        self.request_id = request_id
        self.calls = calls
        self.flying = []
        self.resting = []
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
            self.calls.handed_over(route.client, "mocked")
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
            self.calls.handed_over(route.client, "place")
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
        why = why or self.ledger.refusal(until) or over()
        self.calls.refused(route.client, why)
        return why

    @staticmethod
    def _earn(route: Route) -> None:
        if route.safe:
            route.gate.hedges.earn()
        route.gate.budget.earn()

    # --- waiting -------------------------------------------------------------------------------------------------

    def due(self) -> float:
        """When something is due next (monotonic), infinity where nothing is."""
        return self.wakes_at(min([wire.due for wire in self.flying], default=inf))

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
                    self.land(wire, now, ended)
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
        if self.resting:
            until = self.wakes_at(until)
        now, is_due = wait_once(under_way, until)
        ended: list[Ended] = []
        for wire in self.flying[:]:
            if wire.plain or wire.found is not None:
                self.land(wire, now, ended)
        if is_due and until:
            ended += self.ring(now)
        return ended

    def ring(self, now: float) -> list[Ended]:
        """Ends what has no time left, and tries again what has rested."""
        ended: list[Ended] = []
        for wire in self.flying[:]:
            if wire.until <= now:
                if not wire.plain and wire.found is None:
                    wire.give_up(wire.late)
                self.land(wire, now, ended)
            elif wire.joined is not None:
                ended += self.end_late(wire, wire.late, now)
        if self.resting:
            self.wake(now, ended)
        return ended
