"""A connection with the parser of what comes on it, and the request that is under way on it: one object for both.

It reads replies as most of them come: as HTTP/1.1 with each header once, in one piece or a few. Whatever else comes is
read again from its first byte by a `SocketFlight`, which knows every rule; `flight` is then what goes on.
"""

from __future__ import annotations

import select
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from bff import clock
from bff.errors import Reason
from bff.http.messages import Broken, Reply
from bff.http.sockets.broken import broken_by
from bff.http.sockets.connection import Connection
from bff.http.sockets.parser import DROPPED
from bff.http.sockets.plain_reply import PlainReply

if TYPE_CHECKING:
    from bff.http.client import Client
    from bff.http.retry import Retries
    from bff.http.route import Route
    from bff.http.sockets.flight import SocketFlight
    from bff.http.sockets.opening import Opening
    from bff.http.transport import Waiter

_NO_HEADERS: Final[Mapping[bytes, bytes]] = {}


class Wire(PlainReply):
    """A request and the connection that it is under way on; used by one thread at a time.

    `owner` is told when it has ended, `at` is which of the owner's requests it is. `permit` is that of the client's
    breaker, `began` and `until` (monotonic) are when it was sent first and when it is given up. `target`, `token` and
    `request` are what was asked: `request` is None where target and token say it all.

    One without a connection has an `opening`. It is `simple` while it waits for nothing but a reply on its connection,
    and for one owner. After a failure it may have `retries`; `tried_at` (monotonic) is when the latest try began, and
    `again_at` when the next one does. Then `result` is its reply, or why there is none.
    """

    __slots__ = (
        "again_at",
        "at",
        "began",
        "flight",
        "found",
        "fresh",
        "joined",
        "landed_at",
        "opening",
        "owner",
        "page",
        "permit",
        "request",
        "retries",
        "route",
        "simple",
        "target",
        "token",
        "tried_at",
        "until",
        "went_out",
    )

    is_waiting = False
    owner: Any
    at: int
    page: Any
    route: Route
    permit: int
    began: float
    tried_at: float
    again_at: float
    until: float
    landed_at: float
    target: str
    token: str | None
    request: Any

    def __init__(self, connection: Connection | None = None) -> None:
        self.flight: SocketFlight | None = None
        self.opening: Opening | None = None
        self.joined: list[Any] | None = None
        self.found: Reply | Broken | None = None
        self.retries: Retries | None = None
        self.plain = self.simple = self.fresh = self.went_out = False
        if connection is not None:
            self.bind(connection)

    def release(self) -> None:
        """Lets others have the connection: its owner has taken in what came. Nothing of this page stays with it."""
        if self.plain:
            route, offset = self.route, self.page.offset
            self.plain = False
            self.raw, self.headers = b"", _NO_HEADERS
            self.owner = self.page = self.request = self.token = self.joined = self.found = self.retries = (
                None
            )
            del self.route, self.ledger  # which know the client: what is idle must not keep it alive
            route.idle.give(self.connection, self.idle_for, self.landed_at, offset)

    @property
    def client(self) -> Client:
        return self.route.client

    @property
    def further_tries(self) -> int:
        """How often it was tried again."""
        return 0 if self.retries is None else self.retries.attempts - 1

    # --- what came of it -----------------------------------------------------------------------------------------

    @property
    def result(self) -> Reply | Broken:
        """Its reply, or why there is none."""
        if self.found is None:
            assert self.plain, "it has ended"
            headers = {
                name.decode("latin-1"): value.decode("latin-1").rstrip(" \t")
                for name, value in self.headers.items()
            }
            for name in DROPPED & headers.keys():
                del headers[name]
            most = self.route.limits.max_depth
            tries = 1 if self.retries is None else self.retries.attempts
            self.found = Reply(self.status, headers, self.raw, attempts=tries, max_depth=most)
        return self.found

    def take_in(self) -> None:
        """Takes what its flight came to."""
        assert self.flight is not None, "it flies"
        found = self.found = self.flight.outcome
        if isinstance(found, Reply):
            found.max_depth = self.route.limits.max_depth

    @property
    def lost(self) -> bool:
        """Whether one of its tries went out and brought no reply, whatever a later one brought."""
        found, retries = self.result, self.retries
        return (retries is not None and retries.lost) or (isinstance(found, Broken) and found.sent)

    # --- beside others -------------------------------------------------------------------------------------------

    @property
    def outcome(self) -> Reply | Broken | None:
        """What came of it; None until it has ended."""
        return self.result if self.has_ended else None

    @property
    def has_ended(self) -> bool:
        """Whether nothing is under way on it any more."""
        return self.plain or self.found is not None

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
        return self.until if on_the_way is None else min(self.until, on_the_way.due)

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
            self.take_in()
        elif self.opening is None and (whole := self.read()) is not False:
            if whole is None:
                self.page.look_closer(self)
        elif clock.monotonic() >= self.until:
            self.give_up(self.late)
        elif self.opening is not None:
            self.page.reach(self)

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

    def rest(self, until: float) -> None:
        """Has no connection until it is tried again (monotonic)."""
        self.again_at = until
        if self.plain:
            self.connection.wire = self.feed = None
            self.route.idle.give(self.connection, self.idle_for, self.landed_at, self.page.offset)
        self.flight = self.opening = self.found = None
        self.plain = self.simple = self.went_out = False
