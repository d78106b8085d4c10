"""One request to a backend with its tries, and the calls of a page that wait for its outcome."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bff.http.messages import FORBIDDEN_REQUEST_HEADERS, Broken, OutgoingRequest, Reply, set_header
from bff.http.retry import Retries, is_transient
from bff.http.transport import Started, Try

if TYPE_CHECKING:
    from bff.http.client import Client


class Call:
    """What one step waits for; `result` is None until it has ended. `until` (monotonic) is its own deadline."""

    __slots__ = ("cache_key", "client", "fetch", "request", "result", "until")

    def __init__(self, client: Client, request: OutgoingRequest, until: float) -> None:
        self.client = client
        self.request = request
        self.until = until
        self.result: Reply | Broken | None = None
        self.cache_key: bytes | None = None
        self.fetch: Fetch | None = None

    @property
    def lost(self) -> bool:
        """Whether one of its tries went out and brought no reply, whatever a later one brought."""
        return self.fetch is not None and self.fetch.lost

    def __repr__(self) -> str:
        return f"<Call {self.request.method} of {self.client!r}>"


@dataclass(frozen=True, slots=True)
class Flight:
    """What is known of one try under way: its permit, and whether a time-out of it tells of the backend."""

    permit: int
    telling: bool


class Fetch:
    """An upstream request under way, its retries and its second copy; equal reads of one page share it.

    `same` is what makes another read of the page equal, None for a request that nothing may join. `rest` is when
    the next try is due and the outcome that stands if there is none; `hedge_at` when a second copy is due; `last`
    the outcome of a copy that failed while the other is under way; `copies` counts the second copies among its
    `attempts`; `lost` tells that a try went out and brought no reply.
    """

    __slots__ = (
        "_retries",
        "attempts",
        "calls",
        "client",
        "copies",
        "flights",
        "headers",
        "hedge_at",
        "last",
        "lost",
        "request",
        "rest",
        "same",
        "sent",
        "tried_until",
        "url",
    )

    def __init__(self, call: Call, url: str, headers: Mapping[str, str], same: Hashable) -> None:
        self.client = call.client
        self.request = call.request
        self.calls = [call]
        self.url = url
        self.headers = headers
        self.same = same
        self.flights: dict[Started, Flight] = {}
        self.attempts = 0
        self.copies = 0
        self.sent = False
        self.lost = False
        self.rest: tuple[float, Reply | Broken] | None = None
        self.hedge_at: float | None = None
        self.last: Reply | Broken | None = None
        self.tried_until = 0.0
        self._retries: Retries | None = None

    @property
    def until(self) -> float:
        """When the last of its calls ends."""
        return max(call.until for call in self.calls)

    def moments(self) -> list[float]:
        """When something is due: the end of a call, the next try, the second copy."""
        due = [call.until for call in self.calls]
        if self.rest is not None:
            due.append(self.rest[0])
        if self.hedge_at is not None:
            due.append(self.hedge_at)
        return due

    def as_try(self, max_bytes: int, min_try: float) -> Try:
        """The next try."""
        self.attempts += 1
        self.tried_until = self.until
        return Try(
            client=self.client,
            method=self.request.method,
            url=self.url,
            headers=self.headers,
            body=self.request.body,
            start_by=self.tried_until - min_try,
            until=self.tried_until,
            max_bytes=max_bytes,
        )

    def delay_after(self, outcome: Reply | Broken, min_try: float) -> float | None:
        """Seconds until the next try, None when this outcome stands."""
        request = self.request
        if not request.may_repeat or not is_transient(outcome):
            return None
        if self._retries is None:
            retries = self.client.retries if request.retries is None else request.retries
            self._retries = Retries(retries, self.until, min_try, self.client.budget)
        return self._retries.delay_after(outcome)


def headers_of(client: Client, request: OutgoingRequest, request_id: str) -> dict[str, str]:
    """Every header of a request; raises ValueError for one that may not or cannot be sent."""
    headers = dict(client.sent_headers)
    if request.content_type is not None:
        set_header(headers, "Content-Type", request.content_type)
    for name, value in request.headers.items():
        if name.lower() in FORBIDDEN_REQUEST_HEADERS or name.lower() == client.auth_header:
            raise ValueError(f"a request may not set the header {name}")
        set_header(headers, name, value)
    if request.token is not None:
        if not client.forwards_token:
            raise ValueError("this client forwards no token")
        set_header(headers, "Authorization", f"Bearer {request.token}")
    if request_id:
        set_header(headers, "X-Request-ID", request_id)
    return headers
