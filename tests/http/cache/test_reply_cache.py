"""Replies kept in the process."""

from __future__ import annotations

import threading
from itertools import combinations

from bff.http.cache.entry import CacheEntry
from bff.http.cache.reply_cache import ReadKeys, ReplyCache, key_of
from tests.clock import Clock
from tests.properties import given, st

FAR = 1e12


def kept(raw: bytes = b"1") -> CacheEntry:
    return CacheEntry(200, {}, raw, 0.0, 0.0)


def test_an_entry_lives_for_its_own_time(clock: Clock) -> None:
    cache = ReplyCache(10, 10**6)
    cache.put(b"short", kept(), clock.monotonic + 1.0)
    cache.put(b"long", kept(), clock.monotonic + 5.0)
    cache.put(b"never", kept(), clock.monotonic)
    assert cache.get(b"never") is None
    clock.go_on(1.0)
    assert cache.get(b"short") is None
    assert cache.get(b"long") is not None
    clock.go_on(4.0)
    assert cache.get(b"long") is None


def test_what_comes_later_takes_the_place_of_what_was_there() -> None:
    cache = ReplyCache(10, 1000)
    cache.put(b"a", kept(), FAR)
    cache.put(b"a", kept(b"2"), FAR)
    found = cache.get(b"a")
    assert found is not None and found.raw == b"2"
    cache.put(b"a", kept(b"x" * 1000), FAR)
    assert cache.get(b"a") is None


def test_entries_are_bounded_the_oldest_used_goes_first() -> None:
    cache = ReplyCache(3, 10**6)
    for key in (b"a", b"b", b"c"):
        cache.put(key, kept(), FAR)
    cache.get(b"a")
    cache.put(b"d", kept(), FAR)
    assert [key for key in (b"a", b"b", b"c", b"d") if cache.get(key)] == [b"a", b"c", b"d"]
    assert len(cache) == 3


def test_bytes_are_bounded() -> None:
    cache = ReplyCache(1000, 100_000)
    for at in range(100):
        cache.put(b"%d" % at, kept(b"x" * 20_000), FAR)
    assert 3 <= len(cache) <= 5


def test_headers_count_too() -> None:
    cache = ReplyCache(1000, 100_000)
    for at in range(100):
        cache.put(b"%d" % at, CacheEntry(200, {"a": "x" * 20_000}, b"", 0.0, 0.0), FAR)
    assert 3 <= len(cache) <= 5


def test_what_is_forgotten_is_gone() -> None:
    cache = ReplyCache(10, 10**6)
    for key in (b"a", b"b", b"c"):
        cache.put(key, kept(), FAR)
    cache.drop(b"a")
    cache.drop(b"never there")
    assert len(cache) == 2
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


LATIN = st.text(st.characters(max_codepoint=255), max_size=20)
ASCII = st.text(st.characters(max_codepoint=127), max_size=20)
NAMES = st.sampled_from(
    ["Accept", "authorization", "Authorizatio", "User-Agent", "X-Request-ID", "a", "X-Own"]
)


@given(
    method=st.sampled_from(["GET", "POST", "HEAD"]),
    base=st.sampled_from(["http://a.test", "https://a.test:8443/v1"]),
    headers=st.dictionaries(NAMES, LATIN),
    target=ASCII,
    token=st.none() | ASCII,
    visitor=st.none() | st.binary(max_size=20),
)
def test_keys_that_are_put_together_beforehand_are_the_same_keys(
    method: str, base: str, headers: dict[str, str], target: str, token: str | None, visitor: bytes | None
) -> None:
    if token is not None:  # who forwards one has no such header of its own
        headers.pop("authorization", None)
    sent = headers if token is None else {**headers, "Authorization": f"Bearer {token}"}
    sent = {**sent, "x-request-id": "1"}
    headers["X-Request-ID"] = "2"
    expected = key_of(method, base + target, sent, None, visitor)
    assert ReadKeys(method, base, headers).key(target, token, visitor) == expected


def test_a_key_is_the_one_by_which_running_versions_share_replies() -> None:
    headers = {"User-Agent": "bff", "Accept": "application/json"}
    assert key_of("GET", "http://a.test/a?b=c", headers, None, b"ann").hex() == (
        "760e03fce8f57dec91676f12c1bdc2985216d6314425be283a517a509f5b7317"
    )


def test_threads_may_share_a_cache() -> None:
    cache = ReplyCache(8, 10**6)
    begin = threading.Barrier(8)
    failures: list[BaseException] = []

    def work(seed: int) -> None:
        try:
            begin.wait(10)
            for at in range(300):
                key = b"%d" % ((at * seed) % 16)
                cache.put(key, kept(key), FAR)
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
