"""A page's ordinary requests on wires, with their retries: one object each, and the same rules as for every call."""

from __future__ import annotations

import gc
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
import responses

from bff import clock
from bff.http import Broken, Call, Calls, Client, Limits, OutgoingRequest, Reply, Route, SocketTransport
from bff.http.sockets.connection import Connection
from bff.http.sockets.parser import ReplyParser
from bff.http.sockets.wire import Wire
from tests.clock import Clock, too_late
from tests.fakes import (
    PATIENCE,
    FakeBackend,
    Received,
    after,
    answer,
    close,
    half,
    hang,
    in_turn,
    together,
)
from tests.fakes import Wire as FakeWire
from tests.http.calling import get, patient, start
from tests.http.sockets.replies import ALL, Expected, Scripted


class Owner:
    """Somebody who waits for requests by number, and notes why some went on as calls."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.handed_over: list[str] = []
        calls.handed_over = lambda client, why: self.handed_over.append(why)  # type: ignore[method-assign]
        self.in_flight: dict[Any, int] = {}
        self.results: dict[int, Reply | Broken] = {}
        self.lost: list[bool] = []

    def ask(self, at: int, route: Route, target: str, request: OutgoingRequest | None = None) -> Any:
        wires = self.calls.wires or self.calls.begin_wires()
        one = wires.ask(self, at, route, target, None, request)
        if isinstance(one, Broken):
            self.results[at] = one
        elif one is None:
            one = self.calls.ask(self, at, route, request or OutgoingRequest(target))
        if not isinstance(one, Broken):
            self.in_flight[one] = at
        return one

    def becomes(self, before: Any, now: Any) -> None:
        now.owner, now.at = self, self.in_flight.pop(before)
        self.in_flight[now] = now.at

    def finish(self) -> dict[int, Reply | Broken]:
        end = time.monotonic() + PATIENCE
        while self.in_flight:
            ended = self.calls.wait(end)
            assert ended, "it did not end"
            for one in ended:
                found = one.result
                assert found is not None
                self.results[self.in_flight.pop(one)] = found
                self.lost.append(one.lost)
                one.release()
        return self.results


@pytest.fixture
def transport() -> Iterator[SocketTransport]:
    transport = SocketTransport()
    yield transport
    transport.close()


def way(calls: Calls, client: Client, method: str = "GET", **terms: Any) -> Route:
    route = calls.way(client, method, on_wires=True, safe=method == "GET", **terms)
    assert isinstance(route, Route)
    return route


MakeCalls = Callable[..., Calls]


def test_a_client_that_is_gone_leaves_no_connection(
    make_calls: MakeCalls, backend: FakeBackend, transport: SocketTransport
) -> None:
    client = patient(backend.url)
    warm(make_calls, client, backend)
    assert backend.open_connections == 1
    gone = weakref.ref(client)
    del client
    gc.collect()
    assert gone() is None
    assert backend.wait_for_connections(0)


def warm(make_calls: MakeCalls, client: Client, backend: FakeBackend, connections: int = 1) -> None:
    """Leaves so many idle connections."""
    backend.on("GET /warm", together(connections, answer(json=1)))
    calls = make_calls()
    owner, route = Owner(calls), way(calls, client)
    for at in range(connections):
        owner.ask(at, route, "/warm")
    owner.finish()
    calls.close()


def taken(client: Client) -> int:
    return client.gate._taken


# --- what is read -----------------------------------------------------------------------------------------------


@contextmanager
def wired() -> Iterator[tuple[Wire, socket.socket]]:
    """A wire, and the other end of its connection."""
    mine, theirs = socket.socketpair()
    with mine, theirs:
        mine.setblocking(False)
        wire = Wire(Connection(mine))
        wire.route = type("Route", (), {"method": "GET"})  # type: ignore[assignment]
        wire.ledger = type("Ledger", (), {"limits": Limits(), "room": 2**20})  # type: ignore[assignment]
        yield wire, theirs


def read(script: Scripted) -> Reply | None:
    """What a wire makes of a reply that comes whole; None for what it leaves to who knows every rule."""
    with wired() as (wire, theirs):
        theirs.sendall(script.wire)
        return wire.result if wire.read() else None  # type: ignore[return-value]


OF_READS = [name for name, one in ALL.items() if one.method != "HEAD"]


@pytest.mark.parametrize("name", OF_READS)
def test_what_a_wire_reads_is_what_the_rules_say(name: str) -> None:
    script = ALL[name]
    found = read(script)
    if found is not None:
        assert script.expected == Expected(found.status, found.raw, dict(found.headers))
        assert script.reused


@pytest.mark.parametrize("name", OF_READS)
def test_a_wire_waits_for_more_only_where_the_rules_do(name: str) -> None:
    script = ALL[name]
    for at in range(1, len(script.wire), 1 + len(script.wire) // 200):
        with wired() as (wire, theirs):
            theirs.sendall(script.wire[:at])
            if wire.read() is not None or not wire.is_under_way(wire.route.method):
                continue
            rules = ReplyParser("GET", 2**20)
            assert not rules.feed(script.wire[:at])
            assert rules.begun and not rules.end()
            theirs.sendall(script.wire[at:])
            if wire.read():
                found = wire.result
                assert isinstance(found, Reply)
                assert script.expected == Expected(found.status, found.raw, dict(found.headers))


@pytest.mark.parametrize(
    "beginning",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 204 OK\r\nTransfer-Encoding: chunked\r\n\r\n5",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"100001\r\n" + b"x" * 60_000,
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
        b"".join([b"HTTP/1.1 200 OK\r\n", *(b"X-%d: a\r\n" % at for at in range(102))]),
        b"RTSP/1.0 200 OK\r\nCon",
    ],
    ids=["too long", "until closed", "no body", "closing", "a long chunk", "a long head", "headers", "RTSP"],
)
def test_what_is_not_to_be_waited_for_on_a_wire(beginning: bytes) -> None:
    with wired() as (wire, theirs):
        wire.ledger.room = 2**15 if b"100001" in beginning else 2**20
        theirs.setblocking(False)
        left = beginning
        while left:
            left = left[theirs.send(left) :]
            assert wire.read() is None
        assert not wire.is_under_way(wire.route.method)


def test_most_replies_need_nobody_else() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
    for more in (b"", b"Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n", b"Set-Cookie: a=b\r\n"):
        found = read(Scripted(head + more + b"\r\n{}", None))
        assert found is not None and (found.status, found.json()) == (200, {})
        assert "set-cookie" not in found.headers


# --- one page ---------------------------------------------------------------------------------------------------


def test_a_request_is_sent_on_the_idle_connection_and_leaves_it_idle(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("GET /a", answer(json={"a": 1}))
    for _ in range(3):
        calls = make_calls(request_id="it")
        owner = Owner(calls)
        assert isinstance(owner.ask(0, way(calls, client), "/a?q=1"), Wire)
        (found,) = owner.finish().values()
        assert isinstance(found, Reply) and found.json() == {"a": 1}
        calls.close()
    assert backend.accepted == 1
    assert {request.target for request in backend.requests} == {"/a?q=1"}
    assert {request.headers["x-request-id"] for request in backend.requests} == {"it"}
    assert 0 < int(backend.requests[-1].headers["x-request-deadline-ms"]) <= 10_000
    assert taken(client) == 0


def test_a_fresh_connection_is_made_for_a_wire_that_then_reads_on_it(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("GET /a", answer(json=1))
    calls = make_calls()
    owner, route = Owner(calls), way(calls, client)
    wire = owner.ask(0, route, "/a")
    assert isinstance(owner.finish()[0], Reply)
    assert wire.flight is None and wire.opening is None
    assert owner.ask(1, route, "/a") is wire
    owner.finish()
    assert backend.accepted == 1
    assert taken(client) == 0


def test_a_name_that_is_looked_up_holds_nobody_up(
    backend: FakeBackend, client: Client, make_calls: MakeCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, real = threading.Event(), socket.getaddrinfo

    def slowly(host: bytes, *args: Any, **options: Any) -> Any:
        if host != b"slow.test":
            return real(host, *args, **options)
        assert known.wait(PATIENCE)
        return real("127.0.0.1", *args, **options)

    monkeypatch.setattr("socket.getaddrinfo", slowly)
    backend.on("GET /a", answer(json=1))
    named = patient(backend.url.replace("127.0.0.1", "slow.test"))
    calls = make_calls()
    owner = Owner(calls)
    slow = owner.ask(0, way(calls, named), "/a")
    quick = owner.ask(1, way(calls, client), "/a")
    assert calls.wait(clock.monotonic() + PATIENCE) == [quick]
    assert slow.opening is not None and not slow.sent
    quick.release()
    del owner.in_flight[quick]
    known.set()
    assert isinstance(owner.finish()[0], Reply)
    assert slow.flight is None
    assert taken(client) == taken(named) == 0


def test_an_opening_that_takes_too_long_ends_with_how_far_it_came(
    client: Client, make_calls: MakeCalls
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:  # connects, and says nothing
        silent = patient(f"https://127.0.0.1:{listening.getsockname()[1]}")
        calls = make_calls()
        owner = Owner(calls)
        owner.ask(0, way(calls, silent, timeout=0.1, retries=0), "/a")
        assert owner.finish()[0] == Broken("timeout", reason="tls-timeout")
        assert taken(silent) == 0


def test_who_is_refused_ends_on_its_wire(backend: FakeBackend, client: Client, make_calls: MakeCalls) -> None:
    backend.on("GET /a", answer(json=1))
    with closing(socket.socket()) as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = patient(f"http://127.0.0.1:{nobody.getsockname()[1]}")
        calls = make_calls()
        owner = Owner(calls)
        wire = owner.ask(0, way(calls, away, retries=0), "/a")
        owner.ask(1, way(calls, client), "/a")
        found = owner.finish()
    assert found[0] == Broken("refused", reason="refused")
    assert isinstance(found[1], Reply)
    assert wire.flight is None and calls._tries is None
    assert taken(away) == taken(client) == 0


@pytest.mark.parametrize("idle", [0, 1])
def test_a_reply_that_comes_in_pieces_is_read_on_its_wire(
    backend: FakeBackend, client: Client, make_calls: MakeCalls, idle: int
) -> None:
    def in_pieces(received: Received, wire: FakeWire) -> None:
        for piece in (b"HTTP/1.1 200 O", b"K\r\nContent-Length: 6\r\n\r\n[1,", b" 2]"):
            wire.send(piece)
            time.sleep(0.02)  # most of them come by themselves then

    backend.on("GET /a", in_pieces)
    if idle:
        warm(make_calls, client, backend)
    calls = make_calls()
    owner = Owner(calls)
    wire = owner.ask(0, way(calls, client), "/a")
    (found,) = owner.finish().values()
    assert isinstance(found, Reply) and found.json() == [1, 2]
    assert wire.flight is None
    assert backend.accepted == 1


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 200 OK\r\nConte", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_reply_that_is_cut_ends_on_its_wire(
    backend: FakeBackend, client: Client, make_calls: MakeCalls, said: bytes, method: str
) -> None:
    def cut(received: Received, wire: FakeWire) -> None:
        wire.send(said)
        close(received, wire)

    backend.on(f"{method} /a", cut)
    warm(make_calls, client, backend)
    calls = make_calls()
    owner = Owner(calls)
    request = None if method == "GET" else OutgoingRequest("/a", body=b"{}")
    wire = owner.ask(0, way(calls, client, method, retries=0), "/a", request)
    assert owner.finish()[0] == Broken("refused", sent=True, reason="cut-short")
    assert wire.flight is None and owner.lost == [True]
    assert backend.wait_for_connections(0)
    assert taken(client) == 0


@pytest.mark.parametrize(
    ("script", "idle"),
    [(close, 0), (half, 0), (hang, 0), (in_turn(close, answer(json=1)), 1)],
    ids=["closed", "cut", "late", "begun anew"],
)
def test_nothing_of_what_failed_waits_for_the_collector(
    backend: FakeBackend, client: Client, make_calls: MakeCalls, script: Any, idle: int
) -> None:
    backend.on("GET /a", script)
    if idle:
        warm(make_calls, client, backend)

    def page() -> None:
        calls = make_calls()
        owner = Owner(calls)
        owner.ask(0, way(calls, client, timeout=0.2, retries=0), "/a")
        owner.finish()
        calls.close()

    def alive() -> int:
        return sum(type(one) in (Wire, Connection) for one in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = alive()
        page()
        assert alive() == before
    finally:
        gc.enable()


def test_an_address_that_gives_no_answer_loses_its_place(
    backend: FakeBackend, make_calls: MakeCalls, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    with FakeBackend() as other:
        ports = [int(one.url.rpartition(":")[2]) for one in (backend, other)]

        real = socket.getaddrinfo

        def both(host: Any, *args: Any, **options: Any) -> Any:
            if host != b"many.test":
                return real(host, *args, **options)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]

        monkeypatch.setattr("socket.getaddrinfo", both)
        backend.on("GET /a", too_late(clock, 1))
        other.on("GET /a", answer(json=1))
        client = patient("http://many.test", breaker=None)
        calls = make_calls()
        owner = Owner(calls)
        owner.ask(0, way(calls, client, timeout=0.3, retries=0), "/a")
        owner.finish()
        owner.ask(1, way(calls, client), "/a")
        assert isinstance(owner.finish()[1], Reply)
        assert (len(backend.requests), len(other.requests)) == (1, 1)


def test_a_connection_that_the_backend_has_closed_is_replaced(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("GET /a", in_turn(close, answer(json=1)))  # seen only when the request is out
    warm(make_calls, client, backend)
    calls = make_calls()
    owner = Owner(calls)
    owner.ask(0, way(calls, client, retries=0), "/a")
    (found,) = owner.finish().values()
    assert isinstance(found, Reply) and found.json() == 1
    assert backend.accepted == 2


def test_a_write_is_never_begun_anew(backend: FakeBackend, client: Client, make_calls: MakeCalls) -> None:
    backend.on("POST /a", close)
    warm(make_calls, client, backend)
    calls = make_calls()
    owner = Owner(calls)
    request = OutgoingRequest("/a", body=b"{}", content_type="application/json")
    owner.ask(0, way(calls, client, "POST"), "/a", request)
    (found,) = owner.finish().values()
    assert isinstance(found, Broken) and (found.kind, found.sent, found.reason) == (
        "refused",
        True,
        "no-reply",
    )
    assert [request.method for request in backend.requests] == ["GET", "POST"]
    assert taken(client) == 0


def test_what_only_another_try_can_make_good_is_tried_again_on_a_wire(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("GET /a", in_turn(answer(503), answer(json=1)))
    calls = make_calls()
    owner = Owner(calls)
    owner.ask(0, way(calls, client, retries=1), "/a")
    (found,) = owner.finish().values()
    assert isinstance(found, Reply) and (found.json(), found.attempts) == (1, 2)
    assert calls.ledger.tries == 2
    assert calls._tries is None and owner.handed_over == []
    assert backend.accepted == 1
    assert taken(client) == 0


def test_a_backend_that_refuses_is_tried_again(make_calls: MakeCalls) -> None:
    with closing(socket.socket()) as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = patient(f"http://127.0.0.1:{nobody.getsockname()[1]}", breaker=None)
        calls = make_calls()
        owner = Owner(calls)
        wire = owner.ask(0, way(calls, away, retries=2), "/a")
        assert owner.finish()[0] == Broken("refused", attempts=3, reason="refused")
        assert (calls.ledger.tries, wire.further_tries, calls._tries) == (3, 2, None)
        assert away.gate.budget.tokens < 9
    assert taken(away) == 0


def test_a_write_that_was_lost_once_is_unknown_whatever_comes_then(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("POST /a", in_turn(half, answer(409)))
    calls = make_calls()
    owner = Owner(calls)
    request = OutgoingRequest("/a", body=b"{}")
    owner.ask(0, way(calls, client, "POST", repeatable=True, retries=1), "/a", request)
    (found,) = owner.finish().values()
    assert isinstance(found, Reply) and (found.status, found.attempts) == (409, 2)
    assert owner.lost == [True]
    assert [received.body for received in backend.requests] == [b"{}", b"{}"]


def test_a_write_that_was_refused_once_and_answered_is_not_lost(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("POST /a", in_turn(answer(503), answer(409)))
    calls = make_calls()
    owner = Owner(calls)
    request = OutgoingRequest("/a", body=b"{}")
    owner.ask(0, way(calls, client, "POST", repeatable=True, retries=1), "/a", request)
    assert owner.finish()[0].status == 409  # type: ignore[union-attr]
    assert owner.lost == [False]


def resting(calls: Calls) -> list[Wire]:
    """Waits until something rests."""
    assert calls.wires is not None
    end = clock.monotonic() + PATIENCE
    while not calls.wires.resting:
        assert clock.monotonic() < end
        assert calls.wires.wait(end) == []
    return calls.wires.resting


@pytest.mark.parametrize("how", ["abandon", "close"])
def test_what_rests_holds_no_place_and_may_be_given_up(
    backend: FakeBackend, client: Client, make_calls: MakeCalls, how: str
) -> None:
    backend.on("GET /a", answer(503, headers={"Retry-After": "5"}))
    calls = make_calls()
    owner = Owner(calls)
    wire = owner.ask(0, way(calls, client, retries=1), "/a")
    assert resting(calls) == [wire]
    assert taken(client) == 0
    if how == "abandon":
        calls.abandon(wire)
        assert calls.wait(clock.monotonic() + 10.0) == []
    calls.close()
    assert len(backend.requests) == 1


def test_nobody_waits_for_a_try_that_comes_too_late(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("GET /a", answer(503, headers={"Retry-After": "60"}))
    calls = make_calls()
    owner = Owner(calls)
    owner.ask(0, way(calls, client, retries=3), "/a")
    (found,) = owner.finish().values()
    assert isinstance(found, Reply) and (found.status, found.attempts) == (503, 1)


@pytest.mark.parametrize("why", ["full", "spared", "over"])
def test_the_last_outcome_stands_where_there_is_no_room_for_a_next_try(
    backend: FakeBackend, make_calls: MakeCalls, why: str
) -> None:
    backend.on("GET /a", answer(503))
    client = patient(backend.url, concurrency=1)
    calls = make_calls(max_requests=1 if why == "over" else 9)
    owner = Owner(calls)
    owner.ask(0, way(calls, client, retries=1), "/a")
    resting(calls)
    if why == "full":
        assert client.gate.enter(first=True)
    elif why == "spared":
        while client.gate.circuit.standing is not None:
            client.gate.circuit.failed(client.gate.circuit.standing)
    (found,) = owner.finish().values()
    assert isinstance(found, Reply) and (found.status, found.attempts) == (503, 1)
    assert len(backend.requests) == 1
    assert taken(client) == (why == "full")


def test_a_next_try_waits_for_a_place_of_its_page_as_a_call(
    backend: FakeBackend, make_calls: MakeCalls
) -> None:
    free = threading.Event()
    backend.on("GET /a", in_turn(answer(503), answer(json="a")))
    backend.on("GET /b", after(free, answer(json="b")))
    client = patient(backend.url, concurrency=1)
    calls = make_calls()
    owner, route = Owner(calls), way(calls, client, retries=1)
    owner.ask(0, route, "/a")
    resting(calls)
    owner.ask(1, route, "/b")
    while not owner.handed_over:
        assert calls.wait(clock.monotonic() + 0.05) == []
    free.set()
    found = owner.finish()
    assert owner.handed_over == ["place"]
    assert (found[0].json(), found[0].attempts, found[1].json()) == ("a", 2, "b")  # type: ignore[union-attr]
    assert calls.ledger.tries == 3
    assert taken(client) == 0


def test_a_next_try_beside_a_call_is_begun_too(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("GET /a", in_turn(answer(503), answer(json="a")))
    backend.on("GET /b", hang)
    calls = make_calls()
    owner = Owner(calls)
    hanging = start(calls, client, get("/b"))
    wire = owner.ask(0, way(calls, client, retries=1), "/a")
    assert calls.wait(clock.monotonic() + PATIENCE) == [wire]
    assert wire.result.json() == "a"
    calls.abandon(hanging)
    wire.release()
    assert taken(client) == 0


def test_who_joins_what_rests_gets_what_the_next_try_brings(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("GET /a", in_turn(answer(503), answer(json=1)))
    calls = make_calls()
    owner, route = Owner(calls), way(calls, client, may_join=True, retries=1)
    owner.ask(0, route, "/a")
    resting(calls)
    owner.ask(1, route, "/a")
    found = owner.finish()
    assert [(reply.json(), reply.attempts) for reply in found.values()] == [(1, 2), (1, 2)]  # type: ignore[union-attr]
    assert len(backend.requests) == 2
    assert taken(client) == 0


def test_whose_time_is_up_while_it_rests_gets_what_the_last_try_came_to(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("GET /a", answer(503, headers={"Retry-After": "5"}))
    calls = make_calls()
    owner, route = Owner(calls), way(calls, client, may_join=True, retries=1)
    owner.ask(0, route, "/a")
    resting(calls)
    joined = owner.ask(1, route, "/a")
    joined.until = clock.monotonic() + 0.05
    assert calls.wait(clock.monotonic() + PATIENCE) == [joined]
    assert joined.result.status == 503
    calls.close()


def test_a_mock_that_comes_between_two_tries_is_asked(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("GET /a", answer(503))
    calls = make_calls()
    owner = Owner(calls)
    owner.ask(0, way(calls, client, retries=1), "/a")
    resting(calls)
    with responses.RequestsMock() as mock:
        mock.get(client.url("/a"), json="mocked")
        (found,) = owner.finish().values()
    assert isinstance(found, Reply) and (found.json(), found.attempts) == ("mocked", 2)
    assert owner.handed_over == ["mocked"]
    assert taken(client) == 0


def test_a_failure_that_nothing_retries_makes_no_call(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    for at, script in enumerate((answer(503), answer(404), answer(500), close)):
        backend.on(f"GET /{at}", script)
    calls = make_calls()
    owner, route = Owner(calls), way(calls, client, retries=0)
    for at in range(4):
        owner.ask(at, route, f"/{at}")
    found = owner.finish()
    assert [found[at].status for at in range(3)] == [503, 404, 500]  # type: ignore[union-attr]
    assert isinstance(found[3], Broken)
    assert calls._tries is None and owner.handed_over == []
    assert taken(client) == 0


def test_what_hangs_ends_at_its_time_out_and_the_rest_of_the_page_does_not(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("GET /slow", hang)
    backend.on("GET /quick", answer(json=1))
    warm(make_calls, client, backend, 2)
    calls = make_calls()
    owner = Owner(calls)
    slow = owner.ask(0, way(calls, client, timeout=0.1, retries=0), "/slow")
    owner.ask(1, way(calls, client), "/quick")
    found = owner.finish()
    assert isinstance(slow, Wire) and found[0] == Broken("timeout", sent=True, reason="reply-timeout")
    assert isinstance(found[1], Reply)
    assert backend.wait_for_connections(1)
    assert taken(client) == 0


def test_who_closes_the_page_leaves_no_place_taken_and_no_connection_in_use(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("GET /slow", hang)
    warm(make_calls, client, backend, 2)
    calls = make_calls()
    owner = Owner(calls)
    for at in range(3):  # the third has no connection yet
        owner.ask(at, way(calls, client), "/slow")
    assert taken(client) == 3
    calls.close()
    assert taken(client) == 0
    assert backend.wait_for_connections(0)


def test_a_reply_that_nobody_took_gives_its_connection_back(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("GET /a", answer(json=1))
    warm(make_calls, client, backend)
    calls = make_calls()
    owner = Owner(calls)
    owner.ask(0, way(calls, client), "/a")
    calls._ended = calls.wait(clock.monotonic() + PATIENCE)
    calls.close()
    warm(make_calls, client, backend)
    assert backend.accepted == 1


def test_nothing_of_a_page_stays_with_an_idle_connection(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("GET /a", answer(json="x" * 1000))
    warm(make_calls, client, backend)
    calls = make_calls()
    owner = Owner(calls)
    wire = owner.ask(0, way(calls, client), "/a")
    assert isinstance(wire, Wire)
    owner.finish()
    assert (wire.owner, wire.raw, dict(wire.headers), wire.token) == (None, b"", {}, None)
    assert not hasattr(wire, "page") and not hasattr(wire, "route")


def test_nothing_of_what_was_tried_again_stays_with_an_idle_connection(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("GET /a", in_turn(answer(503), answer(json=1)))
    calls = make_calls()
    owner = Owner(calls)
    wire = owner.ask(0, way(calls, client, retries=1), "/a")
    assert isinstance(wire, Wire)
    owner.finish()
    assert (wire.owner, wire.found, wire.request, wire.retries) == (None,) * 4


@pytest.mark.parametrize("when", ["before", "after"])
def test_who_gives_up_what_has_ended_gives_its_connection_back(
    backend: FakeBackend, client: Client, make_calls: MakeCalls, when: str
) -> None:
    backend.on("GET /a", answer(json=1))
    warm(make_calls, client, backend)
    calls = make_calls()
    owner = Owner(calls)
    wire = owner.ask(0, way(calls, client), "/a")
    assert calls.wires is not None
    ended = calls.wires.wait(clock.monotonic() + PATIENCE)
    if when == "before":
        calls._ended = [*ended]
    calls.abandon(wire)
    assert calls._ended == []
    warm(make_calls, client, backend)
    assert backend.accepted == 1


def test_a_head_over_64_kb_is_refused_in_whatever_pieces_it_comes(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: " + b"a" * 70_000 + b"\r\n\r\n[]"
    read = threading.Event()

    def in_two(_: Received, wire: FakeWire) -> None:
        wire.send(raw[:60_000])
        assert read.wait(PATIENCE)
        wire.send(raw[60_000:])

    backend.on("GET /a", in_two)
    calls = make_calls()
    owner = Owner(calls)
    asked = owner.ask(0, way(calls, client, retries=0), "/a")
    while len(asked.came) < 60_000:
        assert calls.wait(clock.monotonic() + 0.05) == []
    read.set()
    assert owner.finish()[0] == Broken("refused", sent=True, reason="header-limit")


# --- equal reads ------------------------------------------------------------------------------------------------


def test_equal_reads_are_one_request_and_each_has_its_own_reply(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("GET /a", answer(json={"a": []}))
    calls = make_calls()
    owner, route = Owner(calls), way(calls, client, may_join=True)
    for at in range(3):
        owner.ask(at, route, "/a")
    owner.ask(3, route, "/b")
    found = owner.finish()
    # Each has a connection of its own, which the backend may take up in any order.
    assert sorted(request.target for request in backend.requests) == ["/a", "/b"]
    first, second, third = (found[at].json() for at in range(3))  # type: ignore[union-attr]
    first["a"].append(1)
    assert second == third == {"a": []}
    assert calls.ledger.bytes == sum(len(found[at].raw) for at in range(4))  # type: ignore[union-attr]


def test_equal_reads_end_each_at_its_own_time_out(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("GET /slow", hang)
    calls = make_calls()
    owner, route = Owner(calls), way(calls, client, may_join=True, timeout=5.0, retries=0)
    owner.ask(0, route, "/slow")
    joined = owner.ask(1, route, "/slow")
    joined.until = clock.monotonic() + 0.05
    (ended,) = calls.wait(clock.monotonic() + PATIENCE)
    assert ended is joined and ended.result == Broken("timeout", sent=True, reason="reply-timeout")
    assert taken(client) == 1
    for one in list(owner.in_flight):
        calls.abandon(one)
    assert taken(client) == 0


def test_the_last_to_give_up_ends_an_equal_read(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("GET /slow", hang)
    calls = make_calls()
    owner, route = Owner(calls), way(calls, client, may_join=True)
    owner.ask(0, route, "/slow")
    owner.ask(1, route, "/slow")
    first, second = list(owner.in_flight)
    calls.abandon(first)
    assert taken(client) == 1
    calls.abandon(second)
    assert taken(client) == 0


@pytest.mark.parametrize("script", [answer(json=1), answer(404), answer(500), close])
def test_who_gives_up_one_of_equal_reads_that_have_ended_gives_up_nothing_else(
    backend: FakeBackend, client: Client, make_calls: MakeCalls, script: Any
) -> None:
    backend.on("GET /a", script)
    backend.on("GET /b", answer(json=2))
    calls = make_calls()
    owner, route = Owner(calls), way(calls, client, may_join=True, retries=0)
    for at in range(2):
        owner.ask(at, route, "/a")
    first, second = calls.wait(clock.monotonic() + PATIENCE)
    assert [owner.in_flight.pop(one) for one in (first, second)] == [0, 1]
    owner.ask(2, route, "/b")  # on the same connection, where that is good still
    calls.abandon(second)
    assert owner.finish()[2].json() == 2  # type: ignore[union-attr]
    assert taken(client) == 0


def test_equal_reads_stay_one_when_they_are_tried_again(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("GET /a", in_turn(answer(503), answer(json=1)))
    calls = make_calls()
    owner, route = Owner(calls), way(calls, client, may_join=True, retries=1)
    for at in range(2):
        owner.ask(at, route, "/a")
    found = owner.finish()
    assert [reply.json() for reply in found.values()] == [1, 1]  # type: ignore[union-attr]
    assert len(backend.requests) == 2


def test_nothing_read_before_a_write_answers_what_is_read_after_it(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("GET /a", in_turn(hang, answer(json="new")))
    backend.on("POST /a", answer(201))
    calls = make_calls()
    owner, route = Owner(calls), way(calls, client, may_join=True)
    before = owner.ask(0, route, "/a")
    write = owner.ask(1, way(calls, client, "POST"), "/a", OutgoingRequest("/a", body=b"{}"))
    (ended,) = calls.wait(clock.monotonic() + PATIENCE)
    assert ended is write
    ended.release()
    after = owner.ask(2, route, "/a")
    assert isinstance(after, Wire) and after is not before
    calls.close()


@pytest.mark.parametrize("written_by", ["a wire", "a call"])
@pytest.mark.parametrize("read_by", ["a wire", "a call"])
def test_nothing_read_before_a_write_answers_what_is_read_after_it_whoever_makes_them(
    backend: FakeBackend, client: Client, make_calls: MakeCalls, written_by: str, read_by: str
) -> None:
    backend.on("GET /a", in_turn(hang, answer(json="new")))
    backend.on("POST /a", answer(201))
    calls = make_calls()
    owner, route = Owner(calls), way(calls, client, may_join=True)

    def read(at: int) -> Any:
        return owner.ask(at, route, "/a") if read_by == "a wire" else start(calls, client, get("/a"))

    before = read(0)
    while not backend.requests:  # else the other may be the first there
        assert calls.wait(clock.monotonic() + 0.05) == []
    write = OutgoingRequest("/a", body=b"{}")
    if written_by == "a wire":
        written = owner.ask(1, way(calls, client, "POST"), "/a", write)
    else:
        written = calls.start(way(calls, client, "POST"), write)
    assert calls.wait(clock.monotonic() + PATIENCE) == [written]
    written.release()
    after = read(2)
    assert calls.wait(clock.monotonic() + PATIENCE) == [after]
    assert after.result.json() == "new"
    after.release()
    assert before.result is None if read_by == "a call" else before.outcome is None
    calls.close()
    assert taken(client) == 0


# --- what stands in the way -------------------------------------------------------------------------------------


def test_a_page_s_own_surplus_waits_for_its_own(backend: FakeBackend, make_calls: MakeCalls) -> None:
    client = patient(backend.url, concurrency=2)
    for at in range(5):
        backend.on(f"GET /{at}", answer(json=at))
    calls = make_calls()
    owner, route = Owner(calls), way(calls, client)
    kinds = [type(owner.ask(at, route, f"/{at}")) for at in range(5)]
    assert kinds == [Wire, Wire, Call, Call, Call]
    assert owner.handed_over == ["place"] * 3
    found = owner.finish()
    assert [found[at].json() for at in range(5)] == list(range(5))  # type: ignore[union-attr]
    assert taken(client) == 0


def test_a_full_client_refuses_another_page_at_once(backend: FakeBackend, make_calls: MakeCalls) -> None:
    client = patient(backend.url, concurrency=1)
    assert client.gate.enter(first=True)
    calls = make_calls()
    owner = Owner(calls)
    owner.ask(0, way(calls, client), "/a")
    assert owner.results == {0: Broken("full", retry_after=1, reason="client-full")}
    assert backend.requests == []


def test_a_backend_that_is_spared_is_not_asked_and_then_tried_by_one(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("GET /a", answer(json=1))
    while client.gate.circuit.standing is not None:
        client.gate.circuit.failed(client.gate.circuit.standing)
    calls = make_calls()
    owner = Owner(calls)
    owner.ask(0, way(calls, client), "/a")
    refused = owner.results[0]
    assert isinstance(refused, Broken) and (refused.kind, refused.reason) == ("breaker", "spared")
    client.gate.circuit._until = 0.0
    owner.ask(1, way(calls, client), "/a")
    assert isinstance(owner.finish()[1], Reply)
    assert client.gate.circuit.closed
    assert taken(client) == 0


@pytest.mark.parametrize(
    ("limits", "refused"),
    [({"max_requests": 1}, Broken("limit")), ({"min_try": 60.0}, Broken("timeout", reason="no-time"))],
    ids=["requests", "time"],
)
def test_the_bounds_of_a_page_hold(
    backend: FakeBackend, client: Client, make_calls: MakeCalls, limits: dict[str, Any], refused: Broken
) -> None:
    backend.on("GET /a", answer(json=1))
    calls = make_calls(**limits)
    owner, route = Owner(calls), way(calls, client)
    owner.ask(0, route, "/a")
    owner.ask(1, route, "/a")
    assert owner.finish()[1] == refused
    assert taken(client) == 0


@pytest.mark.parametrize(
    ("limits", "kind"), [({"max_reply": 9}, "too-large"), ({"max_replies": 9}, "limit")], ids=["one", "all"]
)
def test_a_reply_over_a_bound_ends_its_connection(
    backend: FakeBackend, client: Client, make_calls: MakeCalls, limits: dict[str, Any], kind: str
) -> None:
    backend.on("GET /a", answer(json="x" * 20))
    warm(make_calls, client, backend)
    calls = make_calls(**limits)
    owner = Owner(calls)
    owner.ask(0, way(calls, client), "/a")
    assert owner.finish()[0] == Broken(kind, sent=True)  # type: ignore[arg-type]
    assert backend.wait_for_connections(0)
    assert taken(client) == 0


def test_a_mocked_client_is_asked_as_requests_asks(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    warm(make_calls, client, backend)
    with responses.RequestsMock() as mock:
        mock.get(client.url("/a"), json="mocked")
        calls = make_calls()
        owner = Owner(calls)
        assert isinstance(owner.ask(0, way(calls, client), "/a"), Call)
        assert owner.handed_over == ["mocked"]
        assert owner.finish()[0].json() == "mocked"  # type: ignore[union-attr]


@pytest.mark.parametrize("target", ["/a b", "/a\r\nX: y", "/\N{LATIN SMALL LETTER E WITH ACUTE}"])
def test_nothing_in_a_target_ends_its_line(
    backend: FakeBackend, client: Client, make_calls: MakeCalls, target: str
) -> None:
    warm(make_calls, client, backend)
    calls = make_calls()
    with pytest.raises(ValueError, match="a target cannot be sent as it is"):
        Owner(calls).ask(0, way(calls, client), target)
    calls.close()
    assert taken(client) == 0
    assert [request.target for request in backend.requests] == ["/warm"]
