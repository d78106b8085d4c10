"""Which replies of a page were kept ones: the log alone tells a step that was asked from one that was not."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bff.http.ledger import Change, HandOver
from bff.http.messages import CacheOutcome
from bff.plan.model import PlannedRequest


class KeptReplies(threading.local):
    """Counts by client the kept replies that the page of this thread was given, until they are taken."""

    def __init__(self) -> None:
        self._by_client: Counter[str] = Counter()

    def call_ended(
        self,
        client: str,
        outcome: str,
        seconds: float | None,
        retries: int = 0,
        copies: int = 0,
        cached: CacheOutcome | None = None,
    ) -> None:
        """Counts a call that a kept reply has answered."""
        if outcome == "cached":
            self._by_client[client] += 1

    def handed_over(self, client: str, why: HandOver) -> None:
        """Counts nothing."""

    def breaker_turned(self, client: str, change: Change) -> None:
        """Counts nothing."""

    def take(self, requests: Iterable[PlannedRequest], steps: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """The steps among these requests that kept replies have answered, and forget them.

        Of several steps of one client they are the quickest.
        """
        counts, self._by_client = self._by_client, Counter()
        return list(_quickest(requests, steps, counts))


def _quickest(
    requests: Iterable[PlannedRequest], steps: Mapping[str, Mapping[str, Any]], counts: Counter[str]
) -> Iterator[str]:
    ended = [
        (steps[one.name]["ms"], one)
        for one in requests
        if one.cache is not None and one.name in steps and steps[one.name]["ms"] is not None
    ]
    for _, one in sorted(ended, key=lambda pair: pair[0]):
        if counts[one.client.name] > 0:
            counts[one.client.name] -= steps[one.name]["requests"] or 1
            yield one.name
