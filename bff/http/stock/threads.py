"""The transport of threads: each try on a thread of its own, through stock requests."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from bff import clock
from bff.forks import renew_in_child
from bff.http.messages import Broken, Reply
from bff.http.pool import Pool
from bff.http.stock.adapters import Adapters
from bff.http.transport import Promise, Started, Stream, Try, Waiter

if TYPE_CHECKING:
    from bff.http.sockets.blocking import Found
    from bff.http.stock.connections import Adapter

# urllib3 logs whole URLs, which hold what visitors typed, at levels up to WARNING.
logging.getLogger("urllib3").setLevel(logging.ERROR)


class _Promised:
    """An end that some thread waits for in another."""

    __slots__ = ("_waiter", "held", "outcome", "sent")

    def __init__(self) -> None:
        self.outcome: Reply | Broken | None = None
        self.sent = False
        self.held = False
        self._waiter: Waiter | None = None

    def fulfil(self, outcome: Reply | Broken) -> None:
        self.outcome = outcome
        if self._waiter is not None:
            self._waiter.put(None)

    def wake(self, waiter: Waiter) -> None:
        """Has the end put something to a waiter."""
        self._waiter = waiter


class _Flight(_Promised):
    """A try on its way through a pool of threads."""

    __slots__ = (
        "_adapter",
        "_lock",
        "_request",
        "_sock",
        "abandoned",
        "found",
        "lane",
    )

    def __init__(self, request: Try, adapter: Adapter) -> None:
        super().__init__()
        self.lane = request.client
        self.held = True
        self.abandoned = False
        self.found: Found | None = None
        self._lock = threading.RLock()  # collecting garbage closes connections, also while this is held
        self._sock: socket.socket | None = None
        self._request = request
        self._adapter = adapter

    def run(self) -> None:
        if clock.monotonic() > self._request.start_by:
            outcome: Reply | Broken = Broken("full", retry_after=1, reason="threads-full")
        else:
            self.held = False
            from bff.http.stock.sending import send_with_requests  # is there with the adapter

            outcome = send_with_requests(self._adapter, self._request, self)
        if not self.abandoned:
            self.outcome = outcome
        if self._waiter is not None:
            self._waiter.put(None)

    def uses(self, sock: socket.socket) -> None:
        """Notes the connection that this flight is on; raises TimeoutError when it was given up meanwhile."""
        with self._lock:
            if self.abandoned:
                raise TimeoutError("given up")
            self._sock = sock

    def lets_go(self, sock: socket.socket | None) -> bool:
        """Forgets this connection, or with None whichever it is on; says whether others may then use it."""
        with self._lock:
            if sock is None or sock is self._sock:
                self._sock = None
            return not self.abandoned

    def give_up(self) -> None:
        """Ends the exchange where it stands, so that its thread is free at once."""
        with self._lock:
            self.abandoned = True
            if self.found is not None and clock.monotonic() >= self._request.until:
                self.found.lost()
            if self._sock is not None:
                with suppress(
                    OSError
                ):  # not the method of TLS sockets, which takes the reader's session away
                    socket.socket.shutdown(self._sock, socket.SHUT_RDWR)


class ThreadTransport:
    """Sends each try on a thread of its own, with requests, over connections that a client's tries share."""

    def __init__(self, max_threads: int = 128) -> None:
        self._pool = Pool(max_threads)
        self.begin_anew()
        renew_in_child(self)

    def begin_anew(self) -> None:
        """Begins anew in a child of this process, which has no right to the connections."""
        self._adapters = Adapters()

    def start(self, request: Try) -> Started:
        flight = _Flight(request, self._adapters.of(request.client))
        self._pool.submit(flight)
        return flight

    def promise(self) -> Promise:
        return _Promised()

    def wait(self, started: Collection[Started], until: float) -> Sequence[Started]:
        ended = [flight for flight in started if flight.outcome is not None]
        if ended:
            return ended
        waiter: SimpleQueue[None] = SimpleQueue()
        for flight in started:
            assert isinstance(flight, _Promised)
            flight.wake(waiter)
        # A flight that ended before it knew the queue is seen here, one that ends later puts into it.
        while not (ended := [flight for flight in started if flight.outcome is not None]):
            left = until - clock.monotonic()
            if left <= 0:
                return ended
            with suppress(Empty):
                waiter.get(True, left)
        return ended

    def abandon(self, started: Started) -> None:
        if isinstance(started, _Flight):
            started.give_up()
            self._pool.withdraw(started)

    def stream(self, request: Try, body: Iterable[bytes] | None) -> Stream | Broken:
        from bff.http.stock.streaming import open_stream

        return open_stream(self._adapters.of(request.client), request, body)

    def close(self) -> None:
        """Closes idle connections and ends idle threads."""
        self._pool.close()
        self._adapters.close()
