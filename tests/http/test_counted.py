"""What is told of calls to who counts them: values, and nothing of a reply beside its status."""

from __future__ import annotations

from typing import Any

import pytest

from bff import clock
from bff.http import Broken, CacheTerms, Client, HeldStream, Reply
from bff.http.counted import CountedCalls
from tests.clock import Clock
from tests.http.calling import ByHand, OnClock, asked, finish, get, ok, run, start, stream


class Told:
    """Notes all that it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.others: list[tuple[str, str]] = []

    def call_ended(self, *told: Any, **more: Any) -> None:
        self.calls.append((*told, *more.values()))

    def handed_over(self, client: str, why: str) -> None:
        self.others.append((client, why))

    breaker_turned = handed_over


@pytest.fixture
def client() -> Client:
    client = Client("http://people.test", timeout="5s", retries=1)
    client.name = "people"
    return client


def counted(told: Told, transport: ByHand) -> CountedCalls:
    return CountedCalls(told, transport, clock.monotonic() + 10)


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("outcomes", "ended"),
    [
        ([ok()], ("people", "2xx", 0.0, 0, 0, None)),
        ([Reply(404)], ("people", "4xx", 0.0, 0, 0, None)),
        ([Broken("too-large")], ("people", "too-large", 0.0, 0, 0, None)),
    ],
)
def test_a_call_is_told_by_its_clients_name_and_a_word(client: Client, outcomes: Any, ended: Any) -> None:
    told = Told()
    run(counted(told, ByHand(*outcomes)), client, get("/a"))
    assert told.calls == [ended]


def test_the_seconds_of_all_tries_are_told_and_how_many_were_further_ones(
    client: Client, clock: Clock
) -> None:
    told = Told()
    transport = OnClock(clock, Reply(503, {"retry-after": "1"}), ok())
    run(counted(told, transport), client, get("/a"))
    assert told.calls == [("people", "2xx", 1.0, 1, 0, None)]


def test_a_kept_reply_has_taken_nobody_any_seconds(client: Client) -> None:
    told = Told()
    calls = counted(told, ByHand(ok()))
    for _ in range(2):
        finish(calls, start(calls, client, get("/a", cache=CacheTerms(ttl=60.0))))
    assert [(outcome, seconds is None, cached) for _, outcome, seconds, _, _, cached in told.calls] == [
        ("2xx", False, "miss"),
        ("cached", True, "hit"),
    ]


def test_a_stream_is_told_of_when_its_head_has_come(client: Client) -> None:
    told = Told()
    calls = counted(told, ByHand(Reply(206)))
    opened = stream(calls, client, asked("GET", "/a"), None, length=None, max_bytes=9)
    assert isinstance(opened, HeldStream)
    [(name, outcome, seconds, *rest)] = told.calls
    assert (name, outcome, rest) == ("people", "2xx", [0, 0, None])
    assert seconds >= 0
    opened.close()
