"""Which layers are around the tries of a call."""

from __future__ import annotations

from typing import Any

import pytest

from bff import clock
from bff.http import CacheTerms, Client, Reply
from tests.clock import Clock
from tests.http.calling import ByHand, calls_on, get, ok, post, run


@pytest.mark.parametrize(
    ("request_", "layers"),
    [
        (post("/a"), ["Sparing", "Bounds"]),
        (post("/a", repeatable=True), ["Sparing", "Bounds", "Retry"]),
        (post("/a", hedge=0.1), ["Sparing", "Bounds"]),
        (get("/a"), ["Sparing", "Bounds", "Retry"]),
        (get("/a", hedge=0.1), ["Sparing", "Hedge", "Bounds", "Retry"]),
        (get("/a", cache=CacheTerms(1.0)), ["Sparing", "Bounds", "Retry"]),
    ],
)
def test_a_call_has_those_that_its_request_declares(request_: Any, layers: list[str]) -> None:
    calls = calls_on(ByHand())
    call = calls.start(Client("http://people.test"), request_)
    assert [type(layer).__name__ for layer in call.layers] == layers
    calls.abandon(call)
    assert call.layers == ()


def test_what_is_kept_has_a_part_where_its_backend_can_be_asked_to_confirm_it(clock: Clock) -> None:
    client, read = Client("http://people.test"), get("/a", cache=CacheTerms(1.0))
    run(calls_on(ByHand(ok(etag='"1"'))), client, read)
    clock.go_on(2.0)
    calls = calls_on(ByHand())
    call = calls.start(client, read)
    assert [type(layer).__name__ for layer in call.layers] == ["Sparing", "Stored", "Bounds", "Retry"]
    calls.close()


@pytest.mark.parametrize("full", ["client", "page"])
def test_a_copy_for_which_there_is_no_room_spends_nothing_of_the_budget(full: str) -> None:
    client = Client("http://people.test", timeout="5s", concurrency=1 if full == "client" else 9)
    calls = calls_on(ByHand(), max_requests=1 if full == "page" else 9)
    calls.start(client, get("/a", hedge=0.0))
    calls.wait(clock.monotonic())
    assert calls.ledger.tries == 1
    assert client.gate.hedges.tokens == pytest.approx(1.05)
    calls.close()


def test_one_that_goes_on_alone_after_its_leader_was_given_up_is_tried_again(clock: Clock) -> None:
    transport = ByHand(None, ok(b"7"))
    calls = calls_on(transport)
    client = Client("http://people.test", retries=1)
    first, second = (calls.start(client, get("/a")) for _ in range(2))
    calls.abandon(first)
    transport.flights[0].outcome = Reply(503, {"retry-after": "0"})
    while second.result is None:
        calls.wait(clock.monotonic)
        clock.go_on(0.2)
    assert isinstance(second.result, Reply) and (second.result.json(), second.result.attempts) == (7, 2)
    assert first.result is None
