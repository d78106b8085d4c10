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

    def refusal(self, call: Call) -> Broken | None:
        """Why there may be no further try: no time is left, or the page has made or had too much."""
        if call.ends - clock.monotonic() < self._ledger.limits.min_try:
            return Broken("timeout", reason="no-time")
        return over() if self._ledger.is_full else None

    def began(self, call: Call, started: Started | None, seconds: float) -> None:
        self._ledger.tries += 1

    def came(self, call: Call, started: Started | None, outcome: Reply | Broken) -> Reply | Broken:
        return self._ledger.counted(outcome)
