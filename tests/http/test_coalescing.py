"""A read that is under way already is not sent again within its page."""

from __future__ import annotations

import time
from typing import Any

import pytest

from bff.http import Broken, CacheTerms, Call, Calls, Client, Reply, forward_token
from tests.http.calling import ByHand, calls_on, get, ok, post, run, start


@pytest.fixture
def client() -> Client:
    return Client("http://people.test", timeout="5s", retries=0)


def both(calls: Calls, *started: Call) -> list[Any]:
    while any(call.result is None for call in started):
        assert calls.wait(time.monotonic() + 5)
    return [call.result for call in started]


def test_equal_reads_are_one_request_and_each_has_its_own_reply(client: Client) -> None:
    transport = ByHand(ok(b'{"a": []}'))
    calls = calls_on(transport)
    first, second, third = both(calls, *(start(calls, client, get("/a")) for _ in range(3)))
    assert len(transport.flights) == 1
    assert first.json() == second.json() == third.json()
    first.json()["a"].append(1)
    assert second.json() == third.json() == {"a": []}


def test_equal_reads_fail_together(client: Client) -> None:
    transport = ByHand(Broken("refused"))
    calls = calls_on(transport)
    first, second = both(calls, start(calls, client, get("/a")), start(calls, client, get("/a")))
    assert first == second == Broken("refused", sent=True, attempts=1)


def test_a_post_that_only_reads_is_shared_too(client: Client) -> None:
    transport = ByHand(ok())
    calls = calls_on(transport)
    both(calls, *(start(calls, client, post("/a", safe=True, body=b"{}")) for _ in range(2)))
    assert len(transport.flights) == 1


@pytest.mark.parametrize(
    "other",
    [
        get("/b"),
        get("/a", query=(("q", "1"),)),
        get("/a", headers={"Accept-Language": "zh"}),
        get("/a", body=b"{}"),
        get("/a", timeout=1.0),
        get("/a", retries=3),
        get("/a", hedge=0.5),
        post("/a", safe=True),
    ],
    ids=["path", "query", "header", "body", "time-out", "retries", "hedge", "method"],
)
def test_another_read_is_sent(client: Client, other: Any) -> None:
    transport = ByHand(ok(), ok())
    calls = calls_on(transport)
    both(calls, start(calls, client, get("/a")), start(calls, client, other))
    assert len(transport.flights) == 2


def test_another_client_is_asked_itself() -> None:
    transport = ByHand(ok(), ok())
    calls = calls_on(transport)
    both(calls, *(start(calls, Client("http://people.test"), get("/a")) for _ in range(2)))
    assert len(transport.flights) == 2


def test_another_token_is_another_read() -> None:
    forwarding = Client("http://people.test", auth=forward_token("people"))
    transport = ByHand(ok(), ok())
    calls = calls_on(transport)
    both(calls, *(start(calls, forwarding, get("/a", token=token)) for token in ("abc", "def")))
    assert len(transport.flights) == 2


def test_equal_writes_are_all_sent(client: Client) -> None:
    transport = ByHand(ok(), ok(), ok())
    calls = calls_on(transport)
    both(calls, *(start(calls, client, post("/a", body=b"{}", repeatable=True)) for _ in range(3)))
    assert len(transport.flights) == 3


def test_a_read_after_it_ended_is_sent_again(client: Client) -> None:
    transport = ByHand(ok(), ok())
    calls = calls_on(transport)
    for _ in range(2):
        run(calls, client, get("/a"))
    assert len(transport.flights) == 2


def test_pages_share_nothing(client: Client) -> None:
    transport = ByHand()
    for _ in range(2):
        start(calls_on(transport), client, get("/a"))
    assert len(transport.flights) == 2


def test_a_read_after_a_write_is_not_answered_by_one_from_before_it(client: Client) -> None:
    transport = ByHand(None, ok(), ok(b"2"))
    calls = calls_on(transport)
    before = start(calls, client, get("/a"))
    run(calls, client, post("/a"))
    [after] = both(calls, start(calls, client, get("/a")))
    assert len(transport.flights) == 3
    assert after.json() == 2
    assert before.result is None


def test_giving_one_up_leaves_the_other(client: Client) -> None:
    transport = ByHand(None)
    calls = calls_on(transport)
    first, second = start(calls, client, get("/a")), start(calls, client, get("/a"))
    calls.abandon(first)
    assert not transport.flights[0].abandoned
    transport.flights[0].outcome = ok()
    assert both(calls, second)[0].status == 200
    assert first.result is None


def test_giving_both_up_gives_up_the_request(client: Client) -> None:
    transport = ByHand(None)
    calls = calls_on(transport)
    for call in [start(calls, client, get("/a")), start(calls, client, get("/a"))]:
        calls.abandon(call)
    assert transport.flights[0].abandoned
    assert calls.wait(time.monotonic() + 60) == []


def test_one_that_came_later_has_its_own_time(client: Client) -> None:
    transport = ByHand(None, ok())
    calls = calls_on(transport)
    first = start(calls, client, get("/a"), until=time.monotonic() + 0.03)
    second = start(calls, client, get("/a"))
    assert calls.wait(time.monotonic() + 5) == [first]
    assert isinstance(first.result, Broken) and first.result.kind == "timeout"
    transport.flights[0].outcome = Broken("timeout")  # as the transport says at the end of its try
    assert both(calls, second)[0].status == 200
    assert len(transport.flights) == 2


def test_shared_replies_count_against_the_page_s_bytes_as_often_as_they_are_used(client: Client) -> None:
    calls = calls_on(ByHand(ok(b"12345")), max_replies=12)
    results = both(calls, *(start(calls, client, get("/a")) for _ in range(3)))
    assert [isinstance(result, Reply) for result in results] == [True, True, False]
    assert results[2].kind == "limit"


def test_a_shared_reply_is_kept_for_the_step_that_asked_for_it(client: Client) -> None:
    transport = ByHand(ok(b"7"))
    calls = calls_on(transport)
    both(calls, start(calls, client, get("/a")), start(calls, client, get("/a", cache=CacheTerms(60.0))))
    kept = run(calls_on(transport), client, get("/a", cache=CacheTerms(60.0)))
    assert isinstance(kept, Reply)
    assert (kept.from_cache, kept.json()) == (True, 7)
