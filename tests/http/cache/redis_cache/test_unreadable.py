"""Entries that cannot be read, or are not what they seem: none is used."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.fernet import Fernet

from tests.fakes import PATIENCE, FakeBackend
from tests.http.cache.redis_cache.instances import KEY, entries
from tests.servers import RedisServer


def head(name: bytes, **changes: Any) -> bytes:
    parts = {
        "version": 2,
        "name": name.decode(),
        "status": 200,
        "headers": {},
        "times": times(),
        "fresh": None,
        "stale": True,
    }
    return json.dumps(list({**parts, **changes}.values())).encode() + b'\n"garbage"'


def times(**changes: Any) -> list[Any]:
    return list({"asked": time.time(), "took": 0.0, "age": 0.0, "left": 60_000, **changes}.values())


def sealed(plain: bytes) -> bytes:
    return Fernet(KEY).encrypt(plain)


@pytest.mark.parametrize(
    "garbage",
    [
        lambda name: b"",
        lambda name: b"garbage",
        lambda name: head(name),
        lambda name: Fernet(Fernet.generate_key()).encrypt(head(name)),
        lambda name: sealed(b""),
        lambda name: sealed(b"no JSON\n1"),
        lambda name: sealed(b"[1]\n1"),
        lambda name: sealed(b"{}\n1"),
        lambda name: sealed(b"[" * 10_000 + b"\n1"),
        lambda name: sealed(head(b"bff:cache:another")),
        *(
            lambda name, change=change: sealed(head(name, **change))
            for change in (
                {"version": 99},
                {"status": 304},
                {"status": "200"},
                {"headers": []},
                {"headers": {"a": 1}},
                {"times": None},
                {"times": times(asked=None)},
                {"times": times(took="long")},
                {"fresh": "soon"},
                {"stale": 1},
                {"times": times(age=-1)},
                {"times": times(age=True)},
                {"times": times(left=10)},
                {"times": times(more=1)},
                {"more": 1},
            )
        ),
    ],
)
def test_an_entry_that_cannot_be_read_is_not_used_and_is_replaced(
    instance: Any, redis: RedisServer, backend: FakeBackend, garbage: Callable[[bytes], bytes]
) -> None:
    instance().read()
    [name] = entries(redis, 1)
    redis.client.set(name, garbage(name), px=50_000)
    one = instance()
    assert one.read().json() == 2
    assert one.store._reads.closed
    one.store.flush(PATIENCE)
    assert instance().read().json() == 2


def test_the_garbage_above_would_be_taken_were_it_none(
    instance: Any, redis: RedisServer, backend: FakeBackend
) -> None:
    instance().read()
    [name] = entries(redis, 1)
    redis.client.set(name, sealed(head(name)), px=50_000)
    assert instance().read().json() == "garbage"


def test_an_entry_that_never_ends_is_not_used(
    instance: Any, redis: RedisServer, backend: FakeBackend
) -> None:
    instance().read()
    [name] = entries(redis, 1)
    redis.client.persist(name)
    assert instance().read().json() == 2


def test_an_entry_of_another_type_is_not_used_and_is_replaced(
    instance: Any, redis: RedisServer, backend: FakeBackend
) -> None:
    first, one = instance(), instance()
    queries = [(("q", str(at)),) for at in range(5)]
    for query in queries:
        first.read(query=query)
    names = entries(redis, 5)
    for name in names:
        redis.client.delete(name)
        redis.client.lpush(name, "another type")
    assert [one.call(query=query).cached for query in queries] == ["miss"] * 5
    assert one.store._reads.closed
    one.store.flush(PATIENCE)
    assert [redis.client.type(name) for name in names] == [b"string"] * 5


def test_anothers_ciphertext_is_not_used(instance: Any, redis: RedisServer, backend: FakeBackend) -> None:
    instance().read(visitor=b"ann")
    [anns] = entries(redis, 1)
    instance().read(visitor=b"bo")
    [bos] = [name for name in entries(redis, 2) if name != anns]
    redis.client.copy(anns, bos, replace=True)
    assert instance().read(visitor=b"bo").json() == 3
    assert instance().read(visitor=b"ann").json() == 1
