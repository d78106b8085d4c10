"""The breaker of a client around the tries of its calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bff.http.layers.layer import Layer
from bff.http.ledger import spared
from bff.http.messages import Broken, Reply

if TYPE_CHECKING:
    from bff.http.call import Call
    from bff.http.client import Client
    from bff.http.ledger import Change, Ledger
    from bff.http.transport import Started


class Sparing(Layer):
    """Asks for a permit before each try, and gives it back with how that went.

    `turned` is told when a try has opened or closed a breaker.
    """

    def __init__(self, ledger: Ledger, turned: Callable[[Client, Change], None]) -> None:
        self._ledger = ledger
        self._turned = turned
        self._permit = 0
        self._under_way: dict[Started | None, tuple[int, float]] = {}

    def refusal(self, call: Call) -> Broken | None:
        """Why there may be no try now; where there may be, the next that is begun has the permit."""
        permit = call.client.gate.circuit.enter(call.ends)
        if permit is None:
            return spared(call.client)
        self._permit = permit
        return None

    def began(self, call: Call, started: Started | None, seconds: float) -> None:
        self._under_way[started] = (self._permit, seconds)

    def came(self, call: Call, started: Started | None, outcome: Reply | Broken) -> Reply | Broken:
        permit, seconds = self._under_way.pop(started)
        client, visitor = call.client, call.request.visitor
        change = self._ledger.tell(client, permit, outcome, seconds, call.timeout, visitor)
        if change is not None:
            self._turned(client, change)
        return outcome

    def left(self, call: Call, started: Started | None, *, late: bool) -> None:
        if late:
            self.came(call, started, Broken("timeout"))
        else:
            call.client.gate.circuit.left(self._under_way.pop(started)[0])
