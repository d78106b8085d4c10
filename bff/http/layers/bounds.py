"""The bounds of a page, which each of its calls' tries keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bff import clock
from bff.http.layers.layer import Layer
from bff.http.ledger import over
from bff.http.messages import Broken, Reply

if TYPE_CHECKING:
    from bff.http.call import Call
    from bff.http.ledger import Ledger
    from bff.http.transport import Started


class Bounds(Layer):
    """Counts the tries of a page and the bytes that they bring, and lets none begin too late."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def has_time(self, call: Call) -> bool:
        """Whether a try of a call could still end in time."""
        return call.ends - clock.monotonic() >= self._ledger.limits.min_try

    def refusal(self, call: Call) -> Broken | None:
        if not self.has_time(call):
            return Broken("timeout", reason="no-time")
        return over() if self._ledger.is_full else None

    def began(self, call: Call, started: Started | None, seconds: float) -> None:
        self._ledger.tries += 1

    def came(self, call: Call, started: Started | None, outcome: Reply | Broken) -> Reply | Broken:
        return self._ledger.counted(outcome)
