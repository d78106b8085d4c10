"""A request of somebody, with its tries, and the connection that it is under way on: one object for all of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from bff.http.messages import Broken, Reply
from bff.http.sockets.connection import Connection
from bff.http.sockets.parser import DROPPED
from bff.http.sockets.sending import Sending

if TYPE_CHECKING:
    from bff.http.client import Client
    from bff.http.layers.retry import Retries

_NO_HEADERS: Final[Mapping[bytes, bytes]] = {}


class Wire(Sending):
    """A request on its way, for its `owner`, who is told when it has ended; `at` is which of the owner's it is.

    `permit` is that of the client's breaker, `began` (monotonic) is when it was sent first. After a failure it may have
    `retries`; `tried_at` (monotonic) is when the latest try began, `landed_at` when it ended, and `again_at` when the
    next one begins. Then `result` is its reply, or why there is none.
    """

    __slots__ = ("again_at", "at", "began", "landed_at", "owner", "permit", "retries", "tried_at")

    is_waiting = False
    owner: Any
    at: int
    permit: int
    began: float
    tried_at: float
    landed_at: float
    again_at: float

    def __init__(self, connection: Connection | None = None) -> None:
        self.flight = self.opening = self.joined = self.found = None
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
            self.owner = self.request = self.token = None
            self.joined = self.found = self.retries = None
            del (
                self.route,
                self.page,
                self.ledger,
            )  # which know the client: what is idle must not keep it alive
            route.idle.give(self.connection, self.idle_for, self.landed_at, offset)

    @property
    def client(self) -> Client:
        return self.route.client

    @property
    def further_tries(self) -> int:
        """How often it was tried again."""
        return 0 if self.retries is None else self.retries.attempts - 1

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
            most = self.ledger.limits.max_depth
            tries = 1 if self.retries is None else self.retries.attempts
            self.found = Reply(self.status, headers, self.raw, attempts=tries, max_depth=most)
        return self.found

    @property
    def lost(self) -> bool:
        """Whether one of its tries went out and brought no reply, whatever a later one brought."""
        found, retries = self.result, self.retries
        return (retries is not None and retries.lost) or (isinstance(found, Broken) and found.sent)

    @property
    def outcome(self) -> Reply | Broken | None:
        """What came of it; None until it has ended."""
        return self.result if self.has_ended else None

    @property
    def has_ended(self) -> bool:
        """Whether nothing is under way on it any more."""
        return self.plain or self.found is not None

    def rest(self, until: float) -> None:
        """Has no connection until it is tried again (monotonic)."""
        self.again_at = until
        if self.plain:
            self.connection.wire = self.feed = None
            self.route.idle.give(self.connection, self.idle_for, self.landed_at, self.page.offset)
        self.flight = self.opening = self.found = None
        self.plain = self.simple = self.went_out = False
