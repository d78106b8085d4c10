"""Reads of one client, each a page of its own, on a clock that waiting moves."""

from __future__ import annotations

from typing import Any

from bff.http import CacheTerms, Calls, Client
from tests.clock import Clock
from tests.http.calling import OnClock, Outcome, get, start

MODIFIED = "Fri, 15 Jan 2027 08:00:00 GMT"
TTL = CacheTerms(60.0)
LENIENT = CacheTerms(60.0, stale_if_error=600.0)


class Backend:
    """Asks one client; each read is a page of its own."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self.client = client
        self.clock = clock
        self.transport = OnClock(clock)

    def read(self, terms: CacheTerms = TTL, *outcomes: Outcome, **parts: Any) -> Any:
        """A read of a page of its own; `outcomes` are what the backend answers if it is asked."""
        self.transport.outcomes = list(outcomes)
        page = Calls(self.transport, self.clock.monotonic + 5.0)
        call = start(page, self.client, get("/a", cache=terms, **parts))
        while call.result is None:
            page.wait(self.clock.monotonic + 5.0)
        self.cached = call.cached
        return call.result

    @property
    def asked(self) -> int:
        return len(self.transport.flights)

    @property
    def conditions(self) -> dict[str, str]:
        """Those of the last request."""
        sent = self.transport.flights[-1].request.headers
        return {name: value for name, value in sent.items() if name.startswith("If-")}
