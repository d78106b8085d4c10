"""What instances keep together in a real Redis, for whom, for how long, and within what bounds."""

from __future__ import annotations

import base64
import logging
import threading
import time
from typing import Any

import pytest
from cryptography.fernet import Fernet

import bff.http.cache.redis_cache as redis_cache
from bff.http import CacheTerms, Client, Reply
from bff.http.cache.redis_cache import RedisCache
from bff.http.cache.sealing import MAX_VALUE, EntrySeal
from tests.fakes import PATIENCE, FakeBackend, answer
from tests.http.cache.redis_cache.instances import FOR_ALL, KEY, TTL, Instance, entries, until
from tests.servers import RedisServer


def test_what_one_instance_fetched_another_does_not_ask_for(
    instance: Any, redis: RedisServer, backend: FakeBackend
) -> None:
    assert instance().read(visitor=b"ann").json() == 1
    entries(redis, 1)
    other = instance()
    found = other.call(visitor=b"ann")
    assert isinstance(found.result, Reply)
    assert (found.result.json(), found.result.from_cache, found.cached) == (1, True, "hit")
    assert 0 < found.result.held < PATIENCE
    assert len(backend.requests) == 1
    redis.client.flushall()
    assert other.read(visitor=b"ann").json() == 1


def test_all_of_a_reply_comes_back(instance: Any, redis: RedisServer, backend: FakeBackend) -> None:
    body = bytes(range(256)) + b"\n\r\n"
    backend.on("GET /a", answer(203, body=body, headers={"X-Name": "\xe9 \u00ff", "ETag": '"1"'}))
    first = instance().read()
    entries(redis, 1)
    again = instance().read()
    assert (again.status, again.raw, again.headers) == (203, body, first.headers)


def test_another_visitor_gets_nothing_of_it(instance: Any, redis: RedisServer, backend: FakeBackend) -> None:
    assert instance().read(visitor=b"ann").json() == 1
    entries(redis, 1)
    assert instance().read(visitor=b"bo").json() == 2


def test_another_client_another_backend_and_another_key_get_nothing_of_it(
    instance: Any, redis: RedisServer, backend: FakeBackend
) -> None:
    instance().read()
    entries(redis, 1)
    named, moved = instance(), instance()
    named.client.name = "others"
    moved.client = moved.client.at(backend.url.replace("127.0.0.1", "localhost"))
    assert named.call().cached == moved.call().cached == "miss"
    assert instance(Fernet.generate_key().decode()).call().cached == "miss"


def test_a_key_that_was_added_does_not_hide_what_was_kept(instance: Any, redis: RedisServer) -> None:
    instance(KEY).read()
    entries(redis, 1)
    assert instance(KEY, Fernet.generate_key().decode()).read().json() == 1


def test_nothing_that_is_kept_can_be_read(instance: Any, redis: RedisServer, backend: FakeBackend) -> None:
    backend.on("GET /a", answer(body=b'"a secret"', headers={"X-Own": "another secret"}))
    instance().read(query=(("q", "secret"),), visitor=b"secret")
    [name] = entries(redis, 1)
    value = redis.client.get(name)
    assert b"secret" not in name + value + base64.urlsafe_b64decode(value)
    assert name.startswith(b"bff:cache:")


def test_without_keys_only_what_is_for_all_leaves_the_process(
    instance: Any, redis: RedisServer, backend: FakeBackend
) -> None:
    one = Instance(backend, redis.url)
    one.read(TTL)
    one.read(FOR_ALL, "/a", query=(("q", "1"),))
    [name] = entries(redis, 1)
    assert redis.client.get(name).endswith(b"\n2")
    other = Instance(backend, redis.url)
    assert other.read(FOR_ALL, query=(("q", "1"),)).json() == 2
    assert other.call(TTL).cached == "miss"
    one.close()
    other.close()


def test_an_entry_ends_when_it_is_of_no_use_any_more(
    instance: Any, redis: RedisServer, backend: FakeBackend
) -> None:
    terms = CacheTerms(60.0, stale_while_revalidate=40.0, stale_if_error=20.0)
    instance().read(terms)
    [name] = entries(redis, 1)
    assert 90_000 < redis.client.pttl(name) <= 100_000


def test_its_age_counts_from_when_it_came_whatever_the_clocks_say(
    instance: Any, redis: RedisServer, backend: FakeBackend
) -> None:
    instance().read()
    [name] = entries(redis, 1)
    redis.client.pexpire(name, 10_000)
    found = instance().read()
    assert 50.0 <= found.held < 50.0 + PATIENCE
    assert instance().call(CacheTerms(45.0)).cached == "miss"


def test_what_came_from_redis_stands_in_and_is_asked_about(
    instance: Any, redis: RedisServer, backend: FakeBackend
) -> None:
    terms = CacheTerms(0.001, stale_if_error=60.0)
    backend.on("GET /a", answer(json=1, headers={"ETag": '"1"'}), answer(503), answer(304))
    instance().read(terms)
    entries(redis, 1)
    stale = instance().read(terms, retries=0)
    assert (stale.json(), stale.stale) == (1, 503)
    confirmed = instance().call(terms)
    assert isinstance(confirmed.result, Reply)
    assert (confirmed.result.json(), confirmed.cached) == (1, "revalidated")
    assert [request.headers.get("if-none-match") for request in backend.requests] == [None, '"1"', '"1"']


def test_what_was_asked_for_before_a_write_is_no_answer_on_any_instance(
    instance: Any, redis: RedisServer, backend: FakeBackend
) -> None:
    instance().read(visitor=b"ann")
    entries(redis, 1)
    written = CacheTerms(60.0, newer_than=time.time())
    other = instance()
    assert other.read(written, visitor=b"ann").json() == 2
    until(lambda: instance().read(visitor=b"ann").json() == 2)


def test_an_answer_that_is_none_is_forgotten_everywhere(
    instance: Any, redis: RedisServer, backend: FakeBackend
) -> None:
    backend.on("GET /a", answer(json=1), answer(404))
    one = instance()
    one.read(CacheTerms(0.001, stale_if_error=60.0))
    entries(redis, 1)
    until(lambda: one.read(CacheTerms(0.001)).status == 404)
    until(lambda: redis.client.dbsize() == 0)


def test_what_is_very_large_stays_in_the_process(
    instance: Any, redis: RedisServer, backend: FakeBackend
) -> None:
    backend.on("GET /large", answer(body=b"1" + b" " * MAX_VALUE))
    one = instance()
    one.read(path="/large")
    one.read()
    one.store.flush(PATIENCE)
    assert len(entries(redis, 1)) == 1
    assert one.call(path="/large").cached == "hit"


def test_where_the_host_stands_still_a_page_hands_over_before_it_ends(
    instance: Any, redis: RedisServer, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RedisCache.flush, "__defaults__", (PATIENCE,))
    instance(runs_on=False).read()
    assert redis.client.dbsize() == 1


def test_no_more_look_ups_wait_than_may(
    instance: Any, redis: RedisServer, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_cache, "PENDING_LOOK_UPS", 2)
    monkeypatch.setattr(redis_cache, "PATIENCE", PATIENCE)
    one = instance()
    asked = threading.Event()
    look_up = one.store.looked_up
    monkeypatch.setattr(one.store, "looked_up", lambda *given: asked.wait(PATIENCE) and look_up(*given))
    promise = one.transport.promise
    looks = [one.store.look_up(one.client, b"%d" % at, promise, private=True) for at in range(3)]
    assert [look is None for look in looks] == [False, False, True]
    asked.set()
    one.transport.wait([looks[0].promise], time.monotonic() + PATIENCE)  # type: ignore[union-attr]
    until(lambda: one.store.look_up(one.client, b"4", promise, private=True))


@pytest.mark.slow_redis
def test_no_more_waits_to_be_written_than_may(
    instance: Any, redis: RedisServer, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_cache, "PENDING_BYTES", 1000)
    one = instance()
    with redis.paused():
        for at in range(5):
            one.read(query=(("at", str(at)),))
        assert one.store._bytes <= 1000
    one.store.flush(PATIENCE)
    assert redis.client.dbsize() <= 2


def test_names_tell_nothing_and_differ_by_key() -> None:
    client = Client("http://people.test")
    client.name = "people"
    names = {EntrySeal(keys).name(client, key) for keys in ([], [KEY]) for key in (b"a", b"b")}
    assert len(names) == 4
    assert all(len(name) == len("bff:cache:") + 48 for name in names)


def test_a_line_comes_once_in_a_while(
    instance: Any, redis: RedisServer, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    one = instance()
    with caplog.at_level(logging.ERROR, "bff"):
        one.store._say("once")
        one.store._say("twice")
    assert [record.getMessage() for record in caplog.records] == ["once"]
