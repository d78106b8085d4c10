"""Instances on one Redis, which may take its time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bff.http.cache import redis_cache
from tests.fakes import PATIENCE, FakeBackend, answer
from tests.http.cache.redis_cache.instances import KEY, Instance
from tests.servers import RedisServer


@pytest.fixture(autouse=True)
def patience(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a busy machine take its time, but where a Redis that is slow is what a test is about."""
    if request.node.get_closest_marker("slow_redis") is None:
        monkeypatch.setattr(redis_cache, "PATIENCE", PATIENCE)
        monkeypatch.setattr(redis_cache, "ANSWER_TIME", PATIENCE)


@pytest.fixture
def instance(backend: FakeBackend, redis: RedisServer) -> Iterator[Callable[..., Instance]]:
    """Makes one more instance on the Redis (or on another URL), with keys or without."""
    made: list[Instance] = []
    backend.on("GET /a", answer(json=1), answer(json=2), answer(json=3))

    def make(*keys: str, url: str = "", **more: Any) -> Instance:
        made.append(Instance(backend, url or redis.url, *(keys or (KEY,)), **more))
        return made[-1]

    yield make
    for one in made:
        one.close()
