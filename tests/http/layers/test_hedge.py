"""A second copy of a read when the first is late."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from bff import clock
from bff.breaker import Breaker
from bff.http import Broken, Call, Calls, Client, Reply, ThreadTransport
from bff.http.budget import budget_of_hedges
from bff.http.stock import connections
from tests.clock import Clock
from tests.fakes import PATIENCE, FakeBackend, Received, Wire, after, answer, hang
from tests.http.calling import ByHand, OnClock, calls_on, finish, get, ok, patient, post, reply_of, run, start

SOON = 0.01
"""A hedge that is due at once, in seconds."""


@pytest.fixture
def client() -> Client:
    return Client("http://people.test", timeout="5s", retries=0)


def until_sent(calls: Calls, transport: ByHand, count: int) -> None:
    """Lets the timers run until so many tries were sent."""
    end = time.monotonic() + PATIENCE
    while len(transport.flights) < count:
        assert calls.wait(clock.monotonic() + SOON) == [] and time.monotonic() < end


def hedged(client: Client, transport: ByHand, **limits: Any) -> tuple[Calls, Call]:
    calls = calls_on(transport, **limits)
    call = start(calls, client, get("/a", hedge=SOON))
    until_sent(calls, transport, 2)
    return calls, call


def test_a_late_read_is_sent_a_second_time_and_only_once_more(client: Client) -> None:
    transport = ByHand()
    calls, call = hedged(client, transport)
    assert calls.wait(time.monotonic() + 5 * SOON) == []
    assert len(transport.flights) == 2
    assert transport.flights[0].request.url == transport.flights[1].request.url
    assert call.result is None


@pytest.mark.parametrize(("winner", "loser"), [(0, 1), (1, 0)])
def test_the_first_good_reply_wins_and_the_other_is_dropped(client: Client, winner: int, loser: int) -> None:
    transport = ByHand()
    calls, call = hedged(client, transport)
    transport.flights[winner].outcome = ok(b"7")
    assert calls.wait(time.monotonic() + 5) == [call]
    assert isinstance(call.result, Reply)
    assert (call.result.json(), call.result.attempts) == (7, 2)
    assert transport.flights[loser].abandoned
    assert not transport.flights[winner].abandoned
    assert calls.wait(time.monotonic() + 60) == []


@pytest.mark.parametrize("bad", [Reply(500), Reply(503), Reply(429), Broken("refused"), Broken("too-large")])
def test_a_copy_that_fails_does_not_end_the_other(client: Client, bad: Any) -> None:
    transport = ByHand()
    calls, call = hedged(client, transport)
    transport.flights[1].outcome = bad
    assert calls.wait(time.monotonic() + SOON) == []
    transport.flights[0].outcome = ok(b"7")
    assert calls.wait(time.monotonic() + 5) == [call]
    assert isinstance(call.result, Reply)
    assert call.result.json() == 7


def test_when_both_fail_a_reply_says_more_than_none(client: Client) -> None:
    transport = ByHand()
    calls, call = hedged(client, transport)
    transport.flights[0].outcome = Reply(500)
    transport.flights[1].outcome = Broken("refused")
    assert calls.wait(time.monotonic() + 5) == [call]
    assert isinstance(call.result, Reply)
    assert call.result.status == 500


def test_both_that_end_in_the_same_moment_give_one_result(client: Client) -> None:
    transport = ByHand()
    calls, call = hedged(client, transport)
    for flight in transport.flights:
        flight.outcome = ok()
    assert calls.wait(time.monotonic() + 5) == [call]
    assert calls.wait(time.monotonic() + 60) == []


def test_both_are_dropped_at_the_time_out(client: Client, clock: Clock) -> None:
    transport = OnClock(clock)
    calls = calls_on(transport)
    call = start(calls, client, get("/a", timeout=1.0, hedge=SOON))
    until_sent(calls, transport, 2)
    assert calls.wait(clock.monotonic + 5) == [call]
    assert call.result == Broken("timeout", sent=True, attempts=2, reason="reply-timeout")
    assert [flight.abandoned for flight in transport.flights] == [True, True]


def test_both_are_dropped_when_the_page_gives_up(client: Client) -> None:
    transport = ByHand()
    calls, call = hedged(client, transport)
    calls.abandon(call)
    assert [flight.abandoned for flight in transport.flights] == [True, True]


def test_an_early_read_is_not_sent_again(client: Client) -> None:
    transport = ByHand(ok())
    run(calls_on(transport), client, get("/a", hedge=SOON))
    assert len(transport.flights) == 1


@pytest.mark.parametrize("write", [post("/a", hedge=SOON), post("/a", hedge=SOON, repeatable=True)])
def test_a_write_is_never_sent_again(client: Client, write: Any) -> None:
    transport = ByHand()
    calls = calls_on(transport)
    start(calls, client, write)
    assert calls.wait(time.monotonic() + 5 * SOON) == []
    assert len(transport.flights) == 1


def late(client: Client, *, transport: ByHand | None = None, **limits: Any) -> ByHand:
    """Starts a read that stays silent past its hedge, and gives it up; gives the transport."""
    transport = transport or ByHand()
    calls = calls_on(transport, **limits)
    start(calls, client, get("/a", hedge=SOON))
    assert calls.wait(clock.monotonic() + 3 * SOON) == []
    calls.close()
    return transport


def test_second_copies_count_against_the_page_s_requests(client: Client) -> None:
    assert len(late(client, max_requests=1).flights) == 1
    assert len(late(client, max_requests=2).flights) == 2


def test_no_second_copy_is_sent_to_a_full_client() -> None:
    full = Client("http://people.test", timeout="5s", concurrency=1)
    assert len(late(full).flights) == 1
    assert full.gate.enter(first=True)


def test_a_second_copy_takes_a_place_and_gives_it_back() -> None:
    client = Client("http://people.test", timeout="5s", concurrency=2)
    transport = ByHand()
    calls, _ = hedged(client, transport)
    assert not client.gate.enter(first=True)
    transport.flights[1].outcome = ok()
    calls.wait(time.monotonic() + 5)
    assert [client.gate.enter(first=True) for _ in range(3)] == [True, True, False]


def test_the_one_request_of_a_breaker_that_tries_has_no_copy(clock: Clock) -> None:
    client = Client("http://people.test", timeout="5s", breaker=Breaker(failures=1))
    client.gate.circuit.failed(client.gate.circuit.enter(1e9) or 0)
    clock.go_on(100.0)
    assert len(late(client, transport=OnClock(clock)).flights) == 1


def test_second_copies_are_a_twentieth_of_a_client_s_reads_under_a_storm() -> None:
    client = Client("http://people.test", timeout="5s", concurrency=1000)
    pages, reads = 8, 50
    transports = [ByHand() for _ in range(pages)]
    all_in = threading.Barrier(pages)

    def page(transport: ByHand) -> None:
        all_in.wait(PATIENCE)
        calls = calls_on(transport)
        for at in range(reads):
            start(calls, client, get(f"/{at}", hedge=SOON))
        assert calls.wait(time.monotonic() + 10 * SOON) == []
        calls.close()

    threads = [threading.Thread(target=page, args=(transport,)) for transport in transports]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    copies = sum(len(transport.flights) for transport in transports) - pages * reads
    assert 1 <= copies <= 1 + pages * reads // 20


def test_the_budget_of_second_copies_is_bounded_and_no_time_fills_it(clock: Clock) -> None:
    budget = budget_of_hedges()
    assert [budget.spend(), budget.spend()] == [True, False]
    clock.go_on(1e6)
    assert not budget.spend()
    for _ in range(1000):
        budget.earn()
    assert [budget.spend() for _ in range(11)] == [True] * 10 + [False]


def test_a_retry_follows_when_both_copies_failed() -> None:
    client = Client("http://people.test", timeout="5s", retries=1)
    transport = ByHand(None, None, ok(b"7"))
    calls, call = hedged(client, transport)
    for flight in transport.flights:
        flight.outcome = Reply(503)
    finish(calls, call)
    assert isinstance(call.result, Reply)
    assert (call.result.json(), call.result.attempts) == (7, 3)


# --- on real sockets ----------------------------------------------------------------------------------------------

MakeCalls = Callable[..., Calls]


def test_the_loser_s_connection_is_closed_and_not_used_again(
    backend: FakeBackend, make_calls: MakeCalls
) -> None:
    client = patient(backend.url)
    backend.on("GET /a", hang, answer(json="second"))
    backend.on("GET /b", answer(json="b"))
    reply = reply_of(make_calls(), client, get("/a", hedge=SOON))
    assert reply.json() == "second"
    assert backend.wait_for_connections(1), "the loser's connection was left open"
    for _ in range(3):
        assert reply_of(make_calls(), client, get("/b")).json() == "b"
    loser = backend.requests[0].connection
    assert loser not in {request.connection for request in backend.requests[1:]}


def test_a_loser_that_answers_late_answers_nobody_else(backend: FakeBackend, make_calls: MakeCalls) -> None:
    released = threading.Event()
    client = patient(backend.url)
    backend.on("GET /a", after(released, answer(json="late")), answer(json="second"))
    backend.on("GET /b", answer(json="b"))
    assert reply_of(make_calls(), client, get("/a", hedge=SOON)).json() == "second"
    released.set()
    for _ in range(5):
        assert reply_of(make_calls(), client, get("/b")).json() == "b"


def test_a_loser_in_the_middle_of_its_body_is_cut(backend: FakeBackend, make_calls: MakeCalls) -> None:
    begun = threading.Event()

    def half_then_silence(_: Received, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n[1, ")
        begun.set()
        wire.until_closed()

    client = patient(backend.url)
    backend.on("GET /a", half_then_silence, after(begun, answer(json="second")))
    assert reply_of(make_calls(), client, get("/a", hedge=SOON)).json() == "second"
    assert backend.wait_for_connections(1)


def test_a_call_that_is_given_up_frees_its_thread_at_once(
    backend: FakeBackend, make_calls: MakeCalls
) -> None:
    client = Client(backend.url, timeout="60s", concurrency=2)
    backend.on("GET /a", hang)
    for _ in range(8):  # each would hold a thread and a place for a minute
        calls = make_calls(60.0)
        before = len(backend.requests)
        call = start(calls, client, get("/a"))
        assert backend.wait_for_requests(before + 1)
        calls.abandon(call)
    assert backend.wait_for_connections(0)


@pytest.mark.parametrize("transport", [ThreadTransport], ids=["threads"], indirect=True)
def test_another_connection_that_is_closed_in_its_thread_leaves_a_call_to_be_cut(
    backend: FakeBackend, make_calls: MakeCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = connections._TimedReader.readinto
    closed = threading.Event()

    def collecting(reader: Any, buffer: Any) -> int | None:
        other = connections._PlainConnection("127.0.0.1", backend_port)
        other.connect()
        other.close()  # as collecting garbage does
        closed.set()
        return read(reader, buffer)

    backend_port = int(backend.url.rpartition(":")[2])
    monkeypatch.setattr(connections._TimedReader, "readinto", collecting)
    backend.on("GET /a", hang)
    calls = make_calls(60.0)
    call = start(calls, Client(backend.url, timeout="60s"), get("/a"))
    assert backend.wait_for_requests(1) and closed.wait(PATIENCE)
    calls.abandon(call)
    assert backend.wait_for_connections(0)
