"""The store of repeats: who may run, what is kept, and when it is left alone."""

from __future__ import annotations

import threading

import pytest
from cryptography.fernet import Fernet
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as TimeoutFromRedis

from bff.state import Claim, Earlier, KeptAnswer, RepeatStore, StateUnavailable
from tests.fakes import PATIENCE
from tests.servers import RedisServer

KEY = Fernet.generate_key().decode()


def test_who_was_too_slow_cannot_overwrite_or_free_what_came_later(redis: RedisServer) -> None:
    store = RepeatStore(redis.url, [KEY])
    slow = store.claim(["ann", "k"], ["body"], 10)
    assert isinstance(slow, Claim)
    redis.client.delete(slow.name)
    later = store.claim(["ann", "k"], ["body"], 10)
    assert isinstance(later, Claim)
    store.keep(slow, KeptAnswer(200, (), b"slow"))
    store.release(slow)
    assert store.claim(["ann", "k"], ["body"], 10) == Earlier(True, None)
    kept = KeptAnswer(201, (("A", "b"), ("A", "c")), bytes(range(256)))
    store.keep(later, kept)
    store.release(slow)
    store.release(later)
    assert store.claim(["ann", "k"], ["body"], 10) == Earlier(True, kept)
    assert store.claim(["ann", "k"], ["other"], 10) == Earlier(False, kept)


class BrokenRedis:
    """Raises what it is told to, and counts."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.asked = 0

    def set(self, *given: object, **more: object) -> None:
        self.asked += 1
        raise self.error


@pytest.mark.parametrize(
    ("error", "asked"), [(TimeoutFromRedis(), 3), (ConnectionRefusedError(), 3), (ResponseError(), 10)]
)
def test_a_store_that_does_not_answer_is_spared_and_one_that_refuses_is_not(
    error: Exception, asked: int
) -> None:
    broken = BrokenRedis(error)
    store = RepeatStore("redis://store", [KEY], lambda url: broken)  # type: ignore[arg-type, return-value]
    for _ in range(10):
        with pytest.raises(StateUnavailable):
            store.claim(["ann", "k"], ["body"], 10)
    assert broken.asked == asked


def test_what_asks_to_run_is_taken_by_a_repeat_alone(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost, store = RepeatStore(redis.url, [KEY]), RepeatStore(redis.url, [KEY])

    def no_word(*given: object) -> object:
        raise StateUnavailable

    monkeypatch.setattr(lost, "_eval", no_word)
    with pytest.raises(StateUnavailable):
        lost.claim(["ann", "k"], ["body"], 10)
    assert store.claim(["ann", "k"], ["other"], 10) == Earlier(False, None, begun=False)
    assert isinstance(store.claim(["ann", "k"], ["body"], 10), Claim)
    assert store.claim(["ann", "k"], ["body"], 10) == Earlier(True, None)


def test_a_claim_lasts_no_longer_when_the_clock_of_the_store_is_put_back(redis: RedisServer) -> None:
    store = RepeatStore(redis.url, [KEY])
    claim = store.claim(["ann", "k"], ["body"], 10)
    assert isinstance(claim, Claim)
    redis.client.pexpire(claim.name, 3_610_000)  # as it is after an hour back
    assert store.claim(["ann", "k"], ["body"], 10) == Earlier(True, None)
    assert 0 < redis.client.pttl(claim.name) <= 10_000
    store.keep(claim, KeptAnswer(201, (), b""))
    assert store.claim(["ann", "k"], ["body"], 10) == Earlier(True, KeptAnswer(201, (), b""))
    assert redis.client.ttl(claim.name) > 80_000


def test_of_many_at_once_one_may_run(redis: RedisServer) -> None:
    store = RepeatStore(redis.url, [KEY])
    together = threading.Barrier(16)
    found: list[object] = []

    def claim() -> None:
        together.wait(PATIENCE)
        found.append(store.claim(["ann", "k"], ["body"], 10))

    threads = [threading.Thread(target=claim) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(found) == 16
    assert sum(isinstance(one, Claim) for one in found) == 1


def test_the_parts_of_a_name_cannot_run_into_each_other(redis: RedisServer) -> None:
    store = RepeatStore(redis.url, [KEY])
    for who in (["a", "bc"], ["ab", "c"], ["abc", ""], ["abc"]):
        assert isinstance(store.claim(who, ["x"], 10), Claim)


def test_a_newer_key_seals_and_names_what_comes_from_then_on(redis: RedisServer) -> None:
    newer = Fernet.generate_key().decode()
    assert isinstance(RepeatStore(redis.url, [KEY]).claim(["ann"], ["x"], 10), Claim)
    claim = RepeatStore(redis.url, [newer, KEY]).claim(["ann"], ["x"], 10)
    assert isinstance(claim, Claim)
    assert RepeatStore(redis.url, [newer]).claim(["ann"], ["x"], 10) == Earlier(True, None)


def test_a_store_that_is_not_there_says_so(redis: RedisServer) -> None:
    with pytest.raises(StateUnavailable):
        RepeatStore("redis://127.0.0.1:9/0", [KEY]).claim(["ann"], ["x"], 10)
