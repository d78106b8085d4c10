"""The calls of a page above the seam: a transport by hand shows what is asked of it and when."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from bff.http import ApiKey, Broken, CacheTerms, Calls, Client, Reply, forward_token
from bff.http.budget import Budget
from tests.clock import Clock
from tests.fakes import PATIENCE
from tests.http.calling import ByHand, OnClock, calls_on, get, ok, post, run, start


@pytest.fixture
def client() -> Client:
    client = Client("http://people.test", timeout="5s")
    client.name = "people"
    return client


# --- retries ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_transient_status_of_a_safe_request_is_tried_again(client: Client, status: int) -> None:
    transport = ByHand(Reply(status), ok())
    result = run(calls_on(transport), client, get("/a"))
    assert isinstance(result, Reply)
    assert (result.status, result.attempts) == (200, 2)


@pytest.mark.parametrize("status", [200, 302, 400, 404, 500, 501])
def test_any_other_status_stands(client: Client, status: int) -> None:
    transport = ByHand(Reply(status), ok())
    result = run(calls_on(transport), client, get("/a"))
    assert isinstance(result, Reply)
    assert (result.status, result.attempts) == (status, 1)


@pytest.mark.parametrize("kind", ["timeout", "too-large", "limit", "breaker", "full"])
def test_only_a_broken_connection_is_tried_again(client: Client, kind: Any) -> None:
    assert run(calls_on(ByHand(Broken(kind), ok())), client, get("/a")).attempts == 1
    assert run(calls_on(ByHand(Broken("refused"), ok())), client, get("/a")).attempts == 2


def test_the_last_outcome_stands_when_no_retry_is_left(client: Client) -> None:
    transport = ByHand(Broken("refused"), Reply(503), Reply(502), ok())
    result = run(calls_on(transport), client, get("/a", retries=2))
    assert isinstance(result, Reply)
    assert (result.status, result.attempts) == (502, 3)


def test_a_write_is_not_tried_again_unless_it_may_be(client: Client) -> None:
    assert run(calls_on(ByHand(Reply(503), ok())), client, post("/a", retries=3)).attempts == 1
    assert run(calls_on(ByHand(Reply(503), ok())), client, post("/a", repeatable=True)).attempts == 2
    assert run(calls_on(ByHand(Reply(503), ok())), client, post("/a", safe=True)).attempts == 2


def test_retries_of_a_request_go_before_those_of_its_client() -> None:
    never = Client("http://people.test", retries=0)
    assert run(calls_on(ByHand(Reply(503), ok())), never, get("/a")).attempts == 1
    assert run(calls_on(ByHand(Reply(503), ok())), never, get("/a", retries=1)).attempts == 2
    assert (
        run(calls_on(ByHand(Reply(503), ok())), Client("http://a.test"), get("/a", retries=0)).attempts == 1
    )


def test_a_retry_waits_as_long_as_the_backend_asks(client: Client, clock: Clock) -> None:
    transport = OnClock(clock, Reply(503, {"retry-after": "1"}), ok())
    begun = clock.monotonic
    assert run(calls_on(transport), client, get("/a")).attempts == 2
    assert clock.monotonic == begun + 1.0


@pytest.mark.parametrize("asked", ["7", "999999999999", "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_a_reply_that_asks_to_wait_past_the_deadline_stands_at_once(
    client: Client, clock: Clock, asked: str
) -> None:
    begun = clock.monotonic
    result = run(calls_on(OnClock(clock, Reply(503, {"retry-after": asked}), ok())), client, get("/a"))
    assert isinstance(result, Reply)
    assert (result.status, result.attempts) == (503, 1)
    assert clock.monotonic == begun


def test_no_retry_starts_that_cannot_finish(client: Client) -> None:
    transport = ByHand(Reply(503, {"retry-after": "1"}), ok())
    result = run(calls_on(transport, min_try=4.0), client, get("/a", timeout=4.9))
    assert isinstance(result, Reply)
    assert result.status == 503
    assert len(transport.flights) == 1


def test_a_back_off_holds_up_no_other_call(client: Client, clock: Clock) -> None:
    transport = OnClock(clock, Reply(503, {"retry-after": "1"}), ok(), ok())
    calls = calls_on(transport)
    begun = clock.monotonic
    resting, other = start(calls, client, get("/a")), start(calls, client, get("/b"))
    assert calls.wait(begun + 5) == [other]
    assert clock.monotonic == begun
    assert resting.result is None
    assert calls.wait(begun + 5) == [resting]
    assert resting.result is not None
    assert clock.monotonic == begun + 1.0


def test_a_client_s_retries_cannot_storm_however_many_pages_ask_at_once() -> None:
    client = Client("http://people.test", timeout="5s", retries=3, breaker=None)
    client.gate.budget = Budget(per_second=0.0)  # only calls earn retries
    transport, pages = ByHand(*(Reply(503) for _ in range(2000))), 10
    all_in = threading.Barrier(pages)

    def page() -> None:
        all_in.wait(PATIENCE)
        for _ in range(50):
            run(calls_on(transport), client, get("/a"))

    threads = [threading.Thread(target=page) for _ in range(pages)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    retries = len(transport.flights) - pages * 50
    assert 10 <= retries <= 10 + pages * 50 // 10


# --- deadlines ----------------------------------------------------------------------------------------------------


def test_a_call_without_an_answer_ends_at_its_own_time_out(client: Client, clock: Clock) -> None:
    transport = OnClock(clock, None)
    calls = calls_on(transport)
    begun = clock.monotonic
    call = start(calls, client, post("/a", timeout=0.05))
    assert calls.wait(begun + 5) == [call]
    assert call.result == Broken("timeout", sent=True, attempts=1, reason="reply-timeout")
    assert clock.monotonic == begun + 0.05
    assert transport.flights[0].abandoned


def test_the_earliest_of_the_three_deadlines_counts(client: Client, clock: Clock) -> None:
    now = clock.monotonic
    for seconds, timeout, until, expected in ((9, 1, 5, 1), (2, 7, 5, 2), (9, 7, 5, 5), (9, None, None, 5)):
        transport = ByHand()
        calls = Calls(transport, now + seconds)
        start(calls, client, get("/a", timeout=timeout), None if until is None else now + until)
        assert transport.flights[0].request.until == now + expected


def test_no_try_starts_with_less_than_twenty_milliseconds_left(client: Client) -> None:
    transport = ByHand(ok())
    result = run(calls_on(transport, 0.019), client, post("/a"))
    assert isinstance(result, Broken)
    assert (result.kind, result.sent, result.attempts) == ("timeout", False, 0)
    assert transport.flights == []


def test_a_write_is_sent_if_any_try_was(client: Client) -> None:
    transport = ByHand(Broken("refused", sent=True), Broken("refused"))
    calls = calls_on(transport)
    call = start(calls, client, post("/a", repeatable=True))
    transport.flights[0].sent = False
    while call.result is None:
        calls.wait(time.monotonic() + 5)
    assert call.result.sent is True


def test_waiting_for_nothing_returns_at_once(client: Client) -> None:
    assert calls_on(ByHand()).wait(time.monotonic() + 60) == []


def test_an_abandoned_call_is_not_given_any_more(client: Client) -> None:
    transport = ByHand(None, ok(), Reply(503, {"retry-after": "1"}))
    calls = calls_on(transport)
    open_, ended, resting = (start(calls, client, get(path)) for path in ("/a", "/b", "/c"))
    assert calls.wait(time.monotonic() + 1) == [ended]
    for call in (open_, resting):
        calls.abandon(call)
    assert transport.flights[0].abandoned
    assert calls.wait(time.monotonic() + 60) == []


# --- bounds -------------------------------------------------------------------------------------------------------


def test_a_page_makes_no_more_requests_than_it_may_tries_counted(client: Client) -> None:
    transport = ByHand(Reply(503), ok(), ok(), ok())
    calls = calls_on(transport, max_requests=3)
    run(calls, client, get("/a"))
    assert isinstance(run(calls, client, get("/b")), Reply)
    refused = run(calls, client, post("/c"))
    assert isinstance(refused, Broken)
    assert (refused.kind, refused.sent) == ("limit", False)
    assert len(transport.flights) == 3


def test_a_retry_over_the_bound_leaves_the_last_outcome(client: Client) -> None:
    result = run(calls_on(ByHand(Reply(503), ok()), max_requests=1), client, get("/a"))
    assert isinstance(result, Reply)
    assert result.status == 503


def test_the_replies_of_a_page_are_bounded_together(client: Client) -> None:
    transport = ByHand(ok(b"12345"), ok(b"1234"), Broken("too-large"), ok(b"12"))
    calls = calls_on(transport, max_reply=6, max_replies=10)
    assert isinstance(run(calls, client, get("/a")), Reply)
    assert isinstance(run(calls, client, get("/b")), Reply)
    over = run(calls, client, get("/c"))
    assert isinstance(over, Broken)
    assert over.kind == "limit"
    assert [flight.request.max_bytes for flight in transport.flights] == [6, 5, 1]
    last = run(calls, client, get("/d"))
    assert isinstance(last, Broken)
    assert last.kind == "limit"


def test_a_reply_over_its_own_bound_is_too_large(client: Client) -> None:
    result = run(calls_on(ByHand(Broken("too-large"))), client, get("/a"))
    assert isinstance(result, Broken)
    assert result.kind == "too-large"


def test_the_depth_of_a_reply_is_bounded_as_the_page_says(client: Client) -> None:
    from bff.jsontext import TooDeep

    result = run(calls_on(ByHand(ok(b"[[[1]]]")), max_depth=2), client, get("/a"))
    assert isinstance(result, Reply)
    with pytest.raises(TooDeep):
        result.json()


# --- what may be sent ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_",
    [
        get("/a", headers={"X": "a\r\nY: b"}),
        get("/a", headers={"X": "a\x00"}),
        get("/a", headers={"X": "待办"}),
        get("/a", headers={"X Y": "a"}),
        get("/a", headers={"": "a"}),
        get("/a", headers={"host": "other"}),
        get("/a", headers={"Content-Length": "3"}),
        get("/a", headers={"COOKIE": "a=b"}),
        get("/a", headers={"Authorization": "Bearer x"}),
        get("/a/../b"),
        get("/a/%2e%2E/b"),
        get("/."),
        get("//a/..?x=1"),
        get("a"),
        get(""),
        get("/a\\b", content_type="a\nb"),
        post("/a", content_type="a\r\nb: c"),
    ],
    ids=lambda one: f"{one.request.path!r} {dict(one.request.headers)!r}",
)
def test_a_request_that_could_be_read_otherwise_is_refused(client: Client, request_: Any) -> None:
    transport = ByHand(ok())
    with pytest.raises(ValueError):
        start(calls_on(transport), client, request_)
    assert transport.flights == []


def test_a_request_may_not_set_its_client_s_key() -> None:
    client = Client("http://people.test", auth=ApiKey("X-Key", "secret"))
    with pytest.raises(ValueError, match="x-key"):
        start(calls_on(ByHand()), client, get("/a", headers={"x-key": "other"}))


def test_a_visitor_s_token_goes_only_where_its_client_forwards_it(client: Client) -> None:
    forwarding = Client("http://people.test", auth=forward_token("people"))
    transport = ByHand(ok(), ok())
    run(calls_on(transport), forwarding, get("/a", token="abc"))
    run(calls_on(transport), forwarding, get("/a"))
    sent = [flight.request.headers.get("Authorization") for flight in transport.flights]
    assert sent == ["Bearer abc", None]
    for asked, token in ((client, "abc"), (forwarding, "a\r\nb")):
        with pytest.raises(ValueError):
            start(calls_on(ByHand()), asked, get("/a", token=token))


def test_a_reply_to_one_token_is_not_kept_for_another() -> None:
    forwarding = Client("http://people.test", auth=forward_token("people"))
    transport = ByHand(ok(), ok(), ok())
    for token in ("abc", "def", "abc", None):
        run(calls_on(transport), forwarding, get("/a", token=token, cache=CacheTerms(60.0)))
    assert len(transport.flights) == 3


def test_a_backslash_is_encoded(client: Client) -> None:
    transport = ByHand(ok())
    run(calls_on(transport), client, get("/a\\b"))
    assert transport.flights[0].request.url == "http://people.test/a%5Cb"


# --- the cache ----------------------------------------------------------------------------------------------------


def test_a_kept_reply_needs_no_try(client: Client) -> None:
    transport = ByHand(ok(b'{"a": 1}'), ok(b"2"))
    first = run(calls_on(transport), client, get("/a", cache=CacheTerms(60.0)))
    second = run(calls_on(transport), client, get("/a", cache=CacheTerms(60.0)))
    assert isinstance(first, Reply) and isinstance(second, Reply)
    assert (first.from_cache, second.from_cache, second.attempts) == (False, True, 0)
    assert first.json() == second.json()
    assert first.json() is not second.json()
    assert len(transport.flights) == 1


@pytest.mark.parametrize(
    "other",
    [
        get("/b", cache=CacheTerms(60.0)),
        get("/a", cache=CacheTerms(60.0), query=(("q", "1"),)),
        get("/a", cache=CacheTerms(60.0), headers={"Accept-Language": "zh"}),
        get("/a", cache=CacheTerms(60.0), visitor=b"2"),
        get("/a", cache=CacheTerms(60.0), body=b"{}"),
        get("/a"),
    ],
    ids=["path", "query", "header", "visitor", "body", "no cache"],
)
def test_another_request_is_no_hit(client: Client, other: Any) -> None:
    transport = ByHand(ok(), ok())
    run(calls_on(transport), client, get("/a", cache=CacheTerms(60.0)))
    assert run(calls_on(transport), client, other).attempts == 1


def test_request_ids_make_no_difference_to_the_cache(client: Client) -> None:
    transport = ByHand(ok())
    for request_id in ("one", "two"):
        calls = Calls(transport, time.monotonic() + 5, request_id=request_id)
        assert isinstance(run(calls, client, get("/a", cache=CacheTerms(60.0))), Reply)
    assert len(transport.flights) == 1


def test_only_successes_of_safe_requests_are_kept(client: Client) -> None:
    transport = ByHand(Reply(404), Reply(404), ok(), ok())
    for request in (get("/a", cache=CacheTerms(60.0)),) * 2 + (post("/a", cache=CacheTerms(60.0)),) * 2:
        run(calls_on(transport), client, request)
    assert len(transport.flights) == 4


def test_one_backend_s_cache_is_not_another_s() -> None:
    transport = ByHand(ok(), ok())
    for _ in range(2):
        run(calls_on(transport), Client("http://people.test"), get("/a", cache=CacheTerms(60.0)))
    assert len(transport.flights) == 2
