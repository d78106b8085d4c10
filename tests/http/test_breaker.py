"""When a client stops asking its backend, and how it starts again."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from bff.breaker import Circuit
from bff.http import Breaker, Broken, CacheTerms, Client, Reply
from tests.clock import Clock
from tests.fakes import PATIENCE
from tests.http.calling import ByHand, calls_on, get, ok, post, run, start

FAR = 1e12


def circuit_of(**rules: Any) -> Circuit:
    return Circuit(Breaker(**rules), jitter=lambda: 0.5)


def fail(circuit: Circuit, times: int = 1) -> None:
    for _ in range(times):
        permit = circuit.enter(FAR)
        assert permit is not None
        circuit.failed(permit)


def succeed(circuit: Circuit, times: int = 1) -> None:
    for _ in range(times):
        permit = circuit.enter(FAR)
        assert permit is not None
        circuit.succeeded(permit)


def test_it_opens_after_so_many_failures_in_a_row(clock: Clock) -> None:
    circuit = circuit_of(failures=3)
    for _ in range(5):
        fail(circuit, 2)
        succeed(circuit)
    fail(circuit, 2)
    assert circuit.enter(FAR) is not None
    fail(circuit)
    assert circuit.enter(FAR) is None
    assert circuit.retry_after == 3


def test_it_opens_when_more_than_a_share_of_a_window_failed(clock: Clock) -> None:
    circuit = circuit_of(failures=100, least=10, rate=0.5, window="10s")
    for _ in range(20):
        succeed(circuit)
        fail(circuit)
    assert circuit.closed  # just half of them is not more than half
    fail(circuit, 1)
    assert not circuit.closed


def test_what_is_older_than_the_window_does_not_count(clock: Clock) -> None:
    circuit = circuit_of(failures=100, least=10, window="10s")
    fail(circuit, 9)
    clock.go_on(11)
    succeed(circuit)
    fail(circuit, 1)
    assert circuit.closed


def test_a_few_outcomes_are_too_little_for_a_share(clock: Clock) -> None:
    circuit = circuit_of(failures=100, least=10)
    fail(circuit, 9)
    assert circuit.closed
    fail(circuit)
    assert not circuit.closed


def test_after_its_rest_exactly_one_is_let_through_however_many_ask(clock: Clock) -> None:
    circuit = circuit_of(failures=1, rest="3s")
    fail(circuit)
    clock.go_on(3.0)
    all_in, permits, lock = threading.Barrier(16), [], threading.Lock()

    def ask() -> None:
        all_in.wait(PATIENCE)
        permit = circuit.enter(FAR)
        with lock:
            permits.append(permit)

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(permits) == 16
    assert len([permit for permit in permits if permit is not None]) == 1


def test_the_one_that_succeeds_closes_it_and_the_one_that_fails_opens_it_again(clock: Clock) -> None:
    circuit = circuit_of(failures=1, rest="3s")
    fail(circuit)
    clock.go_on(3.0)
    fail(circuit)
    assert circuit.enter(FAR) is None
    clock.go_on(3.0)
    succeed(circuit)
    assert circuit.closed
    succeed(circuit)


def test_the_one_that_was_given_up_leaves_its_place_to_the_next(clock: Clock) -> None:
    circuit = circuit_of(failures=1, rest="3s")
    fail(circuit)
    clock.go_on(3.0)
    permit = circuit.enter(FAR)
    assert permit is not None and circuit.enter(FAR) is None
    circuit.left(permit)
    assert circuit.enter(FAR) is not None


def test_the_one_that_never_tells_holds_it_no_longer_than_its_deadline(clock: Clock) -> None:
    circuit = circuit_of(failures=1, rest="3s")
    fail(circuit)
    clock.go_on(3.0)
    lost = circuit.enter(clock.monotonic + 2.0)
    assert lost is not None and circuit.enter(FAR) is None
    clock.go_on(2.0)
    next_ = circuit.enter(clock.monotonic + 2.0)
    assert next_ is not None
    circuit.failed(lost)
    circuit.succeeded(next_)
    assert circuit.closed


def test_what_began_before_it_opened_says_nothing_afterwards(clock: Clock) -> None:
    circuit = circuit_of(failures=1, rest="3s")
    late = circuit.enter(FAR)
    assert late is not None
    fail(circuit)
    circuit.succeeded(late)
    assert not circuit.closed
    clock.go_on(3.0)
    succeed(circuit)
    circuit.failed(late)
    assert circuit.closed


def test_rests_differ_so_that_instances_do_not_come_back_together() -> None:
    rests = set()
    for _ in range(50):
        circuit = Circuit(Breaker(failures=1, rest="4s"))
        permit = circuit.enter(FAR)
        assert permit is not None
        rests.add(circuit.failed(permit))
    assert len(rests) > 40
    assert all(rest is not None and 2.0 <= rest <= 6.0 for rest in rests)


def test_the_same_visitor_s_failures_count_once_in_a_row(clock: Clock) -> None:
    circuit = circuit_of(failures=2)
    for _ in range(10):
        permit = circuit.enter(FAR)
        assert permit is not None
        circuit.failed(permit, b"ann")
    assert circuit.closed
    circuit.failed(circuit.enter(FAR) or 0, b"bo")
    assert not circuit.closed


@pytest.mark.parametrize(
    "wrong",
    [
        {"failures": 0},
        {"failures": True},
        {"least": 201},
        {"rate": 0},
        {"rate": 1.1},
        {"rate": "half"},
        {"window": 10},
        {"rest": "soon"},
    ],
)
def test_a_wrong_rule_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Breaker(**wrong)


def test_a_client_takes_a_breaker_or_none() -> None:
    with pytest.raises(ValueError, match="breaker="):
        Client("http://people.test", breaker=5)  # type: ignore[arg-type]


# --- what the calls of pages tell it ------------------------------------------------------------------------------


def quick(**rules: Any) -> Client:
    client = Client(
        "http://people.test", timeout="5s", retries=0, breaker=Breaker(**{"failures": 3, **rules})
    )
    client.name = "people"
    return client


FAILURES = [Reply(500), Reply(502), Reply(503), Reply(504), Reply(599), Broken("refused"), Broken("timeout")]


@pytest.mark.parametrize("outcome", FAILURES, ids=repr)
def test_a_backend_that_fails_is_spared_at_once(outcome: Any) -> None:
    client, transport = quick(), ByHand(outcome, outcome, outcome)
    for _ in range(3):
        run(calls_on(transport), client, get("/a"))
    begun = time.monotonic()
    for request in (get("/a"), post("/a")):
        spared = run(calls_on(transport), client, request)
        assert isinstance(spared, Broken)
        assert (spared.kind, spared.sent, spared.attempts) == ("breaker", False, 0)
        assert spared.retry_after is not None and 1 <= spared.retry_after <= 5
    assert time.monotonic() - begun < 0.5
    assert len(transport.flights) == 3


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 409, 422, 429])
def test_what_a_visitor_did_wrong_opens_nothing(status: int) -> None:
    client, transport = quick(), ByHand(*(Reply(status) for _ in range(30)))
    for _ in range(30):
        assert isinstance(run(calls_on(transport), client, get("/a")), Reply)


@pytest.mark.parametrize("kind", ["too-large", "limit", "full"])
def test_what_is_not_the_backend_s_fault_opens_nothing(kind: Any) -> None:
    client, transport = quick(), ByHand(*(Broken(kind) for _ in range(30)))
    for _ in range(30):
        assert run(calls_on(transport), client, get("/a")).attempts == 1


def test_one_page_counts_once_however_many_of_its_calls_fail() -> None:
    client, transport = quick(), ByHand(*(Reply(500) for _ in range(40)))
    calls = calls_on(transport)
    for at in range(20):
        assert isinstance(run(calls, client, get(f"/{at}")), Reply)
    assert client.gate.circuit.closed


def test_one_visitor_s_500s_open_nothing_and_another_s_beside_them_do() -> None:
    client, transport = quick(), ByHand(*(Reply(500) for _ in range(60)))
    for _ in range(20):
        assert isinstance(run(calls_on(transport), client, get("/a", visitor=b"ann")), Reply)
    assert client.gate.circuit.closed
    for visitor in (b"bo", b"ann", b"bo"):
        run(calls_on(transport), client, get("/a", visitor=visitor))
    assert not client.gate.circuit.closed


def test_a_visitor_s_time_outs_are_the_backend_s() -> None:
    client, transport = quick(), ByHand(*(Broken("timeout") for _ in range(3)))
    for _ in range(3):
        run(calls_on(transport), client, get("/a", visitor=b"ann"))
    assert not client.gate.circuit.closed


def test_a_page_that_used_up_its_time_elsewhere_says_nothing_by_its_time_out() -> None:
    client = quick(failures=1)
    calls = calls_on(ByHand(Broken("timeout")), seconds=5.0)
    run(calls, client, get("/a", timeout=5.0))
    assert not client.gate.circuit.closed
    other = quick(failures=1)
    late = calls_on(ByHand(Broken("timeout")), seconds=5.0)
    call = start(late, other, get("/a", timeout=5.0), until=time.monotonic() + 1.0)
    late.wait(time.monotonic() + 1)
    assert isinstance(call.result, Broken)
    assert other.gate.circuit.closed


def test_a_silent_backend_counts_as_a_time_out() -> None:
    client, transport = quick(failures=1), ByHand(None)
    assert run(calls_on(transport), client, get("/a", timeout=0.03)) == Broken(
        "timeout", sent=True, attempts=1, reason="reply-timeout"
    )
    assert not client.gate.circuit.closed


def test_retries_that_the_breaker_cuts_off_leave_the_last_outcome() -> None:
    client, transport = quick(failures=1), ByHand(Reply(503), ok())
    result = run(calls_on(transport), client, get("/a", retries=3))
    assert isinstance(result, Reply)
    assert (result.status, len(transport.flights)) == (503, 1)


def test_a_kept_reply_is_given_while_the_backend_is_spared() -> None:
    client, transport = quick(failures=1), ByHand(ok(b"7"), Reply(500))
    run(calls_on(transport), client, get("/kept", cache=CacheTerms(60.0)))
    run(calls_on(transport), client, get("/a"))
    kept = run(calls_on(transport), client, get("/kept", cache=CacheTerms(60.0)))
    assert isinstance(kept, Reply)
    assert kept.from_cache


def test_it_comes_back_with_one_request_and_says_so(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    client = quick()
    client.gate.circuit = circuit_of(failures=1, rest="3s")
    transport = ByHand(Reply(500), None, ok(b"2"))
    run(calls_on(transport), client, get("/a"))
    clock.go_on(3.0)
    first, second = calls_on(transport), calls_on(transport)
    trying = start(first, client, get("/a"))
    assert run(second, client, get("/a")).kind == "breaker"
    transport.flights[1].outcome = ok(b"1")
    assert first.wait(clock.monotonic + PATIENCE) == [trying]
    assert run(second, client, get("/b")).status == 200
    assert [record.message for record in caplog.records] == [
        "client people: failed too often, is not asked for 3.0 s",
        "client people: answers again",
    ]


def test_without_a_breaker_a_backend_is_asked_for_ever() -> None:
    client = Client("http://people.test", retries=0, breaker=None)
    transport = ByHand(*(Reply(500) for _ in range(60)))
    for _ in range(60):
        assert isinstance(run(calls_on(transport), client, get("/a")), Reply)
