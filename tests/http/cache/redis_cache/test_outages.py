"""A Redis that is slow, full, away or something else: pages go on."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from bff.http.cache import redis_cache
from bff.http.cache.redis_cache import PATIENCE as LOOK_UP_PATIENCE
from tests.fakes import PATIENCE, FakeBackend
from tests.http.cache.redis_cache.instances import TTL, Instance, entries, until
from tests.http.calling import get, start
from tests.servers import RedisServer, no_redis


def quickly(instance: Instance, **parts: Any) -> Any:
    """A read that Redis holds up by no more than it may."""
    begun = time.monotonic()
    found = instance.read(**parts)
    assert time.monotonic() - begun < LOOK_UP_PATIENCE + 0.5
    return found


def test_a_redis_that_is_down_fails_no_page_and_is_found_again(
    instance: Any, redis: RedisServer, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    one = instance()
    redis.stop()
    for at in range(10):
        quickly(one, query=(("at", str(at)),))
    lines = [record.getMessage() for record in caplog.records if record.name == "bff"]
    assert len(lines) == 1
    assert lines[0].endswith("(ConnectionError); pages go on without")
    assert redis.password not in caplog.text and str(redis.port) not in caplog.text
    redis.start()
    numbers = iter(range(10, 10**9))
    until(lambda: one.read(query=(("at", str(next(numbers))),)) and redis.client.dbsize())


def test_a_redis_that_was_started_again_is_found_without_an_error(
    instance: Any, redis: RedisServer, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    one = instance()
    one.read()
    entries(redis, 1)
    redis.stop()
    redis.start()
    one.read(query=(("q", "1"),))
    entries(redis, 1)
    assert caplog.text == ""


@pytest.mark.slow_redis
def test_a_redis_that_hangs_holds_up_few_pages_and_each_for_a_moment(
    instance: Any, redis: RedisServer, backend: FakeBackend
) -> None:
    one = instance()
    one.read()
    with redis.paused():
        begun = time.monotonic()
        for at in range(30):
            quickly(one, query=(("at", str(at)),))
        assert time.monotonic() - begun < 10 * LOOK_UP_PATIENCE + 0.5
    assert len(backend.requests) == 31


@pytest.mark.slow_redis
def test_a_look_up_holds_up_no_other_step(
    instance: Any, redis: RedisServer, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_cache, "PATIENCE", PATIENCE)
    one = instance()
    entered, asked = threading.Event(), threading.Event()

    def slow(name: str, permit: int) -> None:
        entered.set()
        asked.wait(PATIENCE)

    monkeypatch.setattr(one.store, "looked_up", slow)
    calls = one.calls()
    looking, own = start(calls, one.client, get("/a", cache=TTL)), start(calls, one.client, get("/b"))
    assert calls.wait(time.monotonic() + PATIENCE) == [own]
    assert entered.wait(PATIENCE)
    asked.set()
    assert calls.wait(time.monotonic() + PATIENCE) == [looking]
    calls.close()


@pytest.mark.slow_redis
def test_a_page_goes_on_without_a_look_up_that_takes_too_long(
    instance: Any, redis: RedisServer, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = instance()
    asked = threading.Event()
    monkeypatch.setattr(one.store, "looked_up", lambda name, permit: asked.wait(PATIENCE) and None)
    for at in range(5):
        assert quickly(one, query=(("at", str(at)),)).status == 200
    assert not one.store._reads.closed
    asked.set()


def test_a_full_redis_is_read_and_not_written(
    instance: Any, redis: RedisServer, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    instance().read()
    entries(redis, 1)
    redis.client.config_set("maxmemory", "1")
    try:
        one = instance()
        assert one.call().cached == "hit"
        for at in range(5):
            quickly(one, query=(("at", str(at)),))
        one.store.flush(PATIENCE)
        assert not one.store._writes.closed
        assert one.store._reads.closed
    finally:
        redis.client.config_set("maxmemory", "0")
    lines = [record.getMessage() for record in caplog.records if record.name == "bff"]
    assert len(lines) == 1 and "writes of the cache store rest" in lines[0]


@pytest.mark.slow_redis
def test_something_else_that_listens_there_fails_no_page(instance: Any, backend: FakeBackend) -> None:
    with no_redis() as url:
        one = instance(url=url)
        for at in range(5):
            quickly(one, query=(("at", str(at)),))
