"""Calls that somebody counts: who was asked, what came of it, for how long and how often, as values."""

from __future__ import annotations

from typing import Any, Protocol

from bff import clock
from bff.http.call import Call
from bff.http.calls import Calls
from bff.http.client import Client
from bff.http.joined import Joined
from bff.http.landing import Ended
from bff.http.ledger import Change, HandOver
from bff.http.messages import Broken, CacheOutcome, Reply
from bff.http.stream.held_stream import HeldStream

_BY_STATUS = tuple(f"{hundreds}xx" for hundreds in range(10))


class Counting(Protocol):
    """Who counts the calls of pages; clients come by their names."""

    def call_ended(
        self,
        client: str,
        outcome: str,
        seconds: float | None,
        retries: int = 0,
        copies: int = 0,
        cached: CacheOutcome | None = None,
    ) -> None:
        """Counts a call with the further tries and second copies that were its own.

        The outcome is the class of a status as `2xx`, `cached`, or the kind of what broke. `seconds` is None for a call
        that nobody was asked for, and `cached` for one that no cache was asked about.
        """

    def handed_over(self, client: str, why: HandOver) -> None:
        """Counts a request that left the quick way to its backend."""

    def breaker_turned(self, client: str, change: Change) -> None:
        """Counts that a client's breaker has opened or closed."""


class CountedCalls(Calls):
    """The calls of one page, each of which is told when it has ended, and what their breakers do."""

    def __init__(self, counting: Counting, *given: Any) -> None:
        super().__init__(*given)
        self._counting = counting
        self._begun: dict[Call, float] = {}
        self._shared: set[object] = set()
        self._stream_begun = 0.0

    def start(self, *given: Any, **more: Any) -> Call:
        begun = clock.monotonic()
        call = super().start(*given, **more)
        self._begun[call] = begun
        return call

    def wait(self, until: float) -> list[Call | Ended]:
        ended = super().wait(until)
        now = clock.monotonic()
        for one in ended:
            if isinstance(one, Call):
                begun = self._begun.pop(one, now) if one.begun is None else one.begun
                self._end_call(one, now - begun)
            elif isinstance(one, Joined) or not one.plain:
                self._counting.call_ended(
                    one.client.name, _outcome_of(one.result), now - one.began, one.further_tries
                )
            else:  # of a plain reply nothing is read that the page does not
                outcome, further = (
                    _BY_STATUS[one.status // 100],
                    0 if one.retries is None else one.retries.attempts - 1,
                )
                self._counting.call_ended(one.route.client.name, outcome, now - one.began, further)
        return ended

    def _end_call(self, call: Call, seconds: float) -> None:
        tries, copies = self._tries_of(call)
        outcome = _outcome_of(call.result)
        was_asked = call.result is not None and outcome != "cached"
        self._counting.call_ended(
            call.client.name, outcome, seconds if was_asked else None, tries, copies, call.cached
        )

    def stream(self, *given: Any, **more: Any) -> HeldStream | Broken:
        self._stream_begun = clock.monotonic()
        return super().stream(*given, **more)

    def streamed(self, call: Call) -> None:
        self._end_call(call, clock.monotonic() - self._stream_begun)

    def cache_hit(self, client: Client) -> None:
        self._counting.call_ended(client.name, "cached", None, cached="hit")

    def refused(self, client: Client, why: Broken) -> None:
        self._counting.call_ended(client.name, why.kind, 0.0)

    def handed_over(self, client: Client, why: HandOver) -> None:
        self._counting.handed_over(client.name, why)

    def turned(self, client: Client, change: Change) -> None:
        self._counting.breaker_turned(client.name, change)

    def _tries_of(self, call: Call) -> tuple[int, int]:
        """Further tries and second copies of a call; of reads that shared theirs, only the first counts them."""
        leader = call.leader or call
        if leader in self._shared:
            return 0, 0
        self._shared.add(leader)
        return leader.attempts - 1 - leader.copies, leader.copies


def _outcome_of(result: Reply | Broken | None) -> str:
    if isinstance(result, Reply):
        return "cached" if result.from_cache else _BY_STATUS[result.status // 100]
    return "unknown" if result is None else result.kind
