"""What one page has taken and learned on its way to its backends: one account for all of its requests."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from bff import clock
from bff.http.gate import Gate
from bff.http.messages import Broken, Reply

if TYPE_CHECKING:
    from bff.http.client import Client

operator = logging.getLogger("bff.http")

Change = Literal["opened", "closed"]
"""What a verdict may make of a client's breaker."""

HandOver = Literal["place", "mocked"]
"""Why a request that could fly on a wire is a call: no place is free, or requests is replaced."""

_UNAVAILABLE = frozenset({502, 503, 504})


class Limits(Struct, frozen=True):
    """Bounds of one page's calls.

    Tries; bytes of one reply and of all, unzipped; depth of a reply's JSON; least seconds for a try to start.
    """

    max_requests: int = 250
    max_reply: int = 8 * 2**20
    max_replies: int = 32 * 2**20
    max_depth: int = 100
    min_try: float = 0.020


class Ledger:
    """The tries of a page, the bytes of its replies, the places that it holds and what it told breakers.

    `seconds` are those that the page had when it began; `wrote` (epoch seconds) is when its last write ended, 0 before
    the first; `queues` are the calls that wait for a place of the page's own, by client, and `freed` the
    clients of places that are to go on to one of those; `joinable` are the reads under way that an equal one may join:
    wires and calls by what they ask.
    """

    __slots__ = (
        "bytes",
        "freed",
        "held",
        "joinable",
        "limits",
        "queues",
        "seconds",
        "told",
        "tries",
        "wrote",
    )

    def __init__(self, limits: Limits, seconds: float) -> None:
        self.limits = limits
        self.seconds = seconds
        self.tries = 0
        self.bytes = 0
        self.wrote = 0.0
        self.joinable: dict[Any, Any] = {}
        self.held: dict[Gate, int] = {}
        self.told: set[tuple[Client, bool]] = set()
        self.queues: dict[Client, deque[Any]] = {}
        self.freed: list[Client] = []

    @property
    def is_full(self) -> bool:
        """Whether the page has made or had as much as it may."""
        return self.tries >= self.limits.max_requests or self.bytes >= self.limits.max_replies

    @property
    def room(self) -> int:
        """The longest body that the next reply may have."""
        return min(self.limits.max_reply, self.limits.max_replies - self.bytes)

    def refusal(self, until: float) -> Broken | None:
        """Why there may be no try that ends by then (monotonic): no time is left, or the page has had too much."""
        if until - clock.monotonic() < self.limits.min_try:
            return Broken("timeout", reason="no-time")
        return over() if self.is_full else None

    def counted(self, outcome: Reply | Broken) -> Reply | Broken:
        """The outcome, or that the page has had too many bytes."""
        if isinstance(outcome, Reply):
            self.bytes += len(outcome.raw)
            if self.bytes > self.limits.max_replies:
                return Broken("limit", sent=True)
        elif outcome.kind == "too-large" and self.limits.max_replies - self.bytes < self.limits.max_reply:
            return Broken("limit", sent=outcome.sent, attempts=outcome.attempts)
        return outcome

    # --- places --------------------------------------------------------------------------------------------------

    def holds(self, gate: Gate) -> bool:
        """Whether the page has a place of a client."""
        return self.held.get(gate, 0) > 0

    def take_place(self, gate: Gate) -> bool:
        """Takes one more, if there is one."""
        held = self.held.get(gate, 0)
        if not gate.enter(first=held == 0):
            return False
        self.held[gate] = held + 1
        return True

    def give_back(self, gate: Gate) -> None:
        """Gives one back."""
        self.held[gate] -= 1
        gate.leave()

    def leave(self, client: Client) -> None:
        """Gives a place back, or keeps it for a call of the page that waits for one, if that is still wanted then."""
        if self.queues.get(client):
            self.freed.append(client)
        else:
            self.give_back(client.gate)

    # --- breakers ------------------------------------------------------------------------------------------------

    def tell(
        self,
        client: Client,
        permit: int,
        outcome: Reply | Broken,
        seconds: float,
        timeout: float,
        visitor: bytes | None,
    ) -> Change | None:
        """Gives back the permit of a try that ended so, and says whether that opened or closed the breaker.

        A page counts once for each client, however many calls it makes. One that has used up its time elsewhere leaves
        a try too few of its time-out's `seconds` to tell anything by having no reply.
        """
        circuit = client.gate.circuit
        if isinstance(outcome, Reply):
            verdict = outcome.status < 500
        elif outcome.kind == "refused" or (
            outcome.kind == "timeout" and seconds >= min(timeout, self.seconds) / 2
        ):
            verdict = False
        elif outcome.kind == "too-large":
            verdict = True
        else:  # whether the backend did its part cannot be told
            circuit.left(permit)
            return None
        if circuit.standing is not None and (client, verdict) in self.told:
            return None
        self.told.add((client, verdict))
        if verdict:
            if not circuit.succeeded(permit):
                return None
            operator.warning("client %s: answers again", client.name)
            return "closed"
        # A time-out or an overload tells of the backend; any other 5xx may be due to what one visitor sent.
        by_visitor = isinstance(outcome, Reply) and outcome.status not in _UNAVAILABLE
        rest = circuit.failed(permit, visitor if by_visitor else None)
        if rest is None:
            return None
        operator.warning("client %s: failed too often, is not asked for %.1f s", client.name, rest)
        return "opened"

    def write_ended(self) -> None:
        """Notes that what was read before now, or is being read, is no answer to what is read from now on."""
        self.wrote = clock.wall()
        self.joinable.clear()


def spared(client: Client) -> Broken:
    """Why a call is not made while its backend is spared."""
    return Broken("breaker", retry_after=client.gate.circuit.retry_after, reason="spared")


def over() -> Broken:
    """Why a call is not made by a page that has made or had too much."""
    return Broken("limit")
