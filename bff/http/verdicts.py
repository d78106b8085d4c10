"""What the tries of one page tell its clients' breakers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal

from bff.http.fetch import Fetch, Flight
from bff.http.messages import Broken, Reply

if TYPE_CHECKING:
    from bff.http.client import Client

operator = logging.getLogger("bff.http")

Change = Literal["opened", "closed"]
"""What a verdict may make of a client's breaker."""

_UNAVAILABLE = frozenset({502, 503, 504})


class Verdicts:
    """Tells each client's breaker how it went; one page counts once, however many calls it makes."""

    def __init__(self) -> None:
        self._told: set[tuple[Client, bool]] = set()

    def tell(self, fetch: Fetch, flight: Flight, outcome: Reply | Broken) -> Change | None:
        """Gives back the permit of a try that ended so; says whether that opened or closed the breaker."""
        client, circuit = fetch.client, fetch.client.circuit
        verdict = _verdict(outcome, flight)
        if verdict is None:
            circuit.left(flight.permit)
            return None
        if circuit.closed and (client, verdict) in self._told:
            return None
        self._told.add((client, verdict))
        if verdict:
            if not circuit.succeeded(flight.permit):
                return None
            operator.warning("client %s: answers again", client.name)
            return "closed"
        # A time-out or an overload tells of the backend; any other 5xx may be due to what one visitor sent.
        by_visitor = isinstance(outcome, Reply) and outcome.status not in _UNAVAILABLE
        rest = circuit.failed(flight.permit, fetch.request.visitor if by_visitor else None)
        if rest is None:
            return None
        operator.warning("client %s: failed too often, is not asked for %.1f s", client.name, rest)
        return "opened"


def spared(client: Client) -> Broken:
    """Why a call is not made while its backend is spared."""
    return Broken("breaker", retry_after=client.circuit.retry_after, reason="spared")


def _verdict(outcome: Reply | Broken, flight: Flight) -> bool | None:
    """Whether the backend did its part; None when that cannot be told."""
    if isinstance(outcome, Reply):
        return outcome.status < 500
    match outcome.kind:
        case "refused":
            return False
        case "timeout":
            return False if flight.telling else None
        case "too-large":
            return True
    return None
