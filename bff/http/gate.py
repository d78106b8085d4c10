"""What stands in front of one client's backend in this process: its places, its breaker and its budgets.

Nobody queues for a full client. Waiting would hold the threads that other pages need, until all wait for one backend.
A page waits only for calls of its own, which have their place already, so no two pages can wait for each other.
"""

from __future__ import annotations

from bff import forks
from bff.breaker import Breaker, Circuit
from bff.http.budget import Budget, budget_of_hedges
from bff.http.messages import Broken

_FREELY = 8
_RETRY_WHEN_FULL = 1


class Gate:
    """What every call of one client passes. Thread-safe; nobody waits here.

    A page that has a place already takes another only while fewer than half of them are taken, or fewer than
    eight: pages with many calls do not keep others from their first.
    """

    def __init__(self, places: int, breaker: Breaker | None = None) -> None:
        self.circuit = Circuit(breaker)
        self._lock = forks.lock()
        self.budget = Budget(lock=self._lock)
        self.hedges = budget_of_hedges(self._lock)
        self._places = places
        self._for_more = max(places - places // 2, min(places, _FREELY))
        self._taken = 0
        forks.renew_in_child(self)

    def begin_anew(self) -> None:
        """Has no calls under way in a child of this process."""
        self._taken = 0

    def enter(self, *, first: bool) -> bool:
        """Takes a place, if there is one for a page's first call or for a further one."""
        with self._lock:
            if self._taken >= (self._places if first else self._for_more):
                return False
            self._taken += 1
            return True

    def pass_at_once(self, first: bool, safe: bool) -> int | None:
        """Takes a place for the first try of a call, and counts the call for the budgets; gives the breaker's permit.

        None, with nothing taken, where there is no place or the backend is being spared.
        """
        permit = self.circuit.standing
        with self._lock:
            if permit is None or self._taken >= (self._places if first else self._for_more):
                return None
            self._taken += 1
            self.budget.tokens += self.budget.per_call
            if safe:
                self.hedges.tokens += self.hedges.per_call
            return permit

    def leave(self) -> None:
        """Gives a place back."""
        with self._lock:
            self._taken -= 1


def full() -> Broken:
    """Why a call is not made where its client has as many as it may."""
    return Broken("full", retry_after=_RETRY_WHEN_FULL, reason="client-full")
