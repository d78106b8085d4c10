"""The shape of what stands around the tries of a call."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Protocol

from bff.http.messages import Broken, Reply

if TYPE_CHECKING:
    from bff.http.call import Call
    from bff.http.client import Client
    from bff.http.ledger import Change, Ledger
    from bff.http.transport import Started


class Begins(Protocol):
    """What begins tries of a page; `turned` is told when one has opened or closed a client's breaker."""

    ledger: Ledger
    turned: Callable[[Client, Change], None]

    def again(self, call: Call, last: Reply | Broken | None) -> None:
        """Begins the next try of a call; `last` stands where there is no room for it."""

    def copy(self, call: Call, may: Callable[[], bool]) -> bool:
        """Begins a try beside the one under way if there is room and it `may`; says whether it did."""


class Layer:
    """Stands around the tries of one call and takes no part; each layer says more where it takes one.

    `due` (monotonic) is when it has something to do though nothing has ended. `last` is what the call has come to so
    far, where the layer waits for better.
    """

    due: float = inf
    last: Reply | Broken | None = None

    def __init__(self, call: Call, tries: Begins) -> None:
        self.call = call
        self.tries = tries

    def refusal(self) -> Broken | None:
        """Why there may be no try now."""
        return None

    def began(self, started: Started | None, seconds: float) -> None:
        """Is told that a try was begun that has so many seconds; None stands for one in this thread."""

    def came(self, started: Started | None, outcome: Reply | Broken) -> Reply | Broken | None:
        """What is made of that a try came to this; None where the call is to go on."""
        return outcome

    def left(self, started: Started | None, *, late: bool) -> None:
        """Is told that a try was given up, since it was `late` or for no fault of its backend."""

    def ring(self) -> None:
        """Does what is due: begins the next try, where a layer does nothing else."""
        last, self.last, self.due = self.last, None, inf
        self.tries.again(self.call, last)
