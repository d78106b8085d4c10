"""Behind the seam: starts tries on sockets, waits for many at once, and leaves to requests what only it can do."""

from __future__ import annotations

import select
import sys
import threading
from collections.abc import Collection, Iterable, Sequence
from math import inf
from types import FunctionType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from bff import clock
from bff.forks import renew_in_child
from bff.http.messages import Broken
from bff.http.sockets.flight import Exchange, SocketFlight
from bff.http.sockets.head import head_of
from bff.http.sockets.idle import Idle
from bff.http.sockets.origin import Origin, split
from bff.http.sockets.resolve import Resolver
from bff.http.sockets.wakeup import own_wakeup
from bff.http.sockets.wire import Wire
from bff.http.stock.threads import ThreadTransport
from bff.http.transport import Promise, Started, Stream, Try

if TYPE_CHECKING:
    from bff.http.client import Client


class SocketTransport:
    """Writes each try to a connection at once, and gathers the replies in the thread that waits for them.

    No thread per try and no event loop: `wait` polls the sockets of what it waits for. What needs requests goes the
    way of threads, of which there are at most `max_threads`: proxies, client certificates, auth that is code of
    its own, and everything while `HTTPAdapter.send` is not requests' own, so that mocks of it are met.
    """

    def __init__(self, max_threads: int = 128) -> None:
        self._max_threads = max_threads
        self._idle: WeakKeyDictionary[Client, dict[Origin, Idle]] = WeakKeyDictionary()
        self.begin_anew()
        renew_in_child(self)

    def start(self, request: Try) -> Started:
        if needs_requests(request.client):
            return self._stock.start(request)
        try:
            origin, target = split(request.url)
        except ValueError:
            refused = self.promise()
            refused.fulfil(Broken("refused", reason="internal"))
            return refused
        host, headers, body = origin.header, request.headers, request.body
        exchange = Exchange(
            request.client,
            request.method,
            body,
            request.until,
            request.max_bytes,
            lambda left: head_of(request.method, target, host, headers, body, left),
        )
        flight = SocketFlight(exchange, origin, self.idle_of(request.client, origin), self.resolver)
        flight.begin()
        return flight

    def promise(self) -> Promise:
        return self._stock.promise()

    def wait(self, started: Collection[Started], until: float) -> Sequence[Started]:
        ended = [one for one in started if one.outcome is not None]
        while not ended:
            wait_once(started, until)  # also when the time is up: what has come by now is taken
            ended = [one for one in started if one.outcome is not None]
            if clock.monotonic() >= until:
                break
        return ended

    def abandon(self, started: Started) -> None:
        if isinstance(started, SocketFlight):
            started.give_up()
        else:
            self._stock.abandon(started)

    def stream(self, request: Try, body: Iterable[bytes] | None) -> Stream | Broken:
        return self._stock.stream(request, body)

    def close(self) -> None:
        """Closes idle connections and ends idle threads."""
        self._stock.close()
        self.resolver.close()
        with self._lock:
            for by_origin in self._idle.values():
                for idle in by_origin.values():
                    idle.close()
            self._idle.clear()

    def begin_anew(self) -> None:
        """Begins anew in a child of this process, which has neither the threads nor a right to the sockets."""
        self._stock = ThreadTransport(self._max_threads)
        self.resolver = Resolver()
        self._lock = threading.Lock()
        # What asks knows its idle connections, in a child too: there they are none.
        for by_origin in self._idle.values():
            for idle in by_origin.values():
                idle.begin_anew()

    def idle_of(self, client: Client, origin: Origin) -> Idle:
        """The idle connections of a client to a server."""
        by_origin = self._idle.get(client)
        idle = None if by_origin is None else by_origin.get(origin)
        if idle is None:
            with self._lock:
                by_origin = self._idle.setdefault(client, {})
                idle = by_origin.setdefault(origin, Idle(client.concurrency))
        return idle


_POLLED = (SocketFlight, Wire)


def needs_requests(client: Client) -> bool:
    """Whether this client's calls go through a requests adapter: sockets cannot do them, or they are mocked."""
    return needs_more_than_sockets(client) or is_replaced()


def needs_more_than_sockets(client: Client) -> bool:
    """Whether sockets cannot do what a client declares."""
    return client.signs or client.cert is not None or bool(client.proxy_urls)


def is_replaced() -> bool:
    """Whether `HTTPAdapter.send` is not requests' own; who has not loaded requests cannot have replaced it."""
    adapter = getattr(sys.modules.get("requests.adapters"), "HTTPAdapter", None)
    if adapter is None:
        return False
    # Not compared with what it was at import: it may have been replaced before that already.
    send = adapter.send
    return type(send) is not FunctionType or send.__code__.co_filename != adapter.close.__code__.co_filename


def wait_once(started: Collection[Started], until: float) -> tuple[float, bool]:
    """Waits until any has news or something to do, at most until then, and lets it go on.

    Gives the moment (monotonic), and whether it is one that was waited for.
    """
    poll = select.poll()
    by_fd: dict[int, Started] = {}
    elsewhere: list[Any] = []  # what no socket tells of: look-ups, threads, promises
    for one in started:
        if type(one) is Wire and one.simple:
            until = min(until, one.until)
            poll.register(one.fd, select.POLLIN)
            by_fd[one.fd] = one
        elif isinstance(one, _POLLED):
            until = min(until, one.due)
            interests = one.interests()
            for fd, events in interests:
                poll.register(fd, events)
                by_fd[fd] = one
            if not interests:
                elsewhere.append(one)
        else:
            elsewhere.append(one)
    if elsewhere:
        until = min(until, _listen(poll, elsewhere))
    left = until - clock.monotonic()
    news = poll.poll(left * 1000 if left > 0 else 0)
    moved = {*map(by_fd.get, dict(news)), *elsewhere}
    now = clock.monotonic()
    for one in started:
        if type(one) is Wire and one.simple:
            if one in moved and one.read() is None:
                one.look_closer()
        elif isinstance(one, _POLLED) and (one in moved or one.due <= now):
            one.go_on()
    return now, now >= until


def _listen(poll: select.poll, started: Collection[Any]) -> float:
    """Has this thread woken when one of those ends; gives when to go on anyway (monotonic)."""
    wakeup = own_wakeup()
    wakeup.clear()
    poll.register(wakeup.fileno(), select.POLLIN)
    for one in started:
        one.wake(wakeup)
        if one.outcome is not None:  # it ended before it knew whom to tell
            return 0.0
    return inf
