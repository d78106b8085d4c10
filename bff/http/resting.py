"""Next tries of requests on wires: when they begin, and what they need for that."""

from __future__ import annotations

from sys import modules
from typing import TYPE_CHECKING, Any, Protocol

from bff import clock
from bff.http.layers.retry import Retries
from bff.http.sockets.transport import is_replaced

if TYPE_CHECKING:
    from bff.http.joined import Joined
    from bff.http.ledger import HandOver, Ledger
    from bff.http.messages import Broken, Reply
    from bff.http.sockets.wire import Wire


class Page(Protocol):
    """The wires of a page, as far as their next tries need them."""

    ledger: Ledger
    flying: list[Wire]
    resting: list[Wire]

    def hand_over(self, wire: Wire, why: HandOver) -> None:
        """Has a request go on as a call."""

    def end_late_of(self, wire: Wire, outcome: Reply | Broken, now: float) -> list[Joined]:
        """Ends those of one wire whose own time is up."""

    def end(self, wire: Wire, outcome: Reply | Broken, ended: list[Any]) -> None:
        """Ends a request for all who wait for it."""


def rests(page: Page, wire: Wire, outcome: Reply | Broken) -> bool:
    """Has a request wait for its next try; False where its outcome stands."""
    route, retries = wire.route, wire.retries
    if retries is None:
        least = page.ledger.limits.min_try
        retries = wire.retries = Retries(route.retries, wire.until, least, route.gate.budget)
    delay = retries.delay_after(outcome, sent=wire.sent)
    if delay is None:
        return False
    wire.rest(clock.monotonic() + delay)
    page.resting.append(wire)
    return True


def ring(page: Page, now: float, ended: list[Any]) -> None:
    """Ends what has no time left (monotonic), and tries again what has rested."""
    for wire in page.resting[:]:
        retries = wire.retries
        assert retries is not None and retries.last is not None, "it was tried"
        if wire.until <= now:
            _stand(page, wire, ended)
        elif late := page.end_late_of(wire, retries.last, now):
            ended += late
        elif wire.again_at <= now:
            _try_again(page, wire, ended)


def _try_again(page: Page, wire: Wire, ended: list[Any]) -> None:
    """Starts the next try of a request if there is room for one, else ends it with what the last came to.

    Where its client is full it waits for a place of this page's own, as a call.
    """
    ledger, route = page.ledger, wire.route
    gate, now = route.gate, clock.monotonic()
    if "requests.adapters" in modules and is_replaced():
        page.resting.remove(wire)
        page.hand_over(wire, "mocked")
    elif ledger.take_place(gate):
        has_room = wire.until - now >= ledger.limits.min_try and not ledger.is_full
        permit = gate.circuit.enter(wire.until) if has_room else None
        if permit is None:
            ledger.leave(route.client)
            _stand(page, wire, ended)
        else:
            page.resting.remove(wire)
            _begin(page, wire, permit, now)
    elif ledger.holds(gate):
        page.resting.remove(wire)
        page.hand_over(wire, "place")
    else:
        _stand(page, wire, ended)


def _begin(page: Page, wire: Wire, permit: int, now: float) -> None:
    """Sends a request if there is a connection for it, else begins to make one."""
    assert wire.retries is not None, "it was tried"
    page.ledger.tries += 1
    wire.retries.attempts += 1
    wire.permit, wire.tried_at = permit, now
    page.flying.append(wire)
    connection = wire.route.idle.take(for_write=wire.route.for_write, now=now)
    if connection is None:
        wire.reach()
        return
    wire.fresh = False
    try:
        wire.bind(connection)
        wire.send(wire.until - now)
    except Exception as error:
        wire.fail(error)


def _stand(page: Page, wire: Wire, ended: list[Any]) -> None:
    """Ends a request with what its last try came to."""
    assert wire.retries is not None and wire.retries.last is not None, "it was tried"
    page.resting.remove(wire)
    page.end(wire, wire.retries.last, ended)
