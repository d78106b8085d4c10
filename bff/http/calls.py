"""The calls of one page: deadlines, retries, bounds and the cache, above any transport."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bff.http.cache import key_of
from bff.http.messages import FORBIDDEN_REQUEST_HEADERS, Broken, OutgoingRequest, Reply, set_header
from bff.http.retry import Retries, is_transient
from bff.http.transport import Started, Transport, Try

if TYPE_CHECKING:
    from bff.http.client import Client


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one page's calls.

    Tries; bytes of one reply and of all, unzipped; depth of a reply's JSON; least seconds for a try to start.
    """

    max_requests: int = 250
    max_reply: int = 8 * 2**20
    max_replies: int = 32 * 2**20
    max_depth: int = 100
    min_try: float = 0.020


class Call:
    """A request under way with its retries; `result` is None until it has ended.

    `until` (monotonic) is its own deadline; `lost` tells that a try went out and brought no reply.
    """

    __slots__ = (
        "_attempts",
        "_headers",
        "_key",
        "_retries",
        "_sent",
        "_url",
        "client",
        "lost",
        "request",
        "result",
        "until",
    )

    def __init__(
        self, client: Client, request: OutgoingRequest, until: float, url: str, headers: Mapping[str, str]
    ) -> None:
        self.client = client
        self.request = request
        self.until = until
        self.result: Reply | Broken | None = None
        self.lost = False
        self._url = url
        self._headers = headers
        self._key: bytes | None = None
        self._attempts = 0
        self._sent = False
        self._retries: Retries | None = None
        if request.safe and request.cache_ttl:
            self._key = key_of(request.method, url, headers, request.body, request.visitor)

    def __repr__(self) -> str:
        return f"<Call {self.request.method} of {self.client!r}>"

    def _as_try(self, max_bytes: int, min_try: float) -> Try:
        self._attempts += 1
        return Try(
            client=self.client,
            method=self.request.method,
            url=self._url,
            headers=self._headers,
            body=self.request.body,
            start_by=self.until - min_try,
            until=self.until,
            max_bytes=max_bytes,
        )

    def _delay_after(self, outcome: Reply | Broken, min_try: float) -> float | None:
        """Seconds until the next try, None when this outcome stands."""
        request = self.request
        if not request.may_repeat or not is_transient(outcome):
            return None
        if self._retries is None:
            retries = self.client.retries if request.retries is None else request.retries
            self._retries = Retries(retries, self.until, min_try, self.client.budget)
        return self._retries.delay_after(outcome)


class Calls:
    """The calls of one page; used by one thread."""

    def __init__(
        self, transport: Transport, deadline: float, limits: Limits | None = None, request_id: str = ""
    ) -> None:
        self._transport = transport
        self._deadline = deadline
        self._limits = limits or Limits()
        self._request_id = request_id
        self._flying: dict[Started, Call] = {}
        self._resting: dict[Call, tuple[float, Reply | Broken]] = {}
        self._ended: list[Call] = []
        self._tries = 0
        self._bytes = 0

    def anew(self, deadline: float) -> Calls:
        """Calls of the same page with another deadline (monotonic) and bounds of their own."""
        return Calls(self._transport, deadline, self._limits, self._request_id)

    def start(self, client: Client, request: OutgoingRequest, until: float | None = None) -> Call:
        """Starts a call that ends by `until`, its time-out and the page's deadline (monotonic).

        Raises ValueError for a request that cannot be sent as it is (path, header).
        """
        timeout = client.timeout if request.timeout is None else request.timeout
        end = min(self._deadline, time.monotonic() + timeout, self._deadline if until is None else until)
        url = client.url(request.target)
        call = Call(client, request, end, url, _headers(client, request, self._request_id))
        kept = None if call._key is None else client.cache.get(call._key)
        if kept is not None:
            self._end(call, self._counted(kept))
        else:
            client.budget.earn()
            self._try(call)
        return call

    def wait(self, until: float) -> list[Call]:
        """The calls that ended since the last wait; waits for the first, at most until then (monotonic).

        Gives an empty list when the time is up or nothing is under way.
        """
        while not self._ended and (self._flying or self._resting):
            for started in self._transport.wait(self._flying.keys(), min(until, self._next_moment())):
                self._land(started)
            now = time.monotonic()
            self._ring(now)
            if now >= until:
                break
        ended, self._ended = self._ended, []
        return ended

    def abandon(self, call: Call) -> None:
        """Gives a call up: `wait` does not give it any more."""
        self._resting.pop(call, None)
        for started in [started for started, flying in self._flying.items() if flying is call]:
            del self._flying[started]
            self._transport.abandon(started)
        self._ended = [ended for ended in self._ended if ended is not call]

    def _try(self, call: Call, last: Reply | Broken | None = None) -> None:
        """Starts a try if there is room for one, else ends the call with its last outcome, if it has one."""
        refusal = self._refusal(call)
        if refusal is not None:
            self._end(call, last or refusal)
            return
        limits = self._limits
        self._tries += 1
        room = min(limits.max_reply, limits.max_replies - self._bytes)
        self._flying[self._transport.start(call._as_try(room, limits.min_try))] = call

    def _refusal(self, call: Call) -> Broken | None:
        limits = self._limits
        if call.until - time.monotonic() < limits.min_try:
            return Broken("timeout", reason="no time was left for a try")
        if self._tries >= limits.max_requests or self._bytes >= limits.max_replies:
            return Broken("limit", reason="requests or replies of the page")
        return None

    def _next_moment(self) -> float:
        """When a time-out or the end of a back-off is due next."""
        ends = [call.until for call in self._flying.values()]
        return min([*ends, *(moment for moment, _ in self._resting.values())])

    def _ring(self, now: float) -> None:
        """Starts the tries whose back-off is over and ends the calls whose time is up."""
        for call, (moment, last) in list(self._resting.items()):
            if moment <= now:
                del self._resting[call]
                self._try(call, last)
        for started, call in [item for item in self._flying.items() if item[1].until <= now]:
            del self._flying[started]
            call._sent = call._sent or started.sent
            self._transport.abandon(started)
            self._end(call, Broken("breaker" if started.held else "timeout"))

    def _land(self, started: Started) -> None:
        call = self._flying.pop(started)
        call._sent = call._sent or started.sent
        outcome = self._counted(started.outcome or Broken("refused"))
        if isinstance(outcome, Broken) and (started.sent or outcome.sent):
            call.lost = True
        delay = call._delay_after(outcome, self._limits.min_try)
        if delay is None:
            self._end(call, outcome)
        else:
            self._resting[call] = (time.monotonic() + delay, outcome)

    def _counted(self, outcome: Reply | Broken) -> Reply | Broken:
        """The outcome, or that the page has had too many bytes."""
        limits = self._limits
        if isinstance(outcome, Reply):
            self._bytes += len(outcome.raw)
            if self._bytes > limits.max_replies:
                return Broken("limit", sent=True, reason="replies of the page")
        elif outcome.kind == "too-large" and limits.max_replies - self._bytes < limits.max_reply:
            return replace(outcome, kind="limit")
        return outcome

    def _end(self, call: Call, outcome: Reply | Broken) -> None:
        if isinstance(outcome, Broken):
            call.result = replace(outcome, sent=call._sent or outcome.sent, attempts=call._attempts)
        else:
            call.result = outcome
            outcome.attempts = call._attempts
            outcome.max_depth = self._limits.max_depth
            if call._key is not None and not outcome.from_cache:
                call.client.cache.put(call._key, outcome, call.request.cache_ttl or 0)
        self._ended.append(call)


def _headers(client: Client, request: OutgoingRequest, request_id: str) -> dict[str, str]:
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
