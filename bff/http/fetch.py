"""One request to a backend with its tries, and the calls of a page that wait for its outcome."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from bff.http.cache.entry import CONDITIONS, CacheEntry
from bff.http.forwarded import may_not_go_up
from bff.http.messages import (
    FORBIDDEN_REQUEST_HEADERS,
    Broken,
    CacheOutcome,
    CacheTerms,
    OutgoingRequest,
    Reply,
    check_header,
    set_header,
)
from bff.http.retry import Retries, is_transient
from bff.http.transport import Started, Try

if TYPE_CHECKING:
    from bff.http.client import Client


class Call:
    """What one step waits for; `result` is None until it has ended. `until` (monotonic) is its own deadline.

    `url` and `headers` are what is sent. A read that may be kept has its `key`, the `terms` of that and the old reply
    that it may be given, `kept`; `cached` then tells what came of it. It is the request `at` of its
    `owner`; one that went on from a wire has `begun` with it (monotonic).
    """

    __slots__ = (
        "at",
        "begun",
        "cached",
        "client",
        "fetch",
        "headers",
        "kept",
        "key",
        "owner",
        "request",
        "result",
        "terms",
        "until",
        "url",
    )

    def __init__(
        self, client: Client, request: OutgoingRequest, until: float, url: str, headers: Mapping[str, str]
    ) -> None:
        self.client = client
        self.request = request
        self.until = until
        self.url = url
        self.headers = headers
        self.key: bytes = b""
        self.terms: CacheTerms | None = None
        self.kept: CacheEntry | None = None
        self.cached: CacheOutcome | None = None
        self.result: Reply | Broken | None = None
        self.fetch: Fetch | None = None
        self.owner: Any = None
        self.begun: float | None = None
        self.at = 0

    @property
    def lost(self) -> bool:
        """Whether one of its tries went out and brought no reply, whatever a later one brought."""
        return self.fetch is not None and self.fetch.lost

    @property
    def is_waiting(self) -> bool:
        """Whether nothing of it has been sent, since it waits for a place."""
        return self.fetch is not None and self.fetch.attempts == 0

    def body(self) -> bytes | None:
        """None: what a call brought is looked at by who knows all rules."""
        return None

    def release(self) -> None:
        """It holds nothing that others wait for."""

    def __repr__(self) -> str:
        return f"<Call {self.request.method} of {self.client!r}>"


class Flight(Struct, frozen=True):
    """What is known of one try under way.

    Its permit, whether a time-out of it tells of the backend, and when it was begun (monotonic).
    """

    permit: int
    telling: bool
    begun: float


class Fetch:
    """An upstream request under way, its retries and its second copy; equal reads of one page share it.

    `rest` is when the next try is due and the outcome that stands if there is none; `hedge_at` when a second copy is
    due; `last` the outcome of a copy that failed while the other is under way; `copies` counts the second copies among
    its `attempts`; `lost` tells that a try went out and brought no reply. `kept` is the old reply that its backend is
    asked to confirm, `confirmed` tells that it did; `begun` (monotonic) is when the try was that brought the outcome.
    """

    __slots__ = (
        "_conditions",
        "attempts",
        "begun",
        "calls",
        "client",
        "confirmed",
        "copies",
        "flights",
        "headers",
        "hedge_at",
        "kept",
        "kept_under",
        "last",
        "lost",
        "request",
        "rest",
        "retries",
        "sent",
        "tried_until",
        "url",
    )

    def __init__(self, call: Call) -> None:
        self.client = call.client
        self.request = call.request
        self.calls = [call]
        self.url = call.url
        self.headers: Mapping[str, str] = call.headers
        self.kept, self._conditions = _to_be_confirmed(call)
        self.kept_under: set[bytes] = set()
        self.confirmed = False
        self.begun = 0.0
        self.flights: dict[Started, Flight] = {}
        self.attempts = 0
        self.copies = 0
        self.sent = False
        self.lost = False
        self.rest: tuple[float, Reply | Broken] | None = None
        self.hedge_at: float | None = None
        self.last: Reply | Broken | None = None
        self.tried_until = 0.0
        self.retries: Retries | None = None

    @property
    def until(self) -> float:
        """When the last of its calls ends."""
        calls = self.calls
        return calls[0].until if len(calls) == 1 else max(call.until for call in calls)

    @property
    def due(self) -> float:
        """When something is to be done next: the end of a call, the next try, the second copy."""
        calls = self.calls
        due = calls[0].until if len(calls) == 1 else min(call.until for call in calls)
        if self.rest is not None:
            due = min(due, self.rest[0])
        return due if self.hedge_at is None else min(due, self.hedge_at)

    def answers(self, call: Call) -> bool:
        """Whether what it brings is the answer to a call for the same URL too."""
        own, other = self.request, call.request
        return (
            self.client is call.client
            and (own.method, own.body) == (other.method, other.body)
            and (own.timeout, own.retries, own.hedge) == (other.timeout, other.retries, other.hedge)
            and self.headers == call.headers
        )

    def as_try(self, max_bytes: int, min_try: float) -> Try:
        """The next try."""
        self.attempts += 1
        self.tried_until = self.until
        return Try(
            client=self.client,
            method=self.request.method,
            url=self.url,
            headers=self.headers if self.kept is None else {**self.headers, **self._conditions},
            body=self.request.body,
            start_by=self.tried_until - min_try,
            until=self.tried_until,
            max_bytes=max_bytes,
        )

    def resolved(self, outcome: Reply | Broken) -> Reply | Broken | None:
        """The outcome, with the old reply in the place of a 304 that confirms it.

        None after a 304 that confirms another one: the backend is then to be asked without a condition.
        """
        if self.kept is None or not isinstance(outcome, Reply) or outcome.status != 304:
            return outcome
        confirmed = self.kept.confirmed(outcome)
        self.confirmed = confirmed is not None
        if confirmed is None:
            self.kept = None
        return confirmed

    def delay_after(self, outcome: Reply | Broken, min_try: float) -> float | None:
        """Seconds until the next try, None when this outcome stands."""
        request = self.request
        if not request.may_repeat or not is_transient(outcome):
            return None
        if self.retries is None:
            retries = self.client.retries if request.retries is None else request.retries
            self.retries = Retries(retries, self.until, min_try, self.client.gate.budget)
        return self.retries.delay_after(outcome)


def _to_be_confirmed(call: Call) -> tuple[CacheEntry | None, Mapping[str, str]]:
    """The old reply that a backend can be asked to confirm, and the headers that ask it."""
    if call.kept is None or call.terms is None or call.request.method != "GET":
        return None, {}
    if not CONDITIONS.isdisjoint(name.lower() for name in call.headers):
        return None, {}
    conditions = call.kept.conditions(call.terms)
    return (call.kept, conditions) if conditions else (None, {})


def headers_of(client: Client, request: OutgoingRequest, request_id: str) -> dict[str, str]:
    """Every header of a request; raises ValueError for one that may not or cannot be sent."""
    headers = dict(client.sent_headers)
    if request.content_type is not None:
        set_header(headers, "Content-Type", request.content_type)
    for name, value in request.headers.items():
        lower = name.lower()
        if lower in FORBIDDEN_REQUEST_HEADERS or lower == client.auth_header or may_not_go_up(lower):
            raise ValueError(f"a request may not set the header {name}")
        set_header(headers, name, value)
    for name, value in request.forwarded:
        set_header(headers, name, value)
    if request.token is not None:
        if not client.forwards_token:
            raise ValueError("this client forwards no token")
        # Neither a client that forwards a token nor a recipe may write this one, so it is not there yet.
        check_header("Authorization", request.token)
        headers["Authorization"] = f"Bearer {request.token}"
    if request_id:
        check_header("X-Request-ID", request_id)
        headers["X-Request-ID"] = request_id
    return headers
