"""Short forms for tests that make calls."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bff import clock
from bff.http import (
    Broken,
    Call,
    Calls,
    Client,
    HeldStream,
    Limits,
    OutgoingRequest,
    Promise,
    Reply,
    ThreadTransport,
    Try,
)
from tests.clock import Clock
from tests.fakes import PATIENCE

Outcome = Reply | Broken


class Flight:
    def __init__(self, request: Try) -> None:
        self.request = request
        self.outcome: Outcome | None = None
        self.sent = True
        self.held = False
        self.abandoned = False
        self.body: bytes | None = None


class Canned:
    """A stream of a reply that is there already."""

    def __init__(self, reply: Reply) -> None:
        self.status = reply.status
        self.headers = reply.headers
        self.closed = False
        self._raw = reply.raw

    def chunks(self) -> Iterator[bytes]:
        yield self._raw

    def close(self) -> None:
        self.closed = True


class ByHand:
    """A transport that gives each try the next scripted outcome at once, and leaves one scripted `None` open."""

    def __init__(self, *outcomes: Outcome | None) -> None:
        self.flights: list[Flight] = []
        self.waits: list[float] = []
        self.outcomes = list(outcomes)
        self._promises = ThreadTransport()

    def start(self, request: Try) -> Flight:
        flight = Flight(request)
        flight.outcome = self.outcomes.pop(0) if self.outcomes else None
        self.flights.append(flight)
        return flight

    def promise(self) -> Promise:
        return self._promises.promise()

    def wait(self, started: Collection[Any], until: float) -> list[Any]:
        ended = [flight for flight in started if flight.outcome is not None]
        if not ended:
            self.waits.append(until)
            # A socket that stays silent, beside what other threads may end.
            promised = [flight for flight in started if not isinstance(flight, Flight)]
            ended = list(self._promises.wait(promised, until))
        return ended

    def abandon(self, started: Any) -> None:
        started.abandoned = True

    def stream(self, request: Try, body: Iterable[bytes] | None) -> Canned | Broken:
        """Takes the whole body in, and gives the next scripted outcome as a stream."""
        flight = self.start(request)
        flight.body = None if body is None else b"".join(body)
        assert flight.outcome is not None, "a stream is scripted"
        return flight.outcome if isinstance(flight.outcome, Broken) else Canned(flight.outcome)


class OnClock(ByHand):
    """Waiting takes no time, and lets the clock go on."""

    def __init__(self, clock: Clock, *outcomes: Outcome | None) -> None:
        super().__init__(*outcomes)
        self.clock = clock

    def wait(self, started: Collection[Any], until: float) -> list[Any]:
        ended = [flight for flight in started if flight.outcome is not None]
        if not ended:
            self.clock.go_on_to(until)
        return ended


def patient(url: Any, **more: Any) -> Client:
    """A client with time enough for a busy machine, which may take longer than the layer's default."""
    return Client(url, **{"timeout": "10s", **more})


_TERMS = ("safe", "repeatable", "timeout", "retries", "hedge", "cache")


@dataclass(frozen=True)
class Asked:
    """A request and the terms of the step that it is of."""

    method: str
    request: OutgoingRequest
    terms: dict[str, Any]


def get(path: str, **parts: Any) -> Asked:
    return asked("GET", path, safe=True, **parts)


def post(path: str, **parts: Any) -> Asked:
    return asked("POST", path, **parts)


def asked(method: str, path: str, **parts: Any) -> Asked:
    """One of these terms; what its visitor wrote is no term, so `newer_than` of `cache` goes to the request."""
    terms = {name: parts.pop(name) for name in _TERMS if name in parts}
    newer_than = terms["cache"].newer_than if terms.get("cache") else 0.0
    return Asked(method, OutgoingRequest(path, newer_than=newer_than, **parts), terms)


def start(calls: Calls, client: Client, one: Asked, until: float | None = None) -> Call:
    """A call on a way of its own."""
    return calls.start(calls.way(client, one.method, **one.terms), one.request, until)


def stream(
    calls: Calls, client: Client, one: Asked, body: Iterable[bytes] | None, **options: Any
) -> HeldStream | Broken:
    """A stream on a way of its own."""
    return calls.stream(calls.way(client, one.method, **one.terms), one.request, body, **options)


def finish(calls: Calls, *expected: Call) -> None:
    """Waits until all these calls have ended."""
    waiting = set(expected)
    end = clock.monotonic() + PATIENCE
    while waiting:
        ended = calls.wait(end)
        assert ended, "the calls did not end"
        waiting -= set(ended)


def reply_of(calls: Calls, client: Client, request: Asked) -> Reply:
    call = start(calls, client, request)
    finish(calls, call)
    assert isinstance(call.result, Reply), call.result
    return call.result


def broken_of(calls: Calls, client: Client, request: Asked) -> Broken:
    call = start(calls, client, request)
    finish(calls, call)
    assert isinstance(call.result, Broken), call.result
    return call.result


def threads_of_transports() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "bff-http"]


def all_ended(threads: Iterable[threading.Thread]) -> bool:
    """Waits for the threads to end."""
    end = time.monotonic() + PATIENCE
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return not any(thread.is_alive() for thread in threads)


def calls_on(transport: ByHand, seconds: float = 5.0, **limits: Any) -> Calls:
    return Calls(transport, clock.monotonic() + seconds, Limits(**limits))


def run(calls: Calls, client: Client, request: Asked) -> Outcome:
    call = start(calls, client, request)
    while call.result is None:
        calls.wait(clock.monotonic() + 10)
    return call.result


def ok(raw: bytes = b"1", **headers: str) -> Reply:
    return Reply(200, headers, raw)
