"""Equal reads of one page that wait for one wire, each with its own time and its own reply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bff.http.messages import Broken, OutgoingRequest, Reply, copy_of
from bff.http.sockets.wire import Wire

if TYPE_CHECKING:
    from bff.http.ledger import Ledger
    from bff.http.route import Route


class Joined:
    """A read that waits for the wire of an equal one of its page; `until` (monotonic) is its own time-out.

    `began` (monotonic) is when the wire's was sent; of several the first counts the `further_tries`.
    """

    __slots__ = ("at", "began", "client", "further_tries", "owner", "result", "until", "wire")

    def __init__(self, wire: Wire, owner: Any, at: int, until: float) -> None:
        self.wire, self.owner, self.at, self.until = wire, owner, at, until
        self.client, self.began = wire.route.client, wire.began
        self.result: Reply | Broken | None = None
        self.further_tries = 0

    @property
    def lost(self) -> bool:
        """A read is never lost."""
        return False

    is_waiting = False
    allows = None

    def body(self) -> bytes | None:
        """None: each of several has a reply of its own."""
        return None

    def release(self) -> None:
        """Its wire is free already."""


def key_of(route: Route, target: str, token: str | None, request: OutgoingRequest | None) -> Any:
    """What is the same in equal reads: whom they ask what, for how long and how often."""
    if request is None:
        return (route.kind, target, token)
    headers = tuple(sorted(request.headers.items()))
    return (route.kind, target, request.token, headers, request.body, request.content_type)


def join(wire: Wire, owner: Any, at: int, until: float) -> Joined:
    """Has one more owner wait for a wire."""
    if wire.joined is None:  # from now on the first is one of several, each with its own end
        first = Joined(wire, wire.owner, wire.at, wire.until)
        wire.owner.becomes(wire, first)
        wire.joined, wire.simple = [first], False
    joined = Joined(wire, owner, at, until)
    wire.joined.append(joined)
    wire.until = max(wire.until, until)
    if wire.flight is not None:
        wire.flight.until = wire.until
    return joined


def end_all(wire: Wire, outcome: Reply | Broken, ledger: Ledger) -> list[Joined]:
    """Ends all who wait for a wire; each but the first gets a reply of its own, which counts."""
    joined, wire.joined = wire.joined or [], None
    for at, one in enumerate(joined):
        one.result = outcome if at == 0 else ledger.counted(copy_of(outcome))
    if joined:
        joined[0].further_tries = wire.further_tries
    return joined


def end_those_late(wire: Wire, outcome: Reply | Broken, now: float) -> list[Joined]:
    """Ends those whose own time is up (monotonic)."""
    late = [one for one in wire.joined or () if one.until <= now]
    if late:
        wire.joined = [one for one in wire.joined or () if one.until > now]
    for one in late:
        one.result = copy_of(outcome)
    return late
