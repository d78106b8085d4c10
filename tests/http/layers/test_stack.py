"""Which layers are around the tries of a call."""

from __future__ import annotations

import pytest

from bff import clock
from bff.http import Client, OutgoingRequest, Reply
from tests.clock import Clock
from tests.http.calling import ByHand, calls_on, get, ok, start


def test_a_call_has_the_layers_of_its_way_until_it_has_ended() -> None:
    calls = calls_on(ByHand())
    way = calls.way(Client("http://people.test"), "GET", safe=True, hedge=0.1)
    call = calls.start(way, OutgoingRequest("/a"))
    assert tuple(type(layer) for layer in call.layers) == way.layers
    calls.abandon(call)
    assert call.layers == ()


@pytest.mark.parametrize("full", ["client", "page"])
def test_a_copy_for_which_there_is_no_room_spends_nothing_of_the_budget(full: str) -> None:
    client = Client("http://people.test", timeout="5s", concurrency=1 if full == "client" else 9)
    calls = calls_on(ByHand(), max_requests=1 if full == "page" else 9)
    start(calls, client, get("/a", hedge=0.0))
    calls.wait(clock.monotonic())
    assert calls.ledger.tries == 1
    assert client.gate.hedges.tokens == pytest.approx(1.05)
    calls.close()


def test_one_that_goes_on_alone_after_its_leader_was_given_up_is_tried_again(clock: Clock) -> None:
    transport = ByHand(None, ok(b"7"))
    calls = calls_on(transport)
    client = Client("http://people.test", retries=1)
    first, second = (start(calls, client, get("/a")) for _ in range(2))
    calls.abandon(first)
    transport.flights[0].outcome = Reply(503, {"retry-after": "0"})
    while second.result is None:
        calls.wait(clock.monotonic)
        clock.go_on(0.2)
    assert isinstance(second.result, Reply) and (second.result.json(), second.result.attempts) == (7, 2)
    assert first.result is None
