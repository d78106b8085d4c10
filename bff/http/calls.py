"""The calls of one page: each ends with a reply, kept or new, or with why there is none; above any transport."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import Any

from bff import clock
from bff.http.cache.background import BackgroundReads
from bff.http.call import Call
from bff.http.client import Client
from bff.http.headers import set_header
from bff.http.landing import Ended
from bff.http.layers.store import Reads
from bff.http.ledger import Change, HandOver, Ledger, Limits
from bff.http.messages import Broken, OutgoingRequest, Reply, of_tries
from bff.http.route import Route, headers_of
from bff.http.sockets.transport import SocketTransport, needs_more_than_sockets
from bff.http.sockets.wire import Wire
from bff.http.stream.held_stream import HeldStream
from bff.http.stream.streams import Streams
from bff.http.transport import Transport
from bff.http.tries import Tries, layers_of
from bff.http.way import Way
from bff.http.wires import Wires


class Calls:
    """The calls of one page; used by one thread.

    `background` is what pages of this process share: without it each page asks for itself, and keeps replies in the
    process only.
    """

    def __init__(
        self,
        transport: Transport,
        deadline: float,
        limits: Limits | None = None,
        request_id: str = "",
        background: BackgroundReads | None = None,
    ) -> None:
        self.transport = transport
        self._deadline = deadline
        self._request_id = request_id
        self._background = background
        self.limits = limits or Limits()
        self.ledger = Ledger(self.limits, deadline - clock.monotonic())
        self.visitor: bytes | None = None
        self.wires: Wires | None = None
        self._tries: Tries | None = None
        self._reads: Reads | None = None
        self._ended: list[Call | Ended] = []

    def anew(self, deadline: float) -> Calls:
        """Calls of the same page with another deadline (monotonic) and bounds of their own."""
        return Calls(self.transport, deadline, self.limits, self._request_id, self._background)

    def way(
        self, client: Client, method: str, *, on_wires: bool = False, may_join: bool = False, **terms: Any
    ) -> Way:
        """The way of requests to a client; a `Route` where they may be `on_wires` and sockets can do what it needs."""
        transport = self.transport
        if on_wires and isinstance(transport, SocketTransport) and not needs_more_than_sockets(client):
            way: Way = Route(transport, client, method, may_join=may_join, **terms)
        else:
            way = Way(client, method, **terms)
        way.begin = Calls._try if way.cache is None else Calls._read
        way.layers = layers_of(way)
        return way

    def ask(self, owner: Any, at: int, way: Way, request: OutgoingRequest) -> Call:
        """Sends a request of somebody as a call."""
        call = self.start(way, request)
        call.owner, call.at = owner, at
        return call

    def fly(self, owner: Any, at: int, route: Route, request: OutgoingRequest) -> Call | Ended | Broken:
        """Sends a request with headers or a body of its own on a wire, or as a call that may wait for one."""
        wires = self.wires or self.begin_wires()
        flying = wires.ask(owner, at, route, request.target, None, request)
        return flying or self.ask(owner, at, route, request)

    def start(self, way: Way, request: OutgoingRequest, until: float | None = None) -> Call:
        """Starts a call that ends by `until`, its time-out and the page's deadline (monotonic).

        A read that is under way already is not sent again. Raises ValueError for a request that cannot be sent as
        it is (path, header).
        """
        end = min(self._deadline, clock.monotonic() + way.timeout, self._deadline if until is None else until)
        url = way.client.url(request.target)
        call = Call(way, request, end, url, headers_of(way.client, request, self._request_id))
        way.begin(self, call)
        return call

    def start_later(self, way: Way, request: OutgoingRequest, moment: float, until: float) -> Call:
        """The same of a call that waits until a moment (monotonic) before it begins, and has its time-out from then."""
        end = min(self._deadline, moment + way.timeout, until)
        url = way.client.url(request.target)
        call = Call(way, request, end, url, headers_of(way.client, request, self._request_id))
        call.begun = moment
        self.tries.wait_with(call, moment)
        return call

    def _try(self, call: Call) -> None:
        self.tries.begin(call)

    def _read(self, call: Call) -> None:
        self.reads.begin(call)

    def wait(self, until: float) -> list[Call | Ended]:
        """The calls that ended since the last wait; waits for the first, at most until then (monotonic).

        Gives an empty list when the time is up or nothing is under way.
        """
        while not self._ended:
            if self.ledger.freed:
                self._hand_on()
            if self._tries is not None:
                if not self._wait_for_all(until):
                    break
            elif self.wires is None or not (self.wires.flying or self.wires.resting):
                break
            else:
                self._ended.extend(self.wires.wait(until))
            if clock.monotonic() >= until:
                break
        ended, self._ended = self._ended, []
        return ended

    def _wait_for_all(self, until: float) -> bool:
        """Waits once for whatever comes first; says whether there is anything to wait for."""
        tries, reads, wires = self.tries, self.reads, self.wires
        flying, resting = ([], []) if wires is None else (wires.flying, wires.resting)
        if not (tries.leaders or reads.awaited or flying or resting):
            return False
        moment = min(until, tries.due(), reads.due() if reads.awaited else inf, wires.due() if wires else inf)
        for started in self.transport.wait((*tries.flying, *reads.awaited, *flying), moment):
            if wires is not None and isinstance(started, Wire):
                landed: list[Ended] = []
                wires.land(started, clock.monotonic(), landed)
                self._ended.extend(landed)
            elif not tries.land(started):
                reads.land(started)
        now = clock.monotonic()
        tries.ring(now)
        if reads.awaited:
            reads.ring(now)
        if wires is not None:
            self._ended.extend(wires.ring(now))
        return True

    def stream(
        self,
        way: Way,
        request: OutgoingRequest,
        body: Iterable[bytes] | None,
        *,
        length: int | None,
        max_bytes: int,
    ) -> HeldStream | Broken:
        """Sends a request whose body and reply go through as streams, and waits for the reply's head.

        The head comes within the time-out, counted from the last piece of the body, the whole by the page's
        deadline. Raises what `body` raises, and ValueError for a request that cannot be sent as it is.
        """
        headers = headers_of(way.client, request, self._request_id)
        set_header(headers, "Accept-Encoding", "identity")  # what is not read cannot be unpacked
        if length is not None:
            set_header(headers, "Content-Length", str(length))
        call = Call(way, request, self._deadline, way.client.url(request.target), headers)
        opened = Streams(self.transport, self.tries).open(call, body, max_bytes)
        call.result = opened if isinstance(opened, Broken) else Reply(opened.status, opened.headers)
        self.streamed(call)
        return opened

    def abandon(self, one: Call | Ended) -> None:
        """Gives a request up: `wait` does not give it any more."""
        if isinstance(one, Call):
            self.tries.give_up(one)
            self.reads.give_up(one)
        else:
            assert self.wires is not None, "it is on a wire"
            self.wires.give_up(one)
        self._ended = [ended for ended in self._ended if ended is not one]

    def close(self) -> None:
        """Gives up all that is under way, so that it holds no place any more."""
        if self._tries is not None:
            self.tries.close()
            self.reads.close()
        wires = self.wires
        if wires is not None:
            if wires.flying or wires.resting:
                wires.close()
            for one in self._ended:
                one.release()
        if self.ledger.freed:
            self._hand_on()
        # These know the calls, which know them: nothing that is over waits for the collector.
        self.wires = self._tries = self._reads = None

    def turned(self, client: Client, change: Change) -> None:
        """Called when one of the tries has opened or closed its client's breaker; for who counts that."""

    def cache_hit(self, client: Client) -> None:
        """Called when a read was answered with a kept reply, without a call; for who counts that."""

    def refused(self, client: Client, why: Broken) -> None:
        """Called when a request was not made; for who counts that."""

    def handed_over(self, client: Client, why: HandOver) -> None:
        """Called when a request that could fly on a wire goes on as a call; for who counts that."""

    def streamed(self, call: Call) -> None:
        """Called when the head of a stream, or none, has come, which is the call's result; for who counts that."""

    # --- what most pages do without --------------------------------------------------------------------------------

    @property
    def tries(self) -> Tries:
        """The tries of calls, made when there is a first one."""
        if self._tries is None:
            self._tries = Tries(self.transport, self.ledger, self._tried, self.turned)
        return self._tries

    @property
    def reads(self) -> Reads:
        """The reads that may be kept, made when there is a first one."""
        if self._reads is None:
            self._reads = Reads(
                self.transport,
                self._deadline,
                self.ledger,
                self.tries.begin,
                self._end,
                self._for_others,
                self._background,
            )
        return self._reads

    def begin_wires(self) -> Wires:
        """The requests on wires, for the first of them."""
        self.wires = Wires(self.ledger, self._deadline, self._request_id, self)
        self.wires.visitor = self.visitor
        return self.wires

    def _hand_on(self) -> None:
        """Gives places that were freed to calls that wait for one, now that it is known which still do."""
        freed, self.ledger.freed = self.ledger.freed, []
        for client in freed:
            self.tries.hand_on(client)

    def take_over(self, wire: Wire) -> None:
        """Has a request whose next try no wire can make go on as a call, or as one for each that waits for it."""
        route = wire.route
        request = wire.request or OutgoingRequest(wire.target, token=wire.token, visitor=self.visitor)
        url, headers = route.client.url(request.target), headers_of(route.client, request, self._request_id)
        calls = []
        for one in wire.joined or [wire]:
            call = Call(route, request, one.until, url, headers)
            call.begun = wire.began
            one.owner.becomes(one, call)
            calls.append(call)
        self.tries.go_on(calls, wire)

    def _for_others(self, deadline: float) -> Calls:
        calls = self.anew(deadline)
        calls.reads.only_new = True
        return calls

    def _tried(self, call: Call, outcome: Reply | Broken) -> None:
        """Ends a call whose request was made for this page."""
        leader = call.leader or call
        outcome = of_tries(outcome, leader.attempts, sent=leader.sent)
        self._end(call, outcome if call.stored is None else self.reads.settled(call, outcome))

    def _end(self, call: Call, outcome: Reply | Broken) -> None:
        if isinstance(outcome, Reply):
            outcome.max_depth = self.limits.max_depth
        call.result = outcome
        self._ended.append(call)
