"""A Redis that is not as it should be: writes with a key end in a problem, all others go on, nothing is done twice."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest
from cryptography.fernet import Fernet, MultiFernet
from flask.testing import FlaskClient

from tests.fakes import PATIENCE, FakeBackend, Received, Wire, answer
from tests.servers import RedisServer, no_redis
from tests.web.repeats.writes import KEY, add, kind


def refused(found: Any) -> bool:
    return kind(found) == (503, "state-unavailable") and found.headers["Retry-After"] == "1"


def test_a_store_that_is_down_makes_such_writes_503_and_leaves_all_others_alone(
    ann: FlaskClient, backend: FakeBackend, redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    redis.stop()
    assert refused(add(ann))
    assert backend.requests == []
    assert add(ann, None).status_code == 201
    assert add(ann.application.test_client()).status_code == 201
    assert redis.password not in caplog.text and str(redis.port) not in caplog.text
    redis.start()
    assert add(ann).status_code == 201


def test_a_store_that_was_started_again_is_found_without_an_error(
    ann: FlaskClient, backend: FakeBackend, redis: RedisServer
) -> None:
    add(ann)
    redis.stop()
    redis.start()
    assert add(ann, "key-2").status_code == 201


def test_a_slow_store_makes_such_writes_503_in_a_second(
    ann: FlaskClient, backend: FakeBackend, redis: RedisServer
) -> None:
    add(ann)
    with redis.paused():
        begun = time.monotonic()
        assert refused(add(ann, "key-2"))
        assert time.monotonic() - begun < 1.5
    assert len(backend.requests) == 1


def test_what_was_not_done_while_the_store_hung_is_done_when_it_is_sent_again(
    make: Any, backend: FakeBackend, redis: RedisServer
) -> None:
    ann, elsewhere = make(redis.url), make(redis.url)
    add(ann, "key-0"), add(elsewhere, "key-00")  # both are connected: what they send waits in the store
    with redis.paused():
        assert refused(add(ann)) and refused(add(ann, "key-2"))
    assert add(ann).status_code == 201
    assert add(elsewhere, "key-2").status_code == 201
    assert len(backend.requests) == 4
    assert add(elsewhere).headers["Idempotent-Replayed"] == "true"


def test_a_store_that_hangs_is_left_alone_and_holds_no_page(
    ann: FlaskClient, backend: FakeBackend, redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    add(ann, "key-0")
    with redis.paused(), caplog.at_level(logging.ERROR, "bff"):
        assert all(refused(add(ann, f"key-{number}")) for number in range(1, 20))
    lines = [record.getMessage() for record in caplog.records if record.name == "bff"]
    assert len(lines) < 6 and lines[2].startswith(
        "bff: the state store failed (TimeoutError), and rests for "
    )
    assert len(backend.requests) == 1


def test_a_full_store_makes_such_writes_503(
    ann: FlaskClient, backend: FakeBackend, redis: RedisServer
) -> None:
    redis.client.config_set("maxmemory", "1")
    try:
        assert refused(add(ann))
    finally:
        redis.client.config_set("maxmemory", "0")
    assert backend.requests == []


def test_something_else_that_listens_there_makes_such_writes_503(make: Any, backend: FakeBackend) -> None:
    with no_redis() as url:
        assert refused(add(make(url)))
    assert backend.requests == []


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"garbage",
        MultiFernet([Fernet(Fernet.generate_key())]).encrypt(b"[1]"),
        Fernet(KEY).encrypt(b"not JSON"),
        Fernet(KEY).encrypt(b"[99, 1]"),
        Fernet(KEY).encrypt(b'[1, "x", 201, [["a"]], "?"]'),
        Fernet(KEY).encrypt(b"{}"),
    ],
    ids=["empty", "garbage", "another key", "no JSON", "another version", "broken headers", "another form"],
)
def test_an_entry_that_cannot_be_read_makes_such_writes_503(
    ann: FlaskClient, backend: FakeBackend, redis: RedisServer, garbage: bytes
) -> None:
    add(ann)
    [name] = redis.client.keys()
    redis.client.set(name, garbage)
    assert refused(add(ann))
    redis.client.delete(name)
    redis.client.lpush(name, "another type")
    assert refused(add(ann))
    assert len(backend.requests) == 1


def test_a_store_that_goes_away_in_the_middle_does_not_take_the_answer(
    ann: FlaskClient, backend: FakeBackend, redis: RedisServer
) -> None:
    def away(received: Received, wire: Wire) -> None:
        redis.stop()
        answer(201, json={"id": 1})(received, wire)

    backend.on("POST /rows", away)
    assert add(ann).json == {"id": 1, "title": "tea"}


def test_a_request_that_died_frees_its_key_after_a_moment(
    ann: FlaskClient, backend: FakeBackend, redis: RedisServer
) -> None:
    taken: list[tuple[bytes, bytes]] = []

    def die(received: Received, wire: Wire) -> None:
        [name] = redis.client.keys()
        taken.append((name, redis.client.get(name)))
        answer(500)(received, wire)

    backend.on("POST /rows", die, answer(201, json={"id": 2}))
    add(ann)
    [(name, claim)] = taken
    redis.client.set(name, claim, px=60_000)  # as a process leaves it that is killed
    assert kind(add(ann)) == (409, "repeat-running")
    redis.client.pexpire(name, 1)
    until = time.monotonic() + PATIENCE
    while redis.client.exists(name) and time.monotonic() < until:
        pass
    assert add(ann).json["id"] == 2
