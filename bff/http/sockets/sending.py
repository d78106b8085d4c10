"""A request on its way to its reply, over a connection that is there or is made for it.

Most go out at once and are answered by a plain reply. Where one cannot go out at once, or its reply is not plain, that
is read again from its first byte by a `SocketFlight`, which knows every rule; `flight` is then what goes on.
"""

from __future__ import annotations

import select
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

from bff import clock
from bff.errors import Reason
from bff.http.headers import check_header
from bff.http.messages import Broken, OutgoingRequest, Reply
from bff.http.sockets.broken import broken_by
from bff.http.sockets.flight import Exchange, SocketFlight
from bff.http.sockets.opening import Opening
from bff.http.sockets.plain_reply import PlainReply

if TYPE_CHECKING:
    from bff.http.route import Route
    from bff.http.transport import Waiter


class Page(Protocol):
    """What is the same for all requests of a page.

    `lines` are the ends of their heads, up to the milliseconds that are left; `offset` is by how much the clock of the
    day is ahead of the monotonic one.
    """

    lines: str
    request_id: str
    offset: float


class Sending(PlainReply):
    """Goes as far as it can without waiting; used by one thread at a time.

    `target`, `token` and `request` are what is asked: `request` is None where target and token say it all. One without
    a connection has an `opening`; on a `fresh` one nothing was asked before. It is given up at `until` (monotonic). It
    is `simple` while it waits for nothing but a reply on its connection, and for one owner: nobody has `joined` it.
    What has ended is `plain`, or `found` is what came of it.
    """

    __slots__ = (
        "flight",
        "found",
        "fresh",
        "joined",
        "opening",
        "page",
        "request",
        "route",
        "simple",
        "target",
        "token",
        "until",
        "went_out",
    )

    page: Page
    route: Route
    until: float
    target: str
    token: str | None
    request: OutgoingRequest | None
    joined: list[Any] | None
    flight: SocketFlight | None
    opening: Opening | None
    found: Reply | Broken | None
    simple: bool
    fresh: bool
    went_out: bool

    # --- the way out ---------------------------------------------------------------------------------------------

    def send(self, left: float) -> None:
        """Sends the request on the connection that it has got, with so many seconds left; raises TimeoutError."""
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        route, target, request = self.route, self.target, self.request
        if request is not None:
            raw = route.head_of(request, target, self.page.request_id, left)
            if request.body:
                raw += request.body
        else:
            auth = ""
            if self.token is not None:
                check_header("Authorization", self.token)
                auth = f"Authorization: Bearer {self.token}\r\n"
            # Whoever checked them before: nothing in a target ends its line or begins another request.
            if not (target.isascii() and target.isprintable()) or " " in target:
                raise ValueError("a target cannot be sent as it is")
            lines = self.page.lines
            text = f"{route.start}{target}{route.headers}{auth}{lines}{int(left * 1000) or 1}\r\n\r\n"
            raw = text.encode("latin-1")
        self.simple = self.joined is None
        try:
            sent = self.write(raw)
        except OSError:
            sent = 0
        self.went_out = self.went_out or sent > 0
        if sent != len(raw):
            self._fly(raw[sent:], b"")

    def reach(self) -> None:
        """Goes on towards a connection, and sends the request there."""
        opening = self.opening
        if opening is None:
            route = self.route
            opening = Opening(route.client, route.origin, route.idle, route.connections.resolver)
            self.opening, self.fresh, self.simple = opening, True, False
        try:
            connection = opening.go_on()
            if connection is not None:
                self.opening = None
                self.bind(connection)
                self.send(self.until - clock.monotonic())
        except Exception as error:
            self.fail(error)

    def look_closer(self) -> None:
        """Goes on where what has come is no plain reply."""
        error, self.error = self.error, None
        if error is None:
            if not self.is_under_way(self.route.method):
                self._fly(b"", self.came)
        elif self.fresh or self.came or self.route.for_write or isinstance(error, TimeoutError):
            self.fail(error)
        else:  # it was idle and has turned out dead: a fresh one may be tried (RFC 9110, 9.2.2)
            self.connection.close()
            self.reach()

    def _fly(self, unsent: bytes, came: bytes) -> None:
        """Goes on where a request cannot go out at once, or a reply is not plain."""
        connection, route = self.connection, self.route
        body = None if self.request is None else self.request.body
        connection.wire, self.feed, self.simple = None, None, False
        exchange = Exchange(
            route.client, route.method, body, self.until, self.ledger.room, self._general_head
        )
        self.flight = SocketFlight(exchange, route.origin, route.idle, route.connections.resolver)
        self.flight.resume(connection, unsent, came, reused=not self.fresh, sent=self.went_out)
        self._take_in()

    def _general_head(self, left: float) -> bytes:
        """The head of any request, as it goes out with so many seconds left."""
        page = self.page
        request = self.request or OutgoingRequest(self.target, token=self.token)
        return self.route.head_of(request, self.target, page.request_id, left)

    def _take_in(self) -> None:
        """Takes what its flight came to."""
        assert self.flight is not None, "it flies"
        found = self.found = self.flight.outcome
        if isinstance(found, Reply):
            found.max_depth = self.ledger.limits.max_depth

    # --- while it is waited for ----------------------------------------------------------------------------------

    @property
    def sent(self) -> bool:
        """Whether the backend may have got some of it."""
        return self.went_out if self.flight is None else self.flight.sent

    @property
    def held(self) -> bool:
        """Whether its look-up waits for others that do not end."""
        on_the_way = self.flight or self.opening
        return on_the_way is not None and on_the_way.held

    @property
    def due(self) -> float:
        """When it has something to do though its sockets have no news (monotonic)."""
        on_the_way = self.flight or self.opening
        due = self.until if on_the_way is None else min(self.until, on_the_way.due)
        return due if self.joined is None else min([due, *(one.until for one in self.joined)])

    def interests(self) -> Iterable[tuple[int, int]]:
        """Descriptors and the poll events that move it on."""
        on_the_way = self.flight or self.opening
        return ((self.fd, select.POLLIN),) if on_the_way is None else on_the_way.interests()

    def wake(self, waiter: Waiter) -> None:
        """Has a waiter told of what no socket tells."""
        on_the_way = self.flight or self.opening
        if on_the_way is not None:
            on_the_way.wake(waiter)

    def go_on(self) -> None:
        """Goes as far as it can without waiting."""
        if self.flight is not None:
            self.flight.go_on()
            self._take_in()
        elif self.opening is None and (whole := self.read()) is not False:
            if whole is None:
                self.look_closer()
        elif clock.monotonic() >= self.until:
            self.give_up(self.late)
        elif self.opening is not None:
            self.reach()

    # --- ends without a reply ------------------------------------------------------------------------------------

    @property
    def late(self) -> Broken:
        """Why it has no reply where its time is up."""
        on_the_way = self.flight or self.opening
        if on_the_way is None:
            return Broken("timeout", sent=self.went_out, reason="reply-timeout")
        if on_the_way.held:
            return Broken("full", retry_after=1, reason="look-ups-full")
        return Broken("timeout", sent=self.sent, reason=on_the_way.late)

    def fail(self, error: Exception) -> None:
        """Ends it, because of what went wrong."""
        if self.opening is not None:
            broken = self.opening.broken_by(error, sent=self.went_out)
        else:
            cut: Reason = "cut-short" if self.came else "no-reply"
            client = self.route.client.name
            broken = broken_by(error, client, sent=self.went_out, late="reply-timeout", cut=cut)
        self.give_up(broken)

    def give_up(self, broken: Broken | None) -> None:
        """Ends it and its connection; None where nobody asks for its outcome."""
        lost = broken is not None and broken.kind != "too-large"
        if self.flight is not None:
            self.flight.give_up(lost=lost)
        elif self.opening is not None:
            self.opening.give_up(lost=lost)
        else:
            self.connection.close()
            if lost:
                self.route.idle.lost(self.connection)
        self.found, self.simple = broken, False
