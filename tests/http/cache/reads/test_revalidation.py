"""What is not fresh any more is asked for under its conditions."""

from __future__ import annotations

from bff.http import Broken, Calls, Client, Reply
from tests.clock import Clock
from tests.http.cache.reads.asking import MODIFIED, TTL, Backend
from tests.http.calling import ByHand, finish, get, ok, post, run, start


def test_what_is_not_fresh_any_more_is_asked_for_under_its_conditions(backend: Backend, clock: Clock) -> None:
    backend.read(TTL, ok(b"[1]", etag='"1"', **{"last-modified": MODIFIED}))
    assert backend.conditions == {}
    clock.go_on(60.0)
    found = backend.read(TTL, Reply(304, {"etag": '"1"', "x-new": "yes"}))
    assert backend.conditions == {"If-None-Match": '"1"', "If-Modified-Since": MODIFIED}
    assert (found.status, found.json(), found.headers["x-new"], found.stale) == (200, [1], "yes", None)
    assert (found.attempts, backend.cached) == (1, "revalidated")
    clock.go_on(59.0)
    assert backend.read().headers["x-new"] == "yes"
    assert backend.asked == 2


def test_what_has_changed_takes_its_place(backend: Backend, clock: Clock) -> None:
    backend.read(TTL, ok(b"1", etag='"1"'))
    clock.go_on(60.0)
    assert backend.read(TTL, ok(b"2", etag='"2"')).json() == 2
    assert backend.cached == "miss"
    clock.go_on(60.0)
    assert backend.read(TTL, Reply(304)).json() == 2
    assert backend.conditions == {"If-None-Match": '"2"'}


def test_what_must_be_asked_about_is_kept_to_be_asked_about(backend: Backend) -> None:
    backend.read(TTL, ok(b"1", etag='"1"', **{"cache-control": "no-cache"}))
    assert backend.read(TTL, Reply(304)).json() == 1
    assert backend.asked == 2


def test_it_is_not_kept_for_ever_to_be_asked_about(backend: Backend, clock: Clock) -> None:
    backend.read(TTL, ok(b"1", etag='"1"'))
    clock.go_on(60.0 + 600.0)
    assert backend.read(TTL, ok(b"2")).json() == 2
    assert backend.conditions == {}


def test_a_304_that_nobody_asked_for_is_no_success_and_is_not_kept(backend: Backend) -> None:
    assert backend.read(TTL, Reply(304)).status == 304
    assert backend.read(TTL, ok(b"1")).json() == 1


def test_a_304_about_another_reply_is_asked_again_without_conditions(backend: Backend, clock: Clock) -> None:
    backend.read(TTL, ok(b"1", etag='"1"'))
    clock.go_on(60.0)
    found = backend.read(TTL, Reply(304, {"etag": '"2"'}), ok(b"2"))
    assert (found.json(), found.attempts) == (2, 2)
    assert backend.conditions == {}


def test_a_step_that_asks_under_its_own_condition_is_left_alone(backend: Backend, clock: Clock) -> None:
    own = {"headers": {"if-none-match": '"mine"'}}
    backend.read(TTL, ok(b"1", etag='"1"'), **own)
    clock.go_on(60.0)
    assert backend.read(TTL, Reply(304), **own).status == 304
    assert backend.transport.flights[-1].request.headers["if-none-match"] == '"mine"'
    assert "If-None-Match" not in backend.transport.flights[-1].request.headers


def test_only_a_get_is_asked_for_under_conditions(client: Client, clock: Clock) -> None:
    transport = ByHand(ok(b"1", etag='"1"'), ok(b"2"))
    request = post("/a", safe=True, cache=TTL)
    run(Calls(transport, clock.monotonic + 5), client, request)
    clock.go_on(60.0)
    run(Calls(transport, clock.monotonic + 5), client, request)
    assert not any(name.startswith("If-") for name in transport.flights[1].request.headers)


def test_a_retry_asks_under_the_same_conditions(backend: Backend, clock: Clock) -> None:
    backend.read(TTL, ok(b"1", etag='"1"'))
    clock.go_on(60.0)
    backend.transport.outcomes = [Broken("refused"), Reply(304)]
    page = Calls(backend.transport, clock.monotonic + 5.0)
    call = start(page, backend.client, get("/a", cache=TTL, retries=1))
    while call.result is None:
        page.wait(clock.monotonic + 5.0)
    assert isinstance(call.result, Reply)
    assert (call.result.json(), call.result.attempts) == (1, 2)
    assert backend.conditions == {"If-None-Match": '"1"'}


def test_an_equal_read_of_the_page_gets_the_confirmed_reply_too(backend: Backend, clock: Clock) -> None:
    backend.read(TTL, ok(b"[1]", etag='"1"'))
    clock.go_on(60.0)
    backend.transport.outcomes = [Reply(304)]
    page = Calls(backend.transport, clock.monotonic + 5.0)
    both = [start(page, backend.client, get("/a", cache=TTL)), start(page, backend.client, get("/a"))]
    finish(page, *both)
    first, second = (call.result for call in both)
    assert isinstance(first, Reply) and isinstance(second, Reply)
    assert (first.json(), second.json(), second.status) == ([1], [1], 200)
    assert first.json() is not second.json()
    assert backend.asked == 2
