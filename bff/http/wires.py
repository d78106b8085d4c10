"""The first tries of one page's ordinary requests, each on a wire, and one wait for all of them."""

from __future__ import annotations

import select
from functools import partial
from math import inf
from sys import modules
from typing import TYPE_CHECKING, Any, Literal, Protocol

from bff import clock
from bff.http.gate import full
from bff.http.ledger import Ledger, over, spared
from bff.http.messages import Broken, BrokenKind, OutgoingRequest, Reply, check_header
from bff.http.retry import is_transient
from bff.http.sockets.flight import Exchange, SocketFlight
from bff.http.sockets.transport import is_replaced, listen
from bff.http.sockets.wire import Wire
from bff.turns import TURNS

if TYPE_CHECKING:
    from bff.http.client import Client
    from bff.http.ledger import Change
    from bff.http.route import Route

_POLLIN = select.POLLIN


class Joined:
    """A read that waits for the wire of an equal one of its page; `until` (monotonic) is its own time-out."""

    __slots__ = ("at", "owner", "result", "until", "wire")

    def __init__(self, wire: Wire, owner: Any, at: int, until: float) -> None:
        self.wire, self.owner, self.at, self.until = wire, owner, at, until
        self.result: Reply | Broken | None = None

    @property
    def lost(self) -> bool:
        """A read is never lost."""
        return False

    @property
    def client(self) -> Client:
        return self.wire.route.client

    @property
    def began(self) -> float:
        return self.wire.began

    is_waiting = False

    def body(self) -> bytes | None:
        """None: each of several has a reply of its own."""
        return None

    def release(self) -> None:
        """Its wire is free already."""


HandOver = Literal["retry", "place", "mocked"]
"""Why a request that could fly on a wire is a call: another try may help, no place is free, or requests is replaced."""

Ended = Wire | Joined
"""What tells its owner that a request has ended."""


class Beside(Protocol):
    """The calls of a page, as far as its wires need them."""

    def retry(self, wire: Wire, outcome: Reply | Broken) -> None:
        """Has a request that another try may make good go on as a call."""

    def turned(self, client: Client, change: Change) -> None:
        """Is told that a request has opened or closed its client's breaker."""

    def refused(self, client: Client, why: Broken) -> None:
        """Is told that a request was not made."""

    def handed_over(self, client: Client, why: HandOver) -> None:
        """Is told that a request goes on as a call."""


class Wires:
    """What a page has under way on wires; used by one thread.

    `calls` are those of its page, which go on with what needs more. `visitor` is the mark of who asks, if that is
    known; `offset` is by how much the clock of the day is ahead of the monotonic one.
    """

    __slots__ = (
        "_calls",
        "_deadline",
        "_joinable",
        "_lines",
        "_request_id",
        "flying",
        "ledger",
        "offset",
        "visitor",
    )

    def __init__(
        self,
        ledger: Ledger,
        deadline: float,
        request_id: str,
        calls: Beside,
    ) -> None:
        self.ledger = ledger
        self.visitor: bytes | None = None
        self._deadline = deadline
        self._request_id = request_id
        self._calls = calls
        self.flying: list[Wire] = []
        self._joinable: dict[Any, Wire] = {}
        self.offset = 0.0
        identity = f"X-Request-ID: {request_id}\r\n" if request_id else ""
        self._lines = f"{identity}X-Request-Deadline-Ms: "

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
        if route.may_join and (joined := self._join(owner, at, route, target, token, request, until)):
            return joined
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
        wire.owner, wire.at, wire.page, wire.route, wire.permit = owner, at, self, route, permit
        wire.plain, wire.joined = False, None
        wire.began, wire.until, wire.target, wire.token, wire.request = now, until, target, token, request
        self.flying.append(wire)
        if route.may_join:
            self._joinable[self._key(route, target, token, request)] = wire
        if connection is None:
            self._open(wire)
        else:
            connection.wire = wire
            raw = self._head_of(wire, left)
            if request is not None and request.body:
                raw += request.body
            try:
                sent = wire.send(raw)
            except OSError:
                sent = 0
            if sent != len(raw):
                self._fly(wire, raw[sent:], None, sent=sent > 0)
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

    def _head_of(self, wire: Wire, left: float) -> bytes:
        """The head of a request, as it goes out with so many seconds left."""
        route, target, request = wire.route, wire.target, wire.request
        if request is not None:
            return route.head_of(request, target, self._request_id, left)
        auth = ""
        if wire.token is not None:
            check_header("Authorization", wire.token)
            auth = f"Authorization: Bearer {wire.token}\r\n"
        # Whoever checked them before: nothing in a target ends its line or begins another request.
        if not (target.isascii() and target.isprintable()) or " " in target:
            raise ValueError("a target cannot be sent as it is")
        text = f"{route.start}{target}{route.headers}{auth}{self._lines}{int(left * 1000) or 1}\r\n\r\n"
        return text.encode("latin-1")

    def _open(self, wire: Wire) -> None:
        """Begins a request that has no connection yet."""
        wire.flight = self._flight_of(wire)
        wire.flight.open()

    def _fly(self, wire: Wire, unsent: bytes, came: bytes | OSError | None, *, sent: bool) -> None:
        """Goes on where a request or a reply is not plain."""
        connection = wire.connection
        connection.wire = None
        wire.flight = self._flight_of(wire)
        wire.flight.resume(connection, unsent, came, sent=sent)

    def read_carefully(self, wire: Wire) -> None:
        """Reads again what came on a wire and was not plain."""
        self._fly(wire, b"", wire.came, sent=True)

    def _flight_of(self, wire: Wire) -> SocketFlight:
        route, request = wire.route, wire.request
        return SocketFlight(
            Exchange(
                route.client,
                route.method,
                None if request is None else request.body,
                wire.until,
                self.ledger.room,
                partial(self._head_of, wire),
            ),
            route.origin,
            route.idle,
            route.transport.resolver,
        )

    # --- equal reads ---------------------------------------------------------------------------------------------

    @staticmethod
    def _key(route: Route, target: str, token: str | None, request: OutgoingRequest | None) -> Any:
        """What is the same in equal reads: whom they ask what, for how long and how often."""
        if request is None:
            return (route.kind, target, token)
        headers = tuple(sorted(request.headers.items()))
        return (route.kind, target, request.token, headers, request.body, request.content_type)

    def _join(
        self,
        owner: Any,
        at: int,
        route: Route,
        target: str,
        token: str | None,
        request: OutgoingRequest | None,
        until: float,
    ) -> Joined | None:
        wire = self._joinable.get(self._key(route, target, token, request))
        if wire is None:
            return None
        if wire.joined is None:  # from now on the first is one of several, each with its own end
            first = Joined(wire, wire.owner, wire.at, wire.until)
            wire.owner.becomes(wire, first)
            wire.joined = [first]
        joined = Joined(wire, owner, at, until)
        wire.joined.append(joined)
        wire.until = max(wire.until, until)
        if wire.flight is not None:
            wire.flight.until = wire.until
        return joined

    # --- waiting -------------------------------------------------------------------------------------------------

    def due(self) -> float:
        """When something is due next (monotonic), infinity where nothing is."""
        return min([_due(wire) for wire in self.flying], default=inf)

    def wait(self, until: float) -> list[Ended]:
        """What has ended; waits for the first, at most until then (monotonic)."""
        flying = self.flying
        for wire in flying:
            if wire.flight is not None or wire.joined is not None:
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
        news = TURNS.outside(poll, left * 1000 if left > 0 else 0)
        now = clock.monotonic()
        ended: list[Ended] = []
        if len(news) == len(flying):
            moved = flying[:]
        else:
            there = [fd for fd, _ in news]
            moved = [wire for wire in flying if wire.fd in there]
        for wire in moved:
            whole = wire.read()
            if whole is None:
                self.read_carefully(wire)
            elif whole:
                self._land(wire, now, ended)
        if not moved:
            ended += self.ring(now)
        return ended

    def _wait_beside(self, until: float) -> list[Ended]:
        """The same where something is not plain."""
        poll, elsewhere = select.poll(), []
        for wire in self.flying:
            flight = wire.flight
            if flight is None:
                poll.register(wire.fd, _POLLIN)
            elif flight.outcome is not None:  # what was begun anew may have ended at once
                until = 0.0
            elif interests := flight.interests():
                for fd, events in interests:
                    poll.register(fd, events)
            else:
                elsewhere.append(flight)
            until = min(until, _due(wire))
        if elsewhere:
            until = min(until, listen(poll, elsewhere))
        left = until - clock.monotonic()
        news = TURNS.outside(poll.poll, left * 1000 if left > 0 else 0)
        return self._moved({fd for fd, _ in news}, beside=bool(elsewhere))

    def _moved(self, there: set[int], *, beside: bool) -> list[Ended]:
        """Has everything go on that has news, or whose time has come; `beside`: there may be some of no socket."""
        now = clock.monotonic()
        ended: list[Ended] = []
        for wire in self.flying[:]:
            flight = wire.flight
            if flight is None:
                if wire.fd in there and wire.read() is None:
                    self.read_carefully(wire)
                    flight = wire.flight
            elif beside or flight.due <= now or any(fd in there for fd, _ in flight.interests()):
                flight.go_on()
            if wire.plain or (flight is not None and flight.outcome is not None):
                self._land(wire, now, ended)
        return ended + self.ring(now)

    def land(self, wire: Wire) -> list[Ended]:
        """What has ended because a wire has."""
        ended: list[Ended] = []
        self._land(wire, clock.monotonic(), ended)
        return ended

    def ring(self, now: float) -> list[Ended]:
        """Ends what has no time left."""
        ended: list[Ended] = []
        for wire in list(self.flying):
            if wire.joined is not None:
                self._ring_joined(wire, now, ended)
            elif wire.until <= now:
                self._time_out(wire)
                self._land(wire, clock.monotonic(), ended)
        return ended

    def _ring_joined(self, wire: Wire, now: float, ended: list[Ended]) -> None:
        assert wire.joined is not None
        if wire.until <= now:
            self._time_out(wire)
            self._land(wire, now, ended)
            return
        late = [joined for joined in wire.joined if joined.until <= now]
        wire.joined = [joined for joined in wire.joined if joined.until > now]
        for joined in late:
            joined.result = _late(wire)
        ended += late

    @staticmethod
    def _time_out(wire: Wire) -> None:
        if not wire.has_ended:
            wire.give_up(_late(wire))

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
            self._land_broken(wire, wire.result, ended)
            return
        size = len(wire.raw)
        ledger.bytes += size
        if size > limits.max_reply or ledger.bytes > limits.max_replies:
            self._refuse(wire, "too-large" if size > limits.max_reply else "limit", ended)
        elif wire.status >= 500 or wire.status == 429 or wire.joined is not None:
            self._settle(wire, wire.result, ended)
        else:
            if gate.circuit.standing is None:
                self._tell(wire, Reply(wire.status))
            elif (verdict := (route.client, True)) not in ledger.told:
                ledger.told.add(verdict)
                gate.circuit.succeeded(wire.permit)
            if route.may_join or not route.safe:
                self._forget(wire)
            ended.append(wire)

    def _refuse(self, wire: Wire, kind: BrokenKind, ended: list[Ended]) -> None:
        """Ends a wire whose reply is more than may be taken in."""
        wire.connection.close()
        wire.plain, wire.broken = False, Broken(kind, sent=True)
        self._settle(wire, wire.broken, ended)

    def _land_broken(self, wire: Wire, outcome: Reply | Broken, ended: list[Ended]) -> None:
        """Ends a wire that brought no plain reply."""
        counted = self.ledger.counted(outcome)
        if counted is not outcome:
            assert isinstance(counted, Broken), "only what is too much is another outcome"
            wire.broken = counted
        self._settle(wire, counted, ended)

    def _settle(self, wire: Wire, outcome: Reply | Broken, ended: list[Ended]) -> None:
        """Has a request go on where another try may make its outcome good, else ends it for all who wait for it."""
        route = wire.route
        self._tell(wire, outcome)
        self._forget(wire)
        if route.may_repeat and route.retries and is_transient(outcome):
            self._calls.handed_over(route.client, "retry")
            self._calls.retry(wire, outcome)
            wire.release()
        elif wire.joined is None:
            ended.append(wire)
        else:
            for at, joined in enumerate(wire.joined):
                joined.result = outcome if at == 0 else self.ledger.counted(_copy(outcome))
            ended += wire.joined
            wire.release()

    def _forget(self, wire: Wire) -> None:
        """Joins no further read to a request that has ended, and after a write to none from before it."""
        if not wire.route.safe:
            self._joinable.clear()
            self.ledger.write_ended()
        elif wire.route.may_join:
            self._joinable.pop(self._key(wire.route, wire.target, wire.token, wire.request), None)

    def _tell(self, wire: Wire, outcome: Reply | Broken) -> None:
        route = wire.route
        telling = self.ledger.telling(wire.until - wire.began, route.timeout)
        change = self.ledger.tell(route.client, wire.permit, outcome, telling=telling, visitor=self.visitor)
        if change is not None:
            self._calls.turned(route.client, change)

    def give_up(self, one: Ended) -> None:
        """Gives a request up, and its wire where nobody else waits for that."""
        wire = one
        if isinstance(one, Joined):
            wire = one.wire
            assert wire.joined is not None
            wire.joined = [joined for joined in wire.joined if joined is not one]
            if wire.joined:
                return
        assert isinstance(wire, Wire)
        if wire not in self.flying:
            wire.release()
        else:
            self.flying.remove(wire)
            wire.give_up(None)
            wire.route.gate.circuit.left(wire.permit)
            self.ledger.leave(wire.route.client)
            self._forget(wire)

    def close(self) -> None:
        """Gives up all that is under way, so that it holds no place any more."""
        for wire in list(self.flying):
            wire.joined = None
            self.give_up(wire)


def _due(wire: Wire) -> float:
    due = wire.until if wire.flight is None else wire.flight.due
    return due if wire.joined is None else min(due, *(joined.until for joined in wire.joined))


def _copy(outcome: Reply | Broken) -> Reply | Broken:
    return outcome.copy() if isinstance(outcome, Reply) else outcome


def _late(wire: Wire) -> Broken:
    flight = wire.flight
    if flight is None:
        return Broken("timeout", sent=True, reason="reply-timeout")
    return Broken("timeout", sent=flight.sent, reason=flight.late)
