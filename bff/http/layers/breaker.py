"""The breaker of a client around the tries of its calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bff.http.layers.layer import Begins, Layer
from bff.http.ledger import spared
from bff.http.messages import Broken, Reply

if TYPE_CHECKING:
    from bff.http.call import Call
    from bff.http.transport import Started


class Sparing(Layer):
    """Asks for a permit before each try, and gives it back with how that went."""

    def __init__(self, call: Call, tries: Begins) -> None:
        self.call, self.tries = call, tries
        self._permit = 0
        self._under_way: dict[Started | None, tuple[int, float]] = {}

    def refusal(self) -> Broken | None:
        """Why there may be no try now; where there may be, the next that is begun has the permit."""
        client = self.call.client
        permit = client.gate.circuit.enter(self.call.ends)
        if permit is None:
            return spared(client)
        self._permit = permit
        return None

    def began(self, started: Started | None, seconds: float) -> None:
        self._under_way[started] = (self._permit, seconds)

    def came(self, started: Started | None, outcome: Reply | Broken) -> Reply | Broken:
        permit, seconds = self._under_way.pop(started)
        way, visitor = self.call.way, self.call.request.visitor
        change = self.tries.ledger.tell(way.client, permit, outcome, seconds, way.timeout, visitor)
        if change is not None:
            self.tries.turned(way.client, change)
        return outcome

    def left(self, started: Started | None, *, late: bool) -> None:
        if late:
            self.came(started, Broken("timeout"))
        else:
            self.call.client.gate.circuit.left(self._under_way.pop(started)[0])
