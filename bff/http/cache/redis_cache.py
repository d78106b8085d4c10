"""What instances keep together: replies in a Redis, which may be slow, full, away or full of garbage.

Nobody waits for it long: a look-up has a tenth of a second, what is kept is written behind, and a store that fails is
left alone for a while.

So it can only be a gain. It has a breaker for reading and one for writing; an entry that is not exactly what we write
is no entry. Every entry is sealed for its own name: whoever can write to the store cannot give one visitor's to
another.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from bff import clock
from bff.breaker import Breaker, Circuit
from bff.forks import renew_in_child
from bff.http.cache.entry import CacheEntry
from bff.http.cache.sealing import EntrySeal
from bff.http.messages import Broken
from bff.http.pool import Pool
from bff.http.transport import Promise
from bff.state import connect

if TYPE_CHECKING:
    from redis import Redis

    from bff.http.client import Client

PATIENCE = 0.1
"""Seconds for which a page waits for a look-up, the time that it stands in line included."""
ANSWER_TIME = 0.075
"""Seconds that Redis may take to connect, and to answer."""
PENDING_LOOK_UPS = 256
PENDING_BYTES = 16 * 2**20
"""Most that may wait to be written, in bytes; what comes then is not kept together."""

_REST = Breaker(failures=3, rate=0.5, least=20, window="10s", rest="2s")
_QUIET = 60.0
_log = logging.getLogger("bff")


class _Lane:
    """Jobs of one kind; so many of them are at Redis at once."""

    def __init__(self, concurrency: int) -> None:
        self.concurrency = concurrency


class LookUp:
    """A look-up under way: `promise` ends with it, and `found` then holds what was there."""

    def __init__(self, lane: _Lane, name: str, promise: Promise, permit: int, store: RedisCache) -> None:
        self.lane = lane
        self.held = False
        self.promise = promise
        self.found: CacheEntry | None = None
        self.until = clock.monotonic() + PATIENCE
        self._name = name
        self._permit = permit
        self._store = store

    def run(self) -> None:
        """Asks Redis; never raises."""
        self.found = self._store.looked_up(self._name, self._permit)
        self.promise.fulfil(Broken("limit"))

    def give_up(self) -> None:
        """Is told that nobody waits for it any more."""
        self._store.given_up(self, self._permit)


class _Write:
    """Something to be written or deleted."""

    def __init__(self, lane: _Lane, size: int, write: Callable[[], object], store: RedisCache) -> None:
        self.lane = lane
        self.held = False
        self.size = size
        self._write = write
        self._store = store

    def run(self) -> None:
        """Writes; never raises."""
        self._store.written(self, self._write)


class RedisCache:
    """Replies in Redis, under keyed hashes, encrypted where there are keys; thread-safe, and never raises.

    Without `keys` it takes no private replies: they stay in the process.
    """

    def __init__(
        self, url: str, keys: Sequence[str], make: Callable[[str, float], Redis] | None = None
    ) -> None:
        self._redis = (make or connect)(url, ANSWER_TIME)
        self._seal = EntrySeal(keys)
        self._pool = Pool(6, name="bff-cache")
        self._reading, self._writing = _Lane(4), _Lane(1)  # one writer, so that the last one written stays
        self._reads, self._writes = Circuit(_REST), Circuit(_REST)
        self._told_at = float("-inf")
        self.begin_anew()
        renew_in_child(self)

    def begin_anew(self) -> None:
        """Begins anew: a child of this process has neither look-ups nor anything to write under way."""
        self._changed = threading.Condition()
        self._look_ups = 0
        self._bytes = 0

    # --- for pages -------------------------------------------------------------------------------------------------

    def look_up(
        self, client: Client, key: bytes, promise: Callable[[], Promise], *, private: bool
    ) -> LookUp | None:
        """Begins a look-up; None where Redis is not to be asked now, or never for such a reply."""
        if not self._seal.takes(private=private):
            return None
        permit = self._reads.enter(clock.monotonic() + PATIENCE)
        if permit is None:
            return None
        with self._changed:
            if self._look_ups >= PENDING_LOOK_UPS:
                self._reads.left(permit)
                return None
            self._look_ups += 1
        look = LookUp(self._reading, self._seal.name(client, key), promise(), permit, self)
        self._pool.submit(look)
        return look

    def keep(self, client: Client, key: bytes, kept: CacheEntry, seconds: float, *, private: bool) -> None:
        """Has a reply written for so many seconds since it came; one too large or too many is dropped."""
        if not self._seal.takes(private=private) or not self._seal.fits(kept):
            return
        name = self._seal.name(client, key)

        def write() -> object:
            left = int((seconds - kept.age(clock.monotonic())) * 1000)
            if left <= 0:
                return None
            return self._redis.set(name, self._seal.sealed(name, kept, left), px=left)

        self._submit(kept.size, write)

    def forget(self, client: Client, key: bytes, *, private: bool) -> None:
        """Has a reply deleted."""
        if self._seal.takes(private=private):
            name = self._seal.name(client, key)
            self._submit(0, lambda: self._redis.delete(name))

    def flush(self, seconds: float = PATIENCE) -> None:
        """Waits until all is written, at most so long."""
        with self._changed:
            self._changed.wait_for(lambda: self._bytes == 0, seconds)

    def close(self) -> None:
        """Ends idle threads and connections."""
        self._pool.close()
        self._redis.close()

    # --- for its jobs ----------------------------------------------------------------------------------------------

    def looked_up(self, name: str, permit: int) -> CacheEntry | None:
        """What Redis has under a name, None also where that cannot be told."""
        self._end_look_up()
        try:
            asked = self._redis.pipeline(transaction=False)
            asked.get(name)
            asked.pttl(name)
            sealed, left = asked.execute()
        except Exception as error:
            if "WRONGTYPE" in str(error):  # the entry is at fault, not the store
                self._reads.succeeded(permit)
            else:
                self._failed(self._reads, permit, "look-ups", error)
            return None
        self._reads.succeeded(permit)
        if sealed is None:
            return None
        found = self._seal.opened(name, sealed, left)
        if found is None:
            self._say("bff: an entry of the cache store cannot be read, and is not used")
        return found

    def given_up(self, look: LookUp, permit: int) -> None:
        """Takes a look-up back that nobody waits for; where it took too long, the store is at fault."""
        if self._pool.withdraw(look):
            self._end_look_up()
        if clock.monotonic() >= look.until:
            self._failed(self._reads, permit, "look-ups", TimeoutError())
        else:
            self._reads.left(permit)

    def written(self, job: _Write, write: Callable[[], object]) -> None:
        """Writes, unless the store is to be left alone."""
        permit = self._writes.enter(clock.monotonic() + 2 * ANSWER_TIME)
        if permit is not None:
            try:
                write()
                self._writes.succeeded(permit)
            except Exception as error:
                self._failed(self._writes, permit, "writes", error)
        with self._changed:
            self._bytes -= job.size
            self._changed.notify_all()

    def _submit(self, size: int, write: Callable[[], object]) -> None:
        job = _Write(self._writing, size + 512, write, self)
        with self._changed:
            if self._bytes + job.size > PENDING_BYTES:
                return
            self._bytes += job.size
        self._pool.submit(job)

    def _end_look_up(self) -> None:
        with self._changed:
            self._look_ups -= 1

    def _failed(self, circuit: Circuit, permit: int, what: str, error: Exception) -> None:
        rest = circuit.failed(permit)
        if rest is not None:
            # The message could name the host, and with it a password.
            name = type(error).__name__
            self._say(f"bff: {what} of the cache store rest for {rest:.1f} s ({name}); pages go on without")

    def _say(self, line: str) -> None:
        """One line in a while."""
        now = clock.monotonic()
        with self._changed:
            if now - self._told_at < _QUIET:
                return
            self._told_at = now
        _log.error("%s", line)
