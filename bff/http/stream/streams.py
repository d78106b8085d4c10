"""The requests of one page whose bodies go through: their places, tries and verdicts, until each has its head."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from bff import clock
from bff.http.fetch import Fetch, Flight
from bff.http.fetches import Fetches
from bff.http.gate import full
from bff.http.ledger import spared
from bff.http.messages import Broken, Reply
from bff.http.stream.passage import Passage
from bff.http.transport import Stream, Transport


class Streams:
    """Opens streams, within the places and bounds that the page's other requests have too."""

    def __init__(self, transport: Transport, fetches: Fetches) -> None:
        self._transport = transport
        self._fetches = fetches

    def open(self, fetch: Fetch, body: Iterable[bytes] | None, max_bytes: int) -> Passage | Broken:
        """Opens a stream in a place of its client, which only a stream that is open keeps.

        Raises what `body` raises.
        """
        ledger, gate = self._fetches.ledger, fetch.client.gate
        if not ledger.take_place(gate):
            return full()
        opened: Stream | Broken | None = None
        try:
            opened = self._try(fetch, body, max_bytes)
        finally:
            if opened is None or isinstance(opened, Broken):
                ledger.give_back(gate)
        if isinstance(opened, Broken):
            return replace(opened, attempts=fetch.attempts)
        return Passage(opened, lambda: ledger.give_back(gate))

    def _try(self, fetch: Fetch, body: Iterable[bytes] | None, max_bytes: int) -> Stream | Broken:
        """Tries until there is a head, where nothing of a body can have been sent."""
        client, request, fetches = fetch.client, fetch.request, self._fetches
        timeout = client.timeout if request.timeout is None else request.timeout
        head_by = clock.monotonic() + timeout
        client.gate.budget.earn()
        last: Broken | None = None
        while True:
            now = clock.monotonic()
            refusal = fetches.refusal(fetch)
            permit = None if refusal is not None else client.gate.circuit.enter(fetch.until)
            if permit is None:
                return last or refusal or spared(client)
            fetches.count()
            patience = timeout if body is not None else head_by - now
            telling = fetches.ledger.telling(min(patience, fetch.until - now), timeout)
            opened = self._send(fetch, Flight(permit, telling, now), patience, body, max_bytes)
            delay = (
                None if body is not None else fetch.delay_after(_head(opened), fetches.ledger.limits.min_try)
            )
            again = clock.monotonic() + (delay or 0.0)
            if delay is None or again > head_by - fetches.ledger.limits.min_try:
                return opened
            if isinstance(opened, Broken):
                last = opened
            else:
                opened.close()
            self._transport.wait((), again)

    def _send(
        self, fetch: Fetch, flight: Flight, patience: float, body: Iterable[bytes] | None, max_bytes: int
    ) -> Stream | Broken:
        """Sends it once, and tells its client's breaker how it went."""
        request = replace(fetch.as_try(max_bytes, self._fetches.ledger.limits.min_try), patience=patience)
        try:
            opened = self._transport.stream(request, body)
        except BaseException:
            fetch.client.gate.circuit.left(flight.permit)
            raise
        self._fetches.tell(fetch, flight, _head(opened))
        return opened


def _head(opened: Stream | Broken) -> Reply | Broken:
    return opened if isinstance(opened, Broken) else Reply(opened.status, opened.headers)
