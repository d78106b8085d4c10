"""What instances keep together in a real Redis; whatever becomes of it, pages go on."""

from __future__ import annotations

import base64
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.fernet import Fernet

from bff.http import Behind, CacheTerms, Call, Calls, Client, Reply, ThreadTransport, tier
from bff.http.sealing import MAX_VALUE, EntrySeal
from bff.http.tier import PATIENCE as LOOK_UP_PATIENCE
from bff.http.tier import RedisTier
from tests.fakes import PATIENCE, FakeBackend, answer
from tests.http.calling import finish, get
from tests.servers import RedisServer, no_redis

KEY = Fernet.generate_key().decode()
TTL = CacheTerms(60.0)
FOR_ALL = CacheTerms(60.0, private=False)


class Instance:
    """A process of its own: its client, its caches, its connections."""

    def __init__(self, backend: FakeBackend, url: str, *keys: str, runs_on: bool = True) -> None:
        self.client = Client(backend.url, timeout="10s")
        self.client.name = "people"
        self.transport = ThreadTransport()
        self.tier = RedisTier(url, keys)
        self.behind = Behind(self.tier, runs_on=runs_on)

    def calls(self) -> Calls:
        return Calls(self.transport, time.monotonic() + PATIENCE, behind=self.behind)

    def call(self, terms: CacheTerms = TTL, path: str = "/a", **parts: Any) -> Call:
        calls = self.calls()
        call = calls.start(self.client, get(path, cache=terms, **parts))
        finish(calls, call)
        calls.close()
        return call

    def read(self, terms: CacheTerms = TTL, path: str = "/a", **parts: Any) -> Any:
        result = self.call(terms, path, **parts).result
        assert isinstance(result, Reply), result
        return result

    def close(self) -> None:
        self.tier.flush(PATIENCE)  # nothing is written any more when the next test has emptied the Redis
        self.behind.close()
        self.transport.close()


@pytest.fixture(autouse=True)
def patience(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a busy machine take its time, but where a Redis that is slow is what a test is about."""
    if request.node.get_closest_marker("slow_redis") is None:
        monkeypatch.setattr(tier, "PATIENCE", PATIENCE)
        monkeypatch.setattr(tier, "ANSWER_TIME", PATIENCE)


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


def until(holds: Callable[[], Any]) -> Any:
    """Waits until something holds, and gives it."""
    end = time.monotonic() + PATIENCE
    while not (found := holds()):
        assert time.monotonic() < end
    return found


def entries(redis: RedisServer, count: int) -> list[bytes]:
    """The names of so many entries, as soon as they are there."""
    return until(lambda: (names := redis.client.keys()) and len(names) == count and names)


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
    one.tier.flush(PATIENCE)
    assert len(entries(redis, 1)) == 1
    assert one.call(path="/large").cached == "hit"


def test_where_the_host_stands_still_a_page_hands_over_before_it_ends(
    instance: Any, redis: RedisServer, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RedisTier.flush, "__defaults__", (PATIENCE,))
    instance(runs_on=False).read()
    assert redis.client.dbsize() == 1


# --- Redis that is not as it should be -------------------------------------------------------------------------------


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
    monkeypatch.setattr(tier, "PATIENCE", PATIENCE)
    one = instance()
    entered, asked = threading.Event(), threading.Event()

    def slow(name: str, permit: int) -> None:
        entered.set()
        asked.wait(PATIENCE)

    monkeypatch.setattr(one.tier, "looked_up", slow)
    calls = one.calls()
    looking, own = calls.start(one.client, get("/a", cache=TTL)), calls.start(one.client, get("/b"))
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
    monkeypatch.setattr(one.tier, "looked_up", lambda name, permit: asked.wait(PATIENCE) and None)
    for at in range(5):
        assert quickly(one, query=(("at", str(at)),)).status == 200
    assert not one.tier._reads.closed
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
        one.tier.flush(PATIENCE)
        assert not one.tier._writes.closed
        assert one.tier._reads.closed
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
    assert one.tier._reads.closed
    one.tier.flush(PATIENCE)
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
    assert one.tier._reads.closed
    one.tier.flush(PATIENCE)
    assert [redis.client.type(name) for name in names] == [b"string"] * 5


def test_anothers_ciphertext_is_not_used(instance: Any, redis: RedisServer, backend: FakeBackend) -> None:
    instance().read(visitor=b"ann")
    [anns] = entries(redis, 1)
    instance().read(visitor=b"bo")
    [bos] = [name for name in entries(redis, 2) if name != anns]
    redis.client.copy(anns, bos, replace=True)
    assert instance().read(visitor=b"bo").json() == 3
    assert instance().read(visitor=b"ann").json() == 1


# --- bounds --------------------------------------------------------------------------------------------------------


def test_no_more_look_ups_wait_than_may(
    instance: Any, redis: RedisServer, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tier, "PENDING_LOOK_UPS", 2)
    monkeypatch.setattr(tier, "PATIENCE", PATIENCE)
    one = instance()
    asked = threading.Event()
    look_up = one.tier.looked_up
    monkeypatch.setattr(one.tier, "looked_up", lambda *given: asked.wait(PATIENCE) and look_up(*given))
    promise = one.transport.promise
    looks = [one.tier.look_up(one.client, b"%d" % at, promise, private=True) for at in range(3)]
    assert [look is None for look in looks] == [False, False, True]
    asked.set()
    one.transport.wait([looks[0].promise], time.monotonic() + PATIENCE)  # type: ignore[union-attr]
    until(lambda: one.tier.look_up(one.client, b"4", promise, private=True))


@pytest.mark.slow_redis
def test_no_more_waits_to_be_written_than_may(
    instance: Any, redis: RedisServer, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tier, "PENDING_BYTES", 1000)
    one = instance()
    with redis.paused():
        for at in range(5):
            one.read(query=(("at", str(at)),))
        assert one.tier._bytes <= 1000
    one.tier.flush(PATIENCE)
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
        one.tier._say("once")
        one.tier._say("twice")
    assert [record.getMessage() for record in caplog.records] == ["once"]
