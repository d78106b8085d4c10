"""The requests of one page whose bodies go through: their places, tries and verdicts, until each has its head."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from bff import clock
from bff.http.call import Call
from bff.http.gate import full
from bff.http.layers.bounds import Bounds
from bff.http.layers.breaker import Sparing
from bff.http.layers.layer import Layer
from bff.http.layers.retry import Retry
from bff.http.messages import Broken, Reply, is_transient
from bff.http.stream.held_stream import HeldStream
from bff.http.transport import Stream, Transport
from bff.http.tries import Tries


class Streams:
    """Opens streams, within the places and bounds that the page's other requests have too."""

    def __init__(self, transport: Transport, tries: Tries) -> None:
        self._transport = transport
        self._tries = tries

    def open(self, call: Call, body: Iterable[bytes] | None, max_bytes: int) -> HeldStream | Broken:
        """Opens a stream in a place of its client, which only a stream that is open keeps.

        Raises what `body` raises.
        """
        ledger, gate = self._tries.ledger, call.client.gate
        if not ledger.take_place(gate):
            return full()
        opened: Stream | Broken | None = None
        try:
            opened = self._try(call, body, max_bytes)
        finally:
            if opened is None or isinstance(opened, Broken):
                ledger.give_back(gate)
        if isinstance(opened, Broken):
            return replace(opened, attempts=call.attempts)
        return HeldStream(opened, lambda: ledger.give_back(gate))

    def _try(self, call: Call, body: Iterable[bytes] | None, max_bytes: int) -> Stream | Broken:
        """Tries until there is a head, where nothing of a body can have been sent."""
        tries, least, timeout = self._tries, self._tries.ledger.limits.min_try, call.way.timeout
        bounds, breaker, retry = Bounds(call, tries), Sparing(call, tries), Retry(call, tries)
        may_retry = body is None and call.way.may_retry
        head_by = clock.monotonic() + timeout
        call.client.gate.budget.earn()
        last: Broken | None = None
        while True:
            refusal = bounds.refusal() or breaker.refusal()
            if refusal is not None:
                return last or refusal
            patience = timeout if body is not None else head_by - clock.monotonic()
            bounds.began(None, 0.0)
            opened = self._send(call, breaker, patience, body, max_bytes)
            head = _head(opened)
            delay = retry.delay_after(head) if may_retry and is_transient(head) else None
            again = clock.monotonic() + (delay or 0.0)
            if delay is None or again > head_by - least:
                return opened
            if isinstance(opened, Broken):
                last = opened
            else:
                opened.close()
            self._transport.wait((), again)

    def _send(
        self, call: Call, breaker: Layer, patience: float, body: Iterable[bytes] | None, max_bytes: int
    ) -> Stream | Broken:
        """Sends it once, and tells its client's breaker how it went."""
        request = call.as_try(max_bytes, self._tries.ledger.limits.min_try, patience)
        breaker.began(None, min(patience, call.ends - clock.monotonic()))
        try:
            opened = self._transport.stream(request, body)
        except BaseException:
            breaker.left(None, late=False)
            raise
        breaker.came(None, _head(opened))
        return opened


def _head(opened: Stream | Broken) -> Reply | Broken:
    return opened if isinstance(opened, Broken) else Reply(opened.status, opened.headers)
