"""A request to a backend that is no wire, with its tries and those who wait for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bff.http.messages import Broken, CacheOutcome, OutgoingRequest, Reply
from bff.http.transport import Started, Try

if TYPE_CHECKING:
    from bff.http.way import Way


class Call:
    """What one step waits for; `result` is None until it has ended. `until` (monotonic) is its own deadline.

    It goes its `way`, as the request `at` of its `owner`; one that went on from a wire has `begun` with it (monotonic).
    A read that may be kept is `stored`, which knows what is kept of it.

    Equal reads have one `key`: whom they ask what, for how long and how often. The first makes the request: it is the
    `leader` of the others, and all that are `waiting` end with it. Around each of its tries are `layers`, and only
    tries send `conditions`. `flights` are the tries under way, with the moment each was begun; `attempts` counts all,
    and `copies` the second copies among them. `sent` tells that one may have reached the backend, `was_lost` that one
    went out and brought no reply. After a failure it may have `retries`. `tried_until` is when the latest try is given
    up, `asked_at` when the one was begun that brought the outcome.
    """

    def __init__(
        self, way: Way, request: OutgoingRequest, until: float, url: str, headers: Mapping[str, str]
    ) -> None:
        self.way = way
        self.client = way.client
        self.request = request
        self.until = until
        self.url = url
        self.headers = headers
        self.key = (way.kind, url, request.body, frozenset(headers.items()))
        self.result: Reply | Broken | None = None
        self.owner: Any = None
        self.at = 0
        self.begun: float | None = None
        self.stored: Any = None
        self.leader: Call | None = None
        self.waiting: list[Call] = []
        self.layers: Sequence[Any] = ()
        self.conditions: Mapping[str, str] = {}
        self.flights: dict[Started, float] = {}
        self.attempts = self.copies = 0
        self.retries: Any = None
        self.sent = self.was_lost = False
        self.tried_until = self.asked_at = 0.0

    @property
    def cached(self) -> CacheOutcome | None:
        """What came of a read that may be kept."""
        return None if self.stored is None else self.stored.cached

    @property
    def lost(self) -> bool:
        """Whether one of its tries went out and brought no reply, whatever a later one brought."""
        return (self.leader or self).was_lost

    @property
    def is_waiting(self) -> bool:
        """Whether nothing of it has been sent, since it waits for a place."""
        return (self.leader or self).attempts == 0

    @property
    def ends(self) -> float:
        """When the last of those ends that wait for it."""
        waiting = self.waiting
        if len(waiting) > 1:
            return max([call.until for call in waiting])
        return waiting[0].until if waiting else self.until

    @property
    def due(self) -> float:
        """When something is to be done next: the end of one who waits, or what a layer has to do."""
        waiting = self.waiting
        due: float = waiting[0].until if len(waiting) == 1 else min([call.until for call in waiting])
        for layer in self.layers:
            if layer.due < due:
                due = layer.due
        return due

    def as_try(self, max_bytes: int, min_try: float, patience: float = 0.0) -> Try:
        """The next try."""
        self.attempts += 1
        self.tried_until = self.ends
        return Try(
            client=self.client,
            method=self.way.method,
            url=self.url,
            headers={**self.headers, **self.conditions} if self.conditions else self.headers,
            body=self.request.body,
            start_by=self.tried_until - min_try,
            until=self.tried_until,
            max_bytes=max_bytes,
            patience=patience,
        )

    allows = None

    def body(self) -> bytes | None:
        """None: what a call brought is looked at by who knows all rules."""
        return None

    def release(self) -> None:
        """It holds nothing that others wait for."""

    def __repr__(self) -> str:
        return f"<Call {self.way.method} of {self.client!r}>"
