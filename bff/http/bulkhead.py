"""How many calls of one client may be under way at once in this process."""

from __future__ import annotations

from bff import forks
from bff.http.messages import Broken

_FREELY = 8
_RETRY_WHEN_FULL = 1


class Bulkhead:
    """The places of a client. Thread-safe; nobody waits here.

    A page that has a place already takes another only while fewer than half of them are taken, or fewer than
    eight: pages with many calls do not keep others from their first.
    """

    def __init__(self, places: int) -> None:
        self._lock = forks.lock()
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

    def leave(self) -> None:
        with self._lock:
            self._taken -= 1


class Places:
    """The places that one page holds, by client."""

    def __init__(self) -> None:
        self._held: dict[Bulkhead, int] = {}

    def has(self, bulkhead: Bulkhead) -> bool:
        return self._held.get(bulkhead, 0) > 0

    def take(self, bulkhead: Bulkhead) -> bool:
        """Takes one more, if there is one."""
        held = self._held.get(bulkhead, 0)
        if not bulkhead.enter(first=held == 0):
            return False
        self._held[bulkhead] = held + 1
        return True

    def give_back(self, bulkhead: Bulkhead) -> None:
        self._held[bulkhead] -= 1
        bulkhead.leave()


def full() -> Broken:
    """Why a call is not made where its client has as many as it may."""
    return Broken("full", retry_after=_RETRY_WHEN_FULL, reason="client-full")
