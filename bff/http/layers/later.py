"""A request that is not begun at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bff.http.layers.layer import Layer
from bff.http.messages import Broken

if TYPE_CHECKING:
    from bff.http.call import Call


class Later(Layer):
    """Has a call wait until a moment (monotonic), and begin then as if it had been made there."""

    def __init__(self, call: Call, moment: float, begin: Callable[[Call], None]) -> None:
        self.call = call
        self.due = moment
        self.last = Broken("timeout", reason="no-time")  # where nobody looked before its own time was up
        self._begin = begin

    def ring(self) -> None:
        self._begin(self.call)
