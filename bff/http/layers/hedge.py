"""A second copy of a read that is late."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from bff import clock
from bff.http.layers.layer import Layer
from bff.http.messages import Broken, Reply, is_transient

if TYPE_CHECKING:
    from bff.http.transport import Started


class Hedge(Layer):
    """Sends it some time after the first try, if the client's budget allows it; the first good reply wins."""

    def began(self, started: Started | None, seconds: float) -> None:
        hedge = self.call.way.hedge
        assert hedge is not None, "it has second copies"
        if self.call.attempts == 1:
            self.due = clock.monotonic() + hedge

    def came(self, started: Started | None, outcome: Reply | Broken) -> Reply | Broken | None:
        if self.call.flights and not _is_good(outcome):
            self.last = outcome
            return None
        last, self.last = self.last, None
        return last if last is not None and isinstance(outcome, Broken) else outcome

    def ring(self) -> None:
        self.due = inf
        call, gate = self.call, self.call.client.gate
        waits_for_place = any(started.held for started in call.flights)
        if call.flights and not waits_for_place and gate.circuit.closed:
            call.copies += self.tries.copy(call, gate.hedges.spend)


def _is_good(outcome: Reply | Broken) -> bool:
    return isinstance(outcome, Reply) and outcome.status < 500 and not is_transient(outcome)
