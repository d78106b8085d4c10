"""What was asked for before a visitor's write is too old for them, whatever the clocks do."""

from __future__ import annotations

from typing import Any

import pytest

from bff.http import CacheTerms, Calls, Reply
from bff.http.cache.entry import MARGIN
from tests.clock import Clock
from tests.http.cache.reads.asking import MODIFIED, TTL, Backend
from tests.http.calling import ByHand, finish, get, ok, post, run, start


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
    call = start(page, backend.client, get("/a", cache=TTL, timeout=30.0))
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
