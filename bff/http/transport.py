"""The seam between calls and the network, and the transport of threads behind it."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Protocol

from bff import clock
from bff.forks import renew_in_child
from bff.http.adapters import Adapters
from bff.http.messages import Broken, Reply
from bff.http.pool import Pool
from bff.records import Unshown
from bff.turns import TURNS

if TYPE_CHECKING:
    from bff.http.client import Client
    from bff.http.connections import Adapter
    from bff.http.sockets.blocking import Found

# urllib3 logs whole URLs, which hold what visitors typed, at levels up to WARNING.
logging.getLogger("urllib3").setLevel(logging.ERROR)


class Try(Unshown, frozen=True):
    """One sending of a request, ready to go: everything is encoded and checked.

    `until` (monotonic) is when it is given up, `start_by` when starting it is no use any more, `max_bytes` the
    longest body that is read; `patience` is for streams alone: the seconds that a backend may take for the
    reply's head, after the last piece of the body. The transport adds what only the moment of sending knows:
    X-Request-Deadline-Ms and what the client's AuthBase signs.
    """

    client: Client
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    start_by: float
    until: float
    max_bytes: int
    patience: float = 0.0


class Started(Protocol):
    """A try under way; `outcome` is None until it has ended."""

    @property
    def outcome(self) -> Reply | Broken | None: ...

    @property
    def sent(self) -> bool:
        """Whether the backend may have got some of it."""

    @property
    def held(self) -> bool:
        """Whether it waits to begin: as many calls are under way, of its client or of all, as may be."""


class Stream(Protocol):
    """A reply that goes through unread, whose head has come; header names are in lower case."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    def chunks(self) -> Iterator[bytes]:
        """The body as it comes, to be asked for once; raises StreamBroke where it ends before its end."""

    def close(self) -> None:
        """Ends the exchange where it stands; a connection with something left on it is not used again."""


class Promise(Started, Protocol):
    """A try that another thread makes; who waits for tries of their own may wait for it beside them."""

    def fulfil(self, outcome: Reply | Broken) -> None:
        """Ends it with this outcome, once, from any thread."""


class Transport(Protocol):
    """What the layer asks of the network; used by many threads, a started try by the one that started it."""

    def start(self, request: Try) -> Started:
        """Sets a try going; never waits for the network and never raises for it."""

    def promise(self) -> Promise:
        """Something to wait for that another thread ends."""

    def wait(self, started: Collection[Started], until: float) -> Sequence[Started]:
        """Those of `started` that have ended; waits for the first, at most until then (monotonic)."""

    def abandon(self, started: Started) -> None:
        """Gives a try up: its outcome is not wanted any more, and what it holds is freed soon."""

    def stream(self, request: Try, body: Iterable[bytes] | None) -> Stream | Broken:
        """Sends a request with this body, in the caller's own thread, and waits for the reply's head.

        Raises what `body` raises, and nothing else.
        """


class Waiter(Protocol):
    """Somebody who wants to be told that something has ended."""

    def put(self, item: None, /) -> None: ...


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
            from bff.http.exchange import exchange  # is there with the adapter

            outcome = exchange(self._adapter, self._request, self)
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
                TURNS.outside(waiter.get, True, left)
        return ended

    def abandon(self, started: Started) -> None:
        if isinstance(started, _Flight):
            started.give_up()
            self._pool.withdraw(started)

    def stream(self, request: Try, body: Iterable[bytes] | None) -> Stream | Broken:
        from bff.http.streaming import open_stream

        return open_stream(self._adapters.of(request.client), request, body)

    def close(self) -> None:
        """Closes idle connections and ends idle threads."""
        self._pool.close()
        self._adapters.close()
