"""The calls of one page: each ends with a reply, kept or new, or with why there is none; above any transport."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from math import inf
from typing import TYPE_CHECKING

from msgspec.structs import replace

from bff import clock
from bff.http.fetch import Call, Fetch, headers_of
from bff.http.fetches import Fetches
from bff.http.ledger import Change, Ledger
from bff.http.limits import Limits
from bff.http.messages import Broken, HeaderLines, OutgoingRequest, Reply, set_header
from bff.http.passage import Passage
from bff.http.reads import Reads
from bff.http.streams import Streams
from bff.http.transport import Started, Transport

if TYPE_CHECKING:
    from bff.http.behind import Behind
    from bff.http.client import Client


class Calls:
    """The calls of one page; used by one thread.

    `behind` is what pages of this process share: without it each page asks for itself, and keeps replies in the
    process only.
    """

    def __init__(
        self,
        transport: Transport,
        deadline: float,
        limits: Limits | None = None,
        request_id: str = "",
        behind: Behind | None = None,
    ) -> None:
        self._transport = transport
        self._deadline = deadline
        self._request_id = request_id
        self._behind = behind
        self._limits = limits or Limits()
        self.ledger = Ledger(self._limits, deadline - clock.monotonic())
        self._fetches = Fetches(transport, self.ledger, self._fetched, self.turned)
        self._reads = Reads(transport, deadline, self._fetches, self._end, self._for_others, behind)
        self._ended: list[Call] = []
        self._headers: dict[tuple[Client, str | None], HeaderLines] = {}

    def anew(self, deadline: float) -> Calls:
        """Calls of the same page with another deadline (monotonic) and bounds of their own."""
        return Calls(self._transport, deadline, self._limits, self._request_id, self._behind)

    def _for_others(self, deadline: float) -> Calls:
        calls = self.anew(deadline)
        calls._reads.only_new = True
        return calls

    def start(self, client: Client, request: OutgoingRequest, until: float | None = None) -> Call:
        """Starts a call that ends by `until`, its time-out and the page's deadline (monotonic).

        A read that is under way already is not sent again. Raises ValueError for a request that cannot be sent as
        it is (path, header).
        """
        timeout = client.timeout if request.timeout is None else request.timeout
        end = min(self._deadline, clock.monotonic() + timeout, self._deadline if until is None else until)
        url = client.url(request.target)
        call = Call(client, request, end, url, self._headers_of(client, request))
        if request.safe and request.cache is not None:
            self._reads.begin(call)
        else:
            self._fetches.begin(call)
        return call

    def wait(self, until: float) -> list[Call]:
        """The calls that ended since the last wait; waits for the first, at most until then (monotonic).

        Gives an empty list when the time is up or nothing is under way.
        """
        while not self._ended and (self._fetches or self._reads):
            moment = min(until, self._fetches.due(), self._reads.due() if self._reads else inf)
            for started in self._transport.wait(self._under_way(), moment):
                if not self._fetches.land(started):
                    self._reads.land(started)
            now = clock.monotonic()
            self._fetches.ring(now)
            if self._reads:
                self._reads.ring(now)
            if now >= until:
                break
        ended, self._ended = self._ended, []
        return ended

    def stream(
        self,
        client: Client,
        request: OutgoingRequest,
        body: Iterable[bytes] | None,
        *,
        length: int | None,
        max_bytes: int,
    ) -> Passage | Broken:
        """Sends a request whose body and reply go through as streams, and waits for the reply's head.

        The head comes within the time-out, counted from the last piece of the body, the whole by the page's
        deadline. Raises what `body` raises, and ValueError for a request that cannot be sent as it is.
        """
        headers = headers_of(client, request, self._request_id)
        set_header(headers, "Accept-Encoding", "identity")  # what is not read cannot be unpacked
        if length is not None:
            set_header(headers, "Content-Length", str(length))
        call = Call(client, request, self._deadline, client.url(request.target), headers)
        call.fetch = Fetch(call)
        opened = Streams(self._transport, self._fetches).open(call.fetch, body, max_bytes)
        call.result = opened if isinstance(opened, Broken) else Reply(opened.status, opened.headers)
        self.streamed(call)
        return opened

    def abandon(self, call: Call) -> None:
        """Gives a call up: `wait` does not give it any more."""
        self._fetches.give_up(call)
        self._reads.give_up(call)
        self._ended = [ended for ended in self._ended if ended is not call]

    def close(self) -> None:
        """Gives up all that is under way, so that it holds no place any more."""
        self._fetches.close()
        self._reads.close()

    def turned(self, client: Client, change: Change) -> None:
        """Called when one of the tries has opened or closed its client's breaker; for who counts that."""

    def streamed(self, call: Call) -> None:
        """Called when the head of a stream, or none, has come, which is the call's result; for who counts that."""

    def _headers_of(self, client: Client, request: OutgoingRequest) -> Mapping[str, str]:
        """The headers of a request; most of a client's in one page have the same."""
        if request.headers or request.content_type is not None:
            return headers_of(client, request, self._request_id)
        headers = self._headers.get((client, request.token))
        if headers is None:
            headers = HeaderLines(headers_of(client, request, self._request_id))
            self._headers[client, request.token] = headers
        return headers

    def _under_way(self) -> Collection[Started]:
        awaited = self._reads.awaited
        return (*self._fetches.flying, *awaited) if awaited else self._fetches.flying

    def _fetched(self, call: Call, outcome: Reply | Broken) -> None:
        """Ends a call whose request was made for this page."""
        assert call.fetch is not None, "it was fetched"
        if isinstance(outcome, Reply):
            outcome.attempts = call.fetch.attempts
        else:
            sent = outcome.sent or call.fetch.sent
            outcome = replace(outcome, sent=sent, attempts=call.fetch.attempts)
        self._end(call, outcome if call.terms is None else self._reads.settled(call, call.fetch, outcome))

    def _end(self, call: Call, outcome: Reply | Broken) -> None:
        if isinstance(outcome, Reply):
            outcome.max_depth = self._limits.max_depth
        call.result = outcome
        self._ended.append(call)
