"""Reads whose replies may be kept, above the seam: what answers each, and what is asked of the backend."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from bff.http import (
    Breaker,
    Broken,
    CacheTerms,
    Calls,
    Client,
    Reply,
    forward_token,
)
from bff.http.cache import ReplyCache
from bff.http.kept import MARGIN
from tests.clock import Clock
from tests.http.calling import ByHand, OnClock, Outcome, calls_on, finish, get, ok, post, run

MODIFIED = "Fri, 15 Jan 2027 08:00:00 GMT"
TTL = CacheTerms(60.0)
LENIENT = CacheTerms(60.0, stale_if_error=600.0)


@pytest.fixture
def client(clock: Clock) -> Iterator[Client]:
    client = Client("http://people.test", timeout="5s", retries=0, breaker=None)
    client.cache = ReplyCache(100, 10**6)
    return client


class Backend:
    """Asks one client; each read is a page of its own."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self.client = client
        self.clock = clock
        self.transport = OnClock(clock)

    def read(self, terms: CacheTerms = TTL, *outcomes: Outcome, **parts: Any) -> Any:
        """A read of a page of its own; `outcomes` are what the backend answers if it is asked."""
        self.transport.outcomes = list(outcomes)
        page = Calls(self.transport, self.clock.monotonic + 5.0)
        call = page.start(self.client, get("/a", cache=terms, **parts))
        while call.result is None:
            page.wait(self.clock.monotonic + 5.0)
        self.cached = call.cached
        return call.result

    @property
    def asked(self) -> int:
        return len(self.transport.flights)

    @property
    def conditions(self) -> dict[str, str]:
        """Those of the last request."""
        sent = self.transport.flights[-1].request.headers
        return {name: value for name, value in sent.items() if name.startswith("If-")}


@pytest.fixture
def backend(client: Client, clock: Clock) -> Backend:
    return Backend(client, clock)


# --- for how long ------------------------------------------------------------------------------------------------


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
    assert len(backend.client.cache) == 0
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
    client.cache = ReplyCache(100, 10**6)
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


# --- revalidation --------------------------------------------------------------------------------------------------


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
    call = page.start(backend.client, get("/a", cache=TTL, retries=1))
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
    both = [page.start(backend.client, get("/a", cache=TTL)), page.start(backend.client, get("/a"))]
    finish(page, *both)
    first, second = (call.result for call in both)
    assert isinstance(first, Reply) and isinstance(second, Reply)
    assert (first.json(), second.json(), second.status) == ([1], [1], 200)
    assert first.json() is not second.json()
    assert backend.asked == 2


# --- old replies ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "failure",
    [Broken(kind) for kind in ("timeout", "refused", "too-large", "limit", "breaker", "full")]
    + [Reply(status) for status in (429, 500, 502, 503, 599)],
    ids=str,
)
def test_an_old_reply_stands_in_for_a_failure_and_says_so(
    backend: Backend, clock: Clock, failure: Outcome
) -> None:
    backend.read(LENIENT, ok(b"1"))
    clock.go_on(600.0)
    found = backend.read(LENIENT, failure)
    assert (found.json(), found.from_cache, found.held, backend.cached) == (1, True, 600.0, "stale")
    if isinstance(failure, Broken):
        assert isinstance(found.stale, Broken) and found.stale.kind == failure.kind
    else:
        assert found.stale == failure.status
    clock.go_on(60.0)
    assert getattr(backend.read(LENIENT, failure), "stale", None) is None


@pytest.mark.parametrize("status", [304, 400, 401, 404, 422])
def test_no_old_reply_stands_in_for_an_answer(backend: Backend, clock: Clock, status: int) -> None:
    backend.read(LENIENT, ok(b"1"))
    clock.go_on(61.0)
    assert backend.read(LENIENT, Reply(status)).status == status


@pytest.mark.parametrize("forbids", ["must-revalidate", "proxy-revalidate", "no-cache"])
def test_a_backend_may_forbid_that_old_replies_are_given(
    backend: Backend, clock: Clock, forbids: str
) -> None:
    terms = CacheTerms(60.0, stale_while_revalidate=600.0, stale_if_error=600.0)
    backend.read(terms, ok(b"1", etag='"1"', **{"cache-control": forbids}))
    clock.go_on(61.0)
    assert backend.read(terms, Reply(503)).status == 503


def test_a_spared_backend_is_stood_in_for_without_asking_it(clock: Clock) -> None:
    client = Client("http://people.test", retries=0, breaker=Breaker(failures=1))
    client.cache = ReplyCache(100, 10**6)
    backend = Backend(client, clock)
    backend.read(LENIENT, ok(b"1"))
    clock.go_on(61.0)
    assert backend.read(LENIENT, Broken("refused")).stale.kind == "refused"
    asked = backend.asked
    assert backend.read(LENIENT).stale.kind == "breaker"
    assert backend.asked == asked


def test_an_old_reply_counts_against_the_pages_bytes(backend: Backend, clock: Clock) -> None:
    backend.read(LENIENT, ok(b"12345"))
    clock.go_on(61.0)
    transport = ByHand(ok(b"1234567890"), Reply(503))
    page = calls_on(transport, seconds=1e6, max_replies=12)
    run(page, backend.client, get("/b"))
    found = run(page, backend.client, get("/a", cache=LENIENT))
    assert isinstance(found, Broken) and found.kind == "limit"


def test_without_anything_behind_it_the_page_refreshes_itself(backend: Backend, clock: Clock) -> None:
    terms = CacheTerms(60.0, stale_while_revalidate=600.0)
    backend.read(terms, ok(b"1"))
    clock.go_on(61.0)
    assert backend.read(terms, ok(b"2")).json() == 2
    clock.go_on(61.0)
    found = backend.read(terms, Reply(503))
    assert (found.json(), found.stale, backend.cached) == (2, None, "stale")
    assert backend.transport.flights[-1].request.until == clock.monotonic + 2.5


# --- newer than ----------------------------------------------------------------------------------------------------


def after(clock: Clock, **more: Any) -> CacheTerms:
    return CacheTerms(60.0, newer_than=clock.wall, **more)


def test_what_was_asked_for_before_a_write_is_asked_for_again(backend: Backend, clock: Clock) -> None:
    backend.read(TTL, ok(b"1"))
    terms = after(clock, stale_while_revalidate=600.0, stale_if_error=600.0)
    clock.go_on(5.0)
    assert backend.read(terms, Reply(503)).status == 503
    assert backend.read(terms, ok(b"2")).json() == 2
    assert backend.read(terms).json() == 2
    assert backend.read(TTL).json() == 2
    assert backend.asked == 3


def test_clocks_may_differ_by_a_second(backend: Backend, clock: Clock) -> None:
    terms = after(clock)
    clock.go_on(MARGIN)
    backend.read(TTL, ok(b"1"))
    assert backend.read(terms, ok(b"2")).json() == 2
    clock.go_on(0.1)
    backend.read(CacheTerms(0.05), ok(b"3"))
    assert backend.read(terms).json() == 3


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_a_write_makes_what_was_kept_too_old_also_when_the_clock_jumps_in_between(
    backend: Backend, clock: Clock, jump: float
) -> None:
    backend.read(TTL, ok(b"1"))
    clock.go_on(5.0)
    clock.wall += jump
    terms = after(clock)
    clock.go_on(5.0)
    assert backend.read(terms, ok(b"2")).json() == 2
    assert backend.read(terms).json() == 2


def test_a_write_makes_what_was_kept_too_old_also_when_the_clock_jumps_later(
    backend: Backend, clock: Clock
) -> None:
    backend.read(TTL, ok(b"1"))
    clock.go_on(5.0)
    terms = after(clock)
    clock.go_on(5.0)
    clock.wall += 3600.0
    assert backend.read(terms, ok(b"2")).json() == 2
    assert backend.read(terms).json() == 2


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_what_is_kept_is_as_fresh_as_it_was_whatever_the_clock_says(
    backend: Backend, clock: Clock, jump: float
) -> None:
    backend.read(TTL, ok(b"1"))
    clock.wall += jump
    clock.go_on(59.0)
    assert backend.read(TTL).json() == 1
    clock.go_on(2.0)
    assert backend.read(TTL, ok(b"2")).json() == 2


def test_what_is_too_old_may_still_be_confirmed(backend: Backend, clock: Clock) -> None:
    backend.read(TTL, ok(b"1", etag='"1"', **{"last-modified": MODIFIED}))
    terms = after(clock)
    clock.go_on(5.0)
    assert backend.read(terms, Reply(304)).json() == 1
    assert backend.conditions == {"If-None-Match": '"1"'}
    assert backend.read(terms).json() == 1
    assert backend.asked == 2


def test_a_reply_counts_from_when_its_request_was_sent(backend: Backend, clock: Clock) -> None:
    page = Calls(backend.transport, clock.monotonic + 50.0)
    call = page.start(backend.client, get("/a", cache=TTL, timeout=30.0))
    clock.go_on(3.0)
    terms = after(clock)
    clock.go_on(3.0)
    backend.transport.flights[0].outcome = ok(b"1")
    finish(page, call)
    assert backend.read(TTL).json() == 1
    assert backend.read(terms, ok(b"2")).json() == 2


def test_a_read_below_a_write_of_its_page_is_newer_than_it(backend: Backend, clock: Clock) -> None:
    backend.read(TTL, ok(b"1"))
    transport = ByHand(Reply(201), ok(b"2"))
    page = Calls(transport, clock.monotonic + 5.0)
    assert run(page, backend.client, get("/a", cache=TTL)).json() == 1  # type: ignore[union-attr]
    run(page, backend.client, post("/a"))
    assert run(page, backend.client, get("/a", cache=TTL)).json() == 2  # type: ignore[union-attr]


def test_writes_are_never_kept_and_never_stood_in_for(client: Client, clock: Clock) -> None:
    transport = ByHand(ok(), Reply(503))
    for status in (200, 503):
        clock.go_on(61.0)
        found = run(Calls(transport, clock.monotonic + 5), client, post("/a", cache=LENIENT))
        assert isinstance(found, Reply) and found.status == status
    assert len(client.cache) == 0


def test_the_real_clocks_are_used_outside_of_tests() -> None:
    client = Client("http://people.test", retries=0)
    before = time.time()
    run(calls_on(ByHand(ok())), client, get("/a", cache=TTL))
    [(kept, until, _)] = client.cache._kept.values()
    assert before <= kept.asked <= time.time()
    assert until == pytest.approx(time.monotonic() + 60.0, abs=5.0)
