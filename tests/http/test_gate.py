"""A client with as many calls under way as it may have: others are refused at once, a page waits for its own."""

from __future__ import annotations

import time

import pytest

from bff.http import Broken, CallError, Client, Reply
from bff.http.gate import Gate
from tests.fakes import FakeBackend, hang
from tests.http.calling import ByHand, calls_on, get, ok, post, run, start


def full(*, places: int = 2) -> tuple[Client, ByHand]:
    client = Client("http://people.test", timeout="5s", concurrency=places)
    return client, ByHand()


def test_a_full_client_refuses_another_page_at_once() -> None:
    client, transport = full(places=2)
    page = calls_on(transport)
    for path in ("/a", "/b"):
        start(page, client, get(path))
    begun = time.monotonic()
    for request in (get("/c"), post("/c")):
        refused = run(calls_on(transport), client, request)
        assert isinstance(refused, Broken)
        assert (refused.kind, refused.sent, refused.retry_after) == ("full", False, 1)
    assert time.monotonic() - begun < 0.5
    assert len(transport.flights) == 2


def test_a_place_is_free_again_when_a_call_has_ended_or_was_given_up() -> None:
    client, transport = full(places=1)
    page, other = calls_on(transport), calls_on(transport)
    for _ in range(3):
        call = start(page, client, get("/a"))
        transport.flights[-1].outcome = ok()
        assert page.wait(time.monotonic() + 5) == [call]
    page.abandon(start(page, client, get("/a")))
    start(page, client, get("/a"))
    page.close()
    transport.outcomes.append(ok())
    assert isinstance(run(other, client, get("/b")), Reply)


def test_a_page_s_own_surplus_waits_for_its_own_calls_in_order() -> None:
    client, transport = full(places=2)
    page = calls_on(transport)
    started = [start(page, client, get(f"/{at}")) for at in range(5)]
    assert len(transport.flights) == 2
    ended = []
    for at in range(5):
        transport.flights[at].outcome = ok()
        ended += page.wait(time.monotonic() + 5)
        assert len(transport.flights) == min(5, at + 2)
    assert ended == started
    assert all(isinstance(call.result, Reply) for call in started)
    assert [flight.request.url[-2:] for flight in transport.flights] == ["/0", "/1", "/2", "/3", "/4"]


def test_a_place_is_handed_on_within_the_page_and_not_to_another() -> None:
    client, transport = full(places=1)
    page, other = calls_on(transport), calls_on(transport)
    first, second = start(page, client, get("/a")), start(page, client, get("/b"))
    transport.flights[0].outcome = ok()
    assert page.wait(time.monotonic() + 5) == [first]
    assert run(other, client, get("/c")).kind == "full"
    page.wait(time.monotonic())
    transport.flights[1].outcome = ok()
    assert page.wait(time.monotonic() + 5) == [second]


def test_a_call_that_waits_for_its_page_s_own_ends_at_its_time_out() -> None:
    client, transport = full(places=1)
    page = calls_on(transport)
    start(page, client, get("/a"))
    waiting = start(page, client, get("/b", timeout=0.03))
    assert page.wait(time.monotonic() + 5) == [waiting]
    assert isinstance(waiting.result, Broken)
    assert (waiting.result.kind, waiting.result.sent) == ("full", False)


def test_a_call_that_was_given_up_while_it_waited_is_never_sent() -> None:
    client, transport = full(places=1)
    page = calls_on(transport)
    first, waiting = start(page, client, get("/a")), start(page, client, get("/b"))
    page.abandon(waiting)
    transport.flights[0].outcome = ok()
    assert page.wait(time.monotonic() + 5) == [first]
    assert page.wait(time.monotonic() + 5) == []
    assert len(transport.flights) == 1
    assert run(calls_on(ByHand(ok())), client, get("/c")).status == 200


def test_the_bound_on_requests_holds_for_those_that_waited() -> None:
    client, transport = full(places=1)
    page = calls_on(transport, max_requests=2)
    calls = [start(page, client, get(f"/{at}")) for at in range(4)]
    for at in range(2):
        transport.flights[at].outcome = ok()
        page.wait(time.monotonic() + 5)
        page.wait(time.monotonic())
    kinds = [call.result.kind for call in calls if isinstance(call.result, Broken)]
    assert kinds == ["limit", "limit"]
    assert run(calls_on(ByHand(ok())), client, get("/c")).status == 200


def test_a_retry_gives_its_place_up_while_it_rests() -> None:
    client = Client("http://people.test", timeout="5s", concurrency=1)
    transport = ByHand(Reply(503, {"retry-after": "2"}), ok())
    page, other = calls_on(transport), calls_on(transport)
    start(page, client, get("/a"))
    page.wait(time.monotonic())
    assert isinstance(run(other, client, get("/b")), Reply)
    page.close()


def test_a_hundred_pages_that_fail_leave_every_place_free() -> None:
    client = Client("http://people.test", timeout="5s", retries=0, concurrency=3, breaker=None)
    for at in range(100):
        transport = ByHand(Broken("refused"), None, Reply(500), None)
        page = calls_on(transport, max_requests=1 + at % 6)
        for number in range(6):
            start(page, client, get(f"/{number}", timeout=0.5))
        page.wait(time.monotonic())
        page.close()
    places = [client.gate.enter(first=True) for _ in range(4)]
    assert places == [True, True, True, False]


@pytest.mark.parametrize(("places", "further"), [(1, 1), (2, 2), (8, 8), (9, 8), (16, 8), (64, 32), (65, 33)])
def test_pages_with_many_calls_leave_half_of_many_places_to_others(places: int, further: int) -> None:
    gate = Gate(places)
    assert gate.enter(first=True)
    assert sum(gate.enter(first=False) for _ in range(100)) == further - 1
    assert sum(gate.enter(first=True) for _ in range(100)) == places - further


def test_a_view_by_hand_is_told_that_the_client_is_full(backend: FakeBackend) -> None:
    backend.on("GET /slow", hang)
    client = Client(backend.url, timeout="5s", concurrency=1)
    assert client.gate.enter(first=True)
    with pytest.raises(CallError) as raised:
        client.get("/slow")
    assert (raised.value.kind, raised.value.status, raised.value.retry_after) == ("full", 503, 1)
    assert backend.requests == []
