"""A second copy of a read that is late."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from bff import clock
from bff.http.layers.layer import Begins, Layer
from bff.http.messages import Broken, Reply, is_transient

if TYPE_CHECKING:
    from bff.http.call import Call
    from bff.http.transport import Started


class Hedge(Layer):
    """Sends it so many seconds after the first try, if the client's budget allows it; the first good reply wins."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def began(self, call: Call, started: Started | None, seconds: float) -> None:
        if call.attempts == 1:
            self.due = clock.monotonic() + self._seconds

    def came(self, call: Call, started: Started | None, outcome: Reply | Broken) -> Reply | Broken | None:
        if call.flights and not _is_good(outcome):
            self.last = outcome
            return None
        last, self.last = self.last, None
        return last if last is not None and isinstance(outcome, Broken) else outcome

    def ring(self, call: Call, tries: Begins) -> None:
        self.due = inf
        gate = call.client.gate
        waits_for_place = any(started.held for started in call.flights)
        if call.flights and not waits_for_place and gate.circuit.closed:
            call.copies += tries.copy(call, gate.hedges.spend)


def _is_good(outcome: Reply | Broken) -> bool:
    return isinstance(outcome, Reply) and outcome.status < 500 and not is_transient(outcome)
