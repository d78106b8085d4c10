"""The calls of one page: deadlines, retries, bounds and the cache, above any transport."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bff.http.messages import Broken, OutgoingRequest, Reply
from bff.http.transport import Transport

if TYPE_CHECKING:
    from bff.http.client import Client


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one page's calls.

    Tries; bytes of one reply and of all, unzipped; depth of a reply's JSON; least seconds for a try to start.
    """

    max_requests: int = 250
    max_reply: int = 8 * 2**20
    max_replies: int = 32 * 2**20
    max_depth: int = 100
    min_try: float = 0.020


class Call:
    """A request under way with its retries; `result` is None until it has ended."""

    __slots__ = ("client", "request", "result", "until")

    def __init__(self, client: Client, request: OutgoingRequest, until: float) -> None:
        self.client = client
        self.request = request
        self.until = until
        self.result: Reply | Broken | None = None


class Calls:
    """The calls of one page; used by one thread."""

    def __init__(
        self, transport: Transport, deadline: float, limits: Limits | None = None, request_id: str = ""
    ) -> None:
        raise NotImplementedError

    def start(self, client: Client, request: OutgoingRequest, until: float | None = None) -> Call:
        """Starts a call that ends by `until`, its time-out and the page's deadline (monotonic).

        Raises ValueError for a request that cannot be sent as it is (path, header).
        """
        raise NotImplementedError

    def wait(self, until: float) -> list[Call]:
        """The calls that ended since the last wait; waits for the first, at most until then (monotonic).

        Gives an empty list when the time is up or nothing is under way.
        """
        raise NotImplementedError

    def abandon(self, call: Call) -> None:
        """Gives a call up: `wait` does not give it any more."""
        raise NotImplementedError
