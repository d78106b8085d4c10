"""A call that begins later than it is made."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bff.http import Broken, Call, Calls, Client, Limits, Reply
from bff.http.counted import CountedCalls
from tests.clock import Clock
from tests.http.calling import OnClock, calls_on, get, ok, start


@pytest.fixture
def clock() -> Iterator[Clock]:
    found = Clock()
    yield found
    found.close()


@pytest.fixture
def client() -> Client:
    return Client("http://people.test", timeout="2s", retries=1)


def start_later(calls: Calls, client: Client, moment: float, until: float) -> Call:
    asked = get("/a")
    return calls.start_later(calls.way(client, asked.method, **asked.terms), asked.request, moment, until)


def test_it_begins_at_its_moment_with_all_of_its_time(client: Client, clock: Clock) -> None:
    transport = OnClock(clock, ok())
    calls, begun = calls_on(transport, 60.0), clock.monotonic
    call = start_later(calls, client, begun + 3, begun + 30)
    assert transport.flights == []
    assert calls.wait(begun + 1) == []
    assert (transport.flights, clock.monotonic) == ([], begun + 1)
    assert calls.wait(begun + 10) == [call]
    [flight] = transport.flights
    assert (clock.monotonic, flight.request.until) == (begun + 3, begun + 5)
    assert isinstance(call.result, Reply)


def test_it_has_no_more_time_than_is_left(client: Client, clock: Clock) -> None:
    transport = OnClock(clock, None)
    calls, begun = calls_on(transport, 60.0), clock.monotonic
    call = start_later(calls, client, begun + 3, begun + 4)
    assert calls.wait(begun + 10) == [call]
    assert call.result == Broken("timeout", sent=True, attempts=1, reason="reply-timeout")
    assert clock.monotonic == begun + 4


def test_one_that_is_given_up_never_begins(client: Client, clock: Clock) -> None:
    transport = OnClock(clock)
    calls = calls_on(transport, 60.0)
    call = start_later(calls, client, clock.monotonic + 3, clock.monotonic + 30)
    calls.abandon(call)
    assert calls.wait(clock.monotonic + 10) == []
    assert transport.flights == []


def test_one_whose_time_was_up_before_anybody_looked_is_late(client: Client, clock: Clock) -> None:
    transport = OnClock(clock)
    calls = calls_on(transport, 60.0)
    call = start_later(calls, client, clock.monotonic + 3, clock.monotonic + 4)
    clock.go_on(10)
    assert calls.wait(clock.monotonic + 10) == [call]
    assert call.result == Broken("timeout", reason="no-time")
    assert transport.flights == []


def test_it_holds_no_place_while_it_waits(clock: Clock) -> None:
    client = Client("http://people.test", timeout="2s", retries=0, concurrency=1)
    transport = OnClock(clock, ok(), ok())
    calls = calls_on(transport, 60.0)
    later = start_later(calls, client, clock.monotonic + 3, clock.monotonic + 30)
    now = start(calls, client, get("/b"))
    assert calls.wait(clock.monotonic + 1) == [now]
    assert isinstance(now.result, Reply)
    assert calls.wait(clock.monotonic + 10) == [later]


def test_it_joins_an_equal_one_that_is_under_way_when_it_begins(client: Client, clock: Clock) -> None:
    transport = OnClock(clock, None)
    calls = calls_on(transport, 60.0)
    later = start_later(calls, client, clock.monotonic + 1, clock.monotonic + 30)
    first = start(calls, client, get("/a"))
    assert calls.wait(clock.monotonic + 1.5) == []
    transport.flights[0].outcome = ok()
    assert set(calls.wait(clock.monotonic + 10)) == {first, later}
    assert len(transport.flights) == 1


class Noted:
    """Notes the calls that it is told of."""

    def __init__(self) -> None:
        self.ended: list[tuple[str, float | None]] = []

    def call_ended(self, client: str, outcome: str, seconds: float | None, *_: object) -> None:
        self.ended.append((outcome, seconds))


def test_its_time_is_counted_from_when_it_begins(client: Client, clock: Clock) -> None:
    noted = Noted()
    calls = CountedCalls(noted, OnClock(clock, ok()), clock.monotonic + 60.0, Limits())  # type: ignore[arg-type]
    call = start_later(calls, client, clock.monotonic + 3, clock.monotonic + 30)
    assert calls.wait(clock.monotonic + 10) == [call]
    assert noted.ended == [("2xx", 0.0)]
