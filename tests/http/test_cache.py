"""Replies kept in the process."""

from __future__ import annotations

import threading
from itertools import combinations

from bff.http import Reply
from bff.http.cache import ReplyCache, key_of
from tests.http.test_retry import Clock


def test_an_entry_lives_for_its_own_time() -> None:
    clock = Clock()
    cache = ReplyCache(10, 10**6, clock)
    cache.put(b"short", Reply(200), 1.0)
    cache.put(b"long", Reply(200), 5.0)
    clock.now = 1.0
    assert cache.get(b"short") is None
    assert cache.get(b"long") is not None
    clock.now = 5.0
    assert cache.get(b"long") is None


def test_a_hit_is_a_copy_that_cannot_spoil_the_next() -> None:
    cache = ReplyCache(10, 10**6)
    headers = {"etag": "1"}
    cache.put(b"a", Reply(200, headers, b"[1]"), 60.0)
    headers["etag"] = "2"
    hit = cache.get(b"a")
    assert hit is not None
    assert (hit.status, hit.headers, hit.raw) == (200, {"etag": "1"}, b"[1]")
    assert (hit.from_cache, hit.attempts) == (True, 0)
    hit.json().append(2)
    hit.headers["etag"] = "3"  # type: ignore[index]
    again = cache.get(b"a")
    assert again is not None
    assert (again.json(), dict(again.headers)) == ([1], {"etag": "1"})


def test_entries_are_bounded_the_oldest_used_goes_first() -> None:
    cache = ReplyCache(3, 10**6)
    for key in (b"a", b"b", b"c"):
        cache.put(key, Reply(200), 60.0)
    cache.get(b"a")
    cache.put(b"d", Reply(200), 60.0)
    assert [key for key in (b"a", b"b", b"c", b"d") if cache.get(key)] == [b"a", b"c", b"d"]
    assert len(cache) == 3


def test_bytes_are_bounded() -> None:
    cache = ReplyCache(1000, 100_000)
    for at in range(100):
        cache.put(b"%d" % at, Reply(200, {}, b"x" * 20_000), 60.0)
    assert 3 <= len(cache) <= 5


def test_a_reply_larger_than_the_cache_is_not_kept() -> None:
    cache = ReplyCache(10, 1000)
    cache.put(b"a", Reply(200, {}, b"x" * 1000), 60.0)
    assert len(cache) == 0


def test_only_successes_with_a_time_are_kept() -> None:
    cache = ReplyCache(10, 10**6)
    for status in (199, 304, 404, 500):
        cache.put(b"a", Reply(status), 60.0)
    cache.put(b"a", Reply(200), 0.0)
    cache.put(b"a", Reply(200), -1.0)
    assert len(cache) == 0
    cache.put(b"a", Reply(204), 60.0)
    assert len(cache) == 1
    cache.clear()
    assert len(cache) == 0


def test_a_key_holds_all_that_may_change_the_reply() -> None:
    keys = [
        key_of("GET", "http://a.test/a", {}, None, None),
        key_of("POST", "http://a.test/a", {}, None, None),
        key_of("GET", "http://a.test/b", {}, None, None),
        key_of("GET", "http://a.test/a", {"A": "b"}, None, None),
        key_of("GET", "http://a.test/a", {"A": "c"}, None, None),
        key_of("GET", "http://a.test/a", {"Ab": ""}, None, None),
        key_of("GET", "http://a.test/a", {"A": "b", "B": "c"}, None, None),
        key_of("GET", "http://a.test/a", {"A": "bBc"}, None, None),
        key_of("GET", "http://a.test/a", {}, b"", None),
        key_of("GET", "http://a.test/a", {}, b"x", None),
        key_of("GET", "http://a.test/a", {}, None, b""),
        key_of("GET", "http://a.test/a", {}, None, b"x"),
    ]
    assert all(one != other for one, other in combinations(keys, 2))


def test_a_key_does_not_hold_what_changes_every_time() -> None:
    plain = key_of("GET", "/a", {"A": "b", "C": "d"}, None, None)
    assert plain == key_of("GET", "/a", {"c": "d", "a": "b", "X-Request-ID": "1"}, None, None)


def test_threads_may_share_a_cache() -> None:
    cache = ReplyCache(8, 10**6)
    begin = threading.Barrier(8)
    failures: list[BaseException] = []

    def work(seed: int) -> None:
        try:
            begin.wait(10)
            for at in range(300):
                key = b"%d" % ((at * seed) % 16)
                cache.put(key, Reply(200, {}, key), 60.0)
                hit = cache.get(key)
                assert hit is None or hit.raw == key
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(cache) <= 8
