"""What pages of one process have done for them by other threads: fetches that they share, refreshes, a shared store.

Pages never wait for each other's threads. A read for several pages runs on a thread of its own, with calls of its
own: the page that was first may end, and takes nothing from the others. There are 32 such threads; where they are
taken, pages ask for themselves. Each page waits on a promise within its own deadline.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Protocol, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from bff import clock
from bff.forks import renew_in_child
from bff.http.cache.entry import CacheEntry
from bff.http.call import Call
from bff.http.messages import Broken, CacheOutcome, CacheTerms, OutgoingRequest, Reply
from bff.http.pool import Pool
from bff.http.transport import Promise, Transport
from bff.http.way import Way

if TYPE_CHECKING:  # who has no store loads none
    from bff.http.cache.redis_cache import LookUp, RedisCache


class Asking(Protocol):
    """The calls of one fetch, as `Calls` makes them."""

    def start(self, way: Way, request: OutgoingRequest) -> Call: ...

    def wait(self, until: float) -> object: ...

    def close(self) -> None: ...


MakeCalls: TypeAlias = Callable[[float], Asking]
"""Makes calls that end by a time (monotonic)."""

operator = logging.getLogger("bff.http")

_FREEZE = frozenset(
    {
        "AWS_LAMBDA_FUNCTION_NAME",
        "FC_FUNCTION_NAME",
        "FUNCTION_TARGET",
        "SCF_FUNCTIONNAME",
        "TENCENTCLOUD_RUNENV",
    }
)


def freezes_between_requests(environ: Mapping[str, str]) -> bool:
    """Whether these are the variables of a host that stops the process while no request is under way."""
    return any(name in environ for name in _FREEZE)


class Share(Struct, frozen=True):
    """A page's part in a fetch: what it waits for, and whether it is the page that the fetch was begun for."""

    promise: Promise
    fetch: SharedFetch
    first: bool

    @property
    def cached(self) -> CacheOutcome | None:
        """What came of it, for the page that was first; the others only share it."""
        return self.fetch.cached if self.first else "shared"


class SharedFetch:
    """A read made on a thread of its own, for as many pages as wait for it."""

    def __init__(
        self, call: Call, terms: CacheTerms, make: MakeCalls, ended: Callable[[SharedFetch], None]
    ) -> None:
        self.lane = call.client
        self.held = False
        self.promises: list[Promise] = []
        self.key = _key_of(call, terms)
        self.cached: CacheOutcome | None = None
        self._way = call.way
        self._request = replace(call.request, newer_than=terms.newer_than)
        self._make = make
        self._ended = ended
        self.outcome: Reply | Broken = Broken("refused", reason="internal")

    def run(self) -> None:
        """Makes the read; never raises."""
        try:
            self.outcome = self._fetched()
        except Exception as error:
            # Its text may hold what a visitor sent.
            operator.error("client %s: a shared fetch failed (%s)", self.lane.name, type(error).__name__)
        self._ended(self)

    def _fetched(self) -> Reply | Broken:
        until = clock.monotonic() + self._way.timeout
        with closing(self._make(until)) as calls:
            call = calls.start(self._way, self._request)
            while call.result is None:
                calls.wait(until)
            self.cached = call.cached
            return call.result


class BackgroundReads:
    """The fetches and refreshes under way in this process, each once, and the store that instances share.

    `runs_on` says whether the process runs while it answers nothing. Where all `workers` (or half of them, by one
    client) are taken, a page asks for itself. Thread-safe.
    """

    def __init__(self, store: RedisCache | None = None, *, runs_on: bool = True, workers: int = 32) -> None:
        self.runs_on = runs_on
        self._store = store
        self._workers = workers
        self._pool = Pool(workers, name="bff-behind")
        self.begin_anew()
        renew_in_child(self)

    def begin_anew(self) -> None:
        """Begins anew: what is under way ends in no child of this process."""
        self._lock = threading.Lock()
        self._fetches: dict[Hashable, SharedFetch] = {}

    def share(self, call: Call, make: MakeCalls, transport: Transport) -> Share | None:
        """A part in the fetch of this read, which is begun if there is none; None where too many are under way."""
        promise = transport.promise()
        with self._lock:
            fetch, is_new = self._joined(call, make)
            if fetch is None:
                return None
            fetch.promises.append(promise)
        if is_new:
            self._pool.submit(fetch)
        return Share(promise, fetch, is_new)

    def refresh(self, call: Call, make: MakeCalls) -> None:
        """Begins a fetch of this read that nobody waits for, unless one is under way or too many are."""
        with self._lock:
            fetch, is_new = self._joined(call, make)
        if fetch is not None and is_new:
            self._pool.submit(fetch)

    def look_up(self, call: Call, transport: Transport) -> LookUp | None:
        """Asks the store that instances share for a reply; None where there is none to ask now."""
        if self._store is None:
            return None
        stored = call.stored
        return self._store.look_up(call.client, stored.key, transport.promise, private=stored.terms.private)

    def keep(self, call: Call, kept: CacheEntry, seconds: float) -> None:
        """Has the store keep a reply for so many seconds since it came."""
        if self._store is not None:
            stored = call.stored
            self._store.keep(call.client, stored.key, kept, seconds, private=stored.terms.private)

    def forget(self, call: Call) -> None:
        """Has the store forget a reply."""
        if self._store is not None:
            self._store.forget(call.client, call.stored.key, private=call.stored.terms.private)

    def hand_over(self) -> None:
        """Where the process may stand still after this page: waits a moment for what the store is to keep."""
        if self._store is not None and not self.runs_on:
            self._store.flush()

    def close(self) -> None:
        """Ends idle threads."""
        self._pool.close()
        if self._store is not None:
            self._store.close()

    def _joined(self, call: Call, make: MakeCalls) -> tuple[SharedFetch | None, bool]:
        """The fetch of this read, and whether it is new; None where there may be no new one."""
        # The fetch is for all who may have it: what one visitor has written since is for their page to judge.
        terms: CacheTerms = call.stored.terms
        if terms.shared:
            terms = replace(terms, newer_than=0.0)
        fetch = self._fetches.get(_key_of(call, terms))
        if fetch is not None:
            return fetch, False
        of_client = sum(other.lane is call.client for other in self._fetches.values())
        most = max(1, min(self._workers // 2, call.client.concurrency))
        if len(self._fetches) >= self._workers or of_client >= most:
            return None, False
        fetch = self._fetches[_key_of(call, terms)] = SharedFetch(call, terms, make, self._end)
        return fetch, True

    def _end(self, fetch: SharedFetch) -> None:
        with self._lock:
            del self._fetches[fetch.key]
        for promise in fetch.promises:
            promise.fulfil(fetch.outcome)


def _key_of(call: Call, terms: CacheTerms) -> Hashable:
    return (call.way.kind, call.stored.key, terms)
