"""The bounds of a page, which each of its calls' tries keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bff.http.layers.layer import Layer
from bff.http.messages import Broken, Reply

if TYPE_CHECKING:
    from bff.http.transport import Started


class Bounds(Layer):
    """Counts the tries of a page and the bytes that they bring, and lets none begin too late."""

    def refusal(self) -> Broken | None:
        return self.tries.ledger.refusal(self.call.ends)

    def began(self, started: Started | None, seconds: float) -> None:
        self.tries.ledger.tries += 1

    def came(self, started: Started | None, outcome: Reply | Broken) -> Reply | Broken:
        return self.tries.ledger.counted(outcome)
