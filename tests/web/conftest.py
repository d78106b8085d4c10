"""A Redis of the tests' own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import needs
from tests.servers import RedisServer


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    needs("redis-server")
    running = RedisServer()
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture
def redis(redis_server: RedisServer) -> RedisServer:
    """A running Redis with nothing in it."""
    if redis_server.process is None:
        redis_server.start()
    redis_server.client.flushall()
    return redis_server
