"""Instances that keep replies together in a Redis, and what is in it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from cryptography.fernet import Fernet

from bff.http import BackgroundReads, CacheTerms, Call, Calls, Reply, ThreadTransport
from bff.http.cache.redis_cache import RedisCache
from tests.fakes import PATIENCE, FakeBackend
from tests.http.calling import finish, get, patient, start
from tests.servers import RedisServer

KEY = Fernet.generate_key().decode()
TTL = CacheTerms(60.0)
FOR_ALL = CacheTerms(60.0, private=False)


class Instance:
    """A process of its own: its client, its caches, its connections."""

    def __init__(self, backend: FakeBackend, url: str, *keys: str, runs_on: bool = True) -> None:
        self.client = patient(backend.url)
        self.client.name = "people"
        self.transport = ThreadTransport()
        self.store = RedisCache(url, keys)
        self.background = BackgroundReads(self.store, runs_on=runs_on)

    def calls(self) -> Calls:
        return Calls(self.transport, time.monotonic() + PATIENCE, background=self.background)

    def call(self, terms: CacheTerms = TTL, path: str = "/a", **parts: Any) -> Call:
        calls = self.calls()
        call = start(calls, self.client, get(path, cache=terms, **parts))
        finish(calls, call)
        calls.close()
        return call

    def read(self, terms: CacheTerms = TTL, path: str = "/a", **parts: Any) -> Any:
        result = self.call(terms, path, **parts).result
        assert isinstance(result, Reply), result
        return result

    def close(self) -> None:
        self.store.flush(PATIENCE)  # nothing is written any more when the next test has emptied the Redis
        self.background.close()
        self.transport.close()


def until(holds: Callable[[], Any]) -> Any:
    """Waits until something holds, and gives it."""
    end = time.monotonic() + PATIENCE
    while not (found := holds()):
        assert time.monotonic() < end
    return found


def entries(redis: RedisServer, count: int) -> list[bytes]:
    """The names of so many entries, as soon as they are there."""
    return until(lambda: (names := redis.client.keys()) and len(names) == count and names)
