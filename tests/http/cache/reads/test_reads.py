"""Reads whose replies may be kept, above the seam: for how long, and for whom."""

from __future__ import annotations

import time

import pytest

from bff.http import CacheTerms, Calls, Client, Reply, forward_token
from bff.http.cache.reply_cache import cache_of
from tests.clock import Clock
from tests.http.cache.reads.asking import LENIENT, TTL, Backend
from tests.http.calling import ByHand, calls_on, get, ok, post, run


def test_a_reply_is_kept_for_the_recipes_time_where_its_backend_says_nothing(
    backend: Backend, clock: Clock
) -> None:
    assert backend.read(TTL, ok(b"1")).json() == 1
    assert backend.cached == "miss"
    clock.go_on(59.0)
    found = backend.read()
    assert (found.json(), found.from_cache, found.held, found.stale) == (1, True, 59.0, None)
    assert backend.cached == "hit"
    clock.go_on(1.0)
    assert backend.read(TTL, ok(b"2")).json() == 2


def test_a_backend_may_shorten_it(backend: Backend, clock: Clock) -> None:
    backend.read(TTL, ok(b"1", **{"cache-control": "max-age=10"}))
    clock.go_on(9.0)
    assert backend.read().json() == 1
    clock.go_on(1.0)
    assert backend.read(TTL, ok(b"2", **{"cache-control": "max-age=1000"})).json() == 2
    clock.go_on(60.0)
    assert backend.read(TTL, ok(b"3")).json() == 3


def test_a_step_that_wants_it_newer_gets_it_newer(backend: Backend, clock: Clock) -> None:
    backend.read(TTL, ok(b"1"))
    clock.go_on(10.0)
    assert backend.read(CacheTerms(5.0), ok(b"2")).json() == 2
    assert backend.read(TTL).json() == 2


@pytest.mark.parametrize(
    "headers",
    [
        {"cache-control": "no-store"},
        {"cache-control": "no-cache"},
        {"cache-control": "max-age=0"},
        {"vary": "*"},
    ],
)
def test_what_may_not_be_kept_is_asked_for_again(backend: Backend, headers: dict[str, str]) -> None:
    backend.read(TTL, ok(b"1", **headers))
    assert len(cache_of(backend.client)) == 0
    assert backend.read(TTL, ok(b"2", **headers)).json() == 2


def test_a_private_reply_is_kept_for_its_visitor_only(backend: Backend) -> None:
    private = {"cache-control": "private"}
    for_all = CacheTerms(60.0, private=False)
    assert [backend.read(for_all, ok(b"1", **private)).json() for _ in range(2)] == [1, 1]
    assert backend.asked == 2
    assert [backend.read(TTL, ok(b"2", **private), visitor=b"ann").json() for _ in range(2)] == [2, 2]
    assert backend.read(TTL, ok(b"3", **private), visitor=b"bo").json() == 3


def test_what_a_token_had_a_part_in_is_private_whatever_the_terms_say(clock: Clock) -> None:
    client = Client("http://people.test", auth=forward_token("people"))
    backend = Backend(client, clock)
    terms = CacheTerms(60.0, private=False, shared=True)
    for visitor in (b"ann", b"bo"):
        assert backend.read(terms, ok(visitor), visitor=visitor, token="the same").raw == visitor
    assert backend.asked == 2


def test_an_answer_that_is_none_forgets_what_was_kept(backend: Backend, clock: Clock) -> None:
    for status in (401, 403, 404, 410):
        backend.read(LENIENT, ok(b"1"))
        clock.go_on(61.0)
        assert backend.read(LENIENT, Reply(status)).status == status
        assert backend.read(LENIENT, Reply(503)).status == 503


def test_a_backend_that_forbids_it_now_has_what_was_kept_forgotten(backend: Backend, clock: Clock) -> None:
    backend.read(LENIENT, ok(b"1"))
    clock.go_on(61.0)
    backend.read(LENIENT, ok(b"2", **{"cache-control": "no-store"}))
    assert backend.read(LENIENT, Reply(503)).status == 503


def test_writes_are_never_kept_and_never_stood_in_for(client: Client, clock: Clock) -> None:
    transport = ByHand(ok(), Reply(503))
    for status in (200, 503):
        clock.go_on(61.0)
        found = run(Calls(transport, clock.monotonic + 5), client, post("/a", cache=LENIENT))
        assert isinstance(found, Reply) and found.status == status
    assert len(cache_of(client)) == 0


def test_the_real_clocks_are_used_outside_of_tests() -> None:
    client = Client("http://people.test", retries=0)
    before = time.time()
    run(calls_on(ByHand(ok())), client, get("/a", cache=TTL))
    [(kept, until, _)] = cache_of(client)._kept.values()
    assert before <= kept.asked <= time.time()
    assert until == pytest.approx(time.monotonic() + 60.0, abs=5.0)
