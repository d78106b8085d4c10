"""The shape of what stands around the tries of a call."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Protocol

from bff.http.messages import Broken, Reply

if TYPE_CHECKING:
    from bff.http.call import Call
    from bff.http.transport import Started


class Begins(Protocol):
    """What begins tries."""

    def again(self, call: Call, last: Reply | Broken | None) -> None:
        """Begins the next try of a call; `last` stands where there is no room for it."""

    def copy(self, call: Call, may: Callable[[], bool]) -> bool:
        """Begins a try beside the one under way if there is room and it `may`; says whether it did."""


class Layer:
    """Takes no part; each layer says more where it takes one.

    `due` (monotonic) is when it has something to do though nothing has ended. `last` is what the call has come to so
    far, where the layer waits for better.
    """

    due: float = inf
    last: Reply | Broken | None = None

    def began(self, call: Call, started: Started | None, seconds: float) -> None:
        """Is told that a try was begun that has so many seconds; None stands for one in this thread."""

    def came(self, call: Call, started: Started | None, outcome: Reply | Broken) -> Reply | Broken | None:
        """What is made of that a try came to this; None where the call is to go on."""
        return outcome

    def left(self, call: Call, started: Started | None, *, late: bool) -> None:
        """Is told that a try was given up, since it was `late` or for no fault of its backend."""

    def ring(self, call: Call, tries: Begins) -> None:
        """Does what is due."""
