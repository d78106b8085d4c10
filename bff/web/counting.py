"""The counters behind `rate_limit`; imported only where a page has one, because `limits` takes a while to import."""

from __future__ import annotations

import logging
from typing import Any

from cachetools import TLRUCache
from limits import RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import Storage, StorageTypes, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from bff import clock, forks
from bff.breaker import Breaker, Circuit
from bff.recipe.model import RateLimit

_log = logging.getLogger("bff")

MAX_COUNTERS = 50_000
"""Counters that one process keeps, about 300 bytes each; over it the longest unused is forgotten."""
_PATIENCE = 0.25
"""Seconds that Redis may take to connect, and to answer."""
_REST = Breaker(failures=1, rest="5s")
_MARGIN = 1.0
"""Seconds by which a store may round the end of a window up."""


class Counter:
    """Counts in windows that begin with a visitor's first request, in this process."""

    def __init__(self, storage: StorageTypes | None = None) -> None:
        self._limiter = FixedWindowRateLimiter(storage or Memory())

    def hit(self, rate: RateLimit, page: str, who: str) -> float | None:
        """Count a request; None while it is allowed, else the seconds until the next one is."""
        item = RateLimitItemPerSecond(rate.count, int(rate.period), namespace="bff:rate")
        if self._limiter.hit(item, page, who):
            return None
        wait = self._limiter.get_window_stats(item, page, who).reset_time - clock.wall()
        if wait > rate.period + _MARGIN:  # the store's clock has gone back, and with it the end of the window
            self._limiter.clear(item, page, who)
            return None
        return min(max(wait, 0.0), rate.period)


class SharedCounter(Counter):
    """Counts in Redis for all instances; one that fails is left alone for a while, and nobody is counted then."""

    def __init__(self, url: str) -> None:
        super().__init__(_redis(url))
        self._circuit = Circuit(_REST)

    def hit(self, rate: RateLimit, page: str, who: str) -> float | None:
        permit = self._circuit.enter(clock.monotonic() + 2 * _PATIENCE)
        if permit is None:
            return None
        try:
            wait = super().hit(rate, page, who)
        except (StorageError, OSError) as exc:
            self._circuit.failed(permit)
            # The message could name the host, and with it a password.
            cause = type(getattr(exc, "storage_error", exc)).__name__
            _log.error("bff: rates are not limited now, the state store failed (%s)", cause)
            return None
        self._circuit.succeeded(permit)
        return wait


def _redis(url: str) -> StorageTypes:
    from redis.backoff import NoBackoff
    from redis.exceptions import ConnectionError as Broken
    from redis.retry import Retry

    options: dict[str, Any] = {
        "socket_timeout": _PATIENCE,
        "socket_connect_timeout": _PATIENCE,
        "retry": Retry(
            NoBackoff(), 1, (Broken,)
        ),  # a connection that rested while the store was started again
    }
    limits_url = f"redis+{url}" if url.startswith("unix://") else url
    return storage_from_string(limits_url, wrap_exceptions=True, **options)


class Memory(Storage):
    """Counters of this process, bounded in number; those of `limits` are not.

    Windows end by a clock that only goes forward. `limits` asks for their ends in seconds since 1970.
    """

    STORAGE_SCHEME = None

    def __init__(self, maximum: int = MAX_COUNTERS) -> None:
        super().__init__()
        # Each entry is [count, when its window ends (monotonic)].
        self._entries: TLRUCache[str, list[float]] = TLRUCache(maximum, _end_of, timer=clock.monotonic)
        self._lock = forks.lock()

    @property
    def base_exceptions(self) -> type[Exception]:
        return RuntimeError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = [0, clock.monotonic() + expiry]
            entry[0] += amount
            return int(entry[0])

    def get(self, key: str) -> int:
        with self._lock:
            return int(self._entries.get(key, [0])[0])

    def get_expiry(self, key: str) -> float:
        with self._lock:
            entry = self._entries.get(key)
            left = 0.0 if entry is None else entry[1] - clock.monotonic()
        return clock.wall() + left

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        with self._lock:
            count = len(self._entries)
            self._entries.clear()
            return count

    def clear(self, key: str) -> None:
        with self._lock:
            self._entries.pop(key, None)


def _end_of(key: str, entry: list[float], now: float) -> float:
    return entry[1]
