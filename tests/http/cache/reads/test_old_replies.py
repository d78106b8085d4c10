"""Old replies: what they stand in for, and what they do not."""

from __future__ import annotations

import pytest

from bff.http import Breaker, Broken, CacheTerms, Client, Reply
from tests.clock import Clock
from tests.http.cache.reads.asking import LENIENT, Backend
from tests.http.calling import ByHand, Outcome, calls_on, get, ok, run


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
