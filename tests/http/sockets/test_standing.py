"""Several addresses of one name: who gives no answer comes last, and what was looked up serves on in an outage."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from bff.http import Calls, Client, HeldStream
from bff.http.sockets import standing as module
from bff.http.sockets.dial import Address
from bff.http.sockets.standing import REST, Standing
from tests.clock import Clock, too_late
from tests.fakes import PATIENCE, FakeBackend, Received, Wire, answer, close
from tests.http.calling import asked, broken_of, finish, get, patient, post, reply_of, start, stream

MakeCalls = Callable[..., Calls]
V4 = socket.AF_INET
A: Address = (V4, ("127.0.0.1", 1))
B: Address = (V4, ("127.0.0.1", 2))
C: Address = (V4, ("127.0.0.1", 3))


# --- the order ----------------------------------------------------------------------------------------------------


def test_who_has_lost_comes_last_and_the_latest_at_the_end(clock: Clock) -> None:
    standing = Standing()
    assert standing.in_order([A, B, C]) == [A, B, C]
    standing.lost([B])
    clock.go_on(1)
    standing.lost([A])
    assert standing.in_order([A, B, C]) == [C, B, A]
    clock.go_on(1)
    standing.lost([C])
    assert standing.in_order([A, B, C]) == [B, A, C]


def test_a_loss_is_forgotten(clock: Clock) -> None:
    standing = Standing()
    standing.lost([A])
    clock.go_on(REST - 1)
    assert standing.in_order([A, B]) == [B, A]
    clock.go_on(2)
    assert standing.in_order([A, B]) == [A, B]


def test_what_is_remembered_is_bounded() -> None:
    standing = Standing()
    for port in range(1000):
        standing.lost([(V4, ("127.0.0.1", port))])
    assert len(standing._lost_at) <= module._MOST


# --- calls --------------------------------------------------------------------------------------------------------


class Names:
    """Says which ports `many.test` has; `asked` counts, and it fails where it is told to."""

    def __init__(self, real: Any) -> None:
        self.ports: list[int] = []
        self.asked = 0
        self.error: OSError | None = None
        self.may = threading.Event()
        self.may.set()
        self._real = real

    def __call__(self, host: bytes, *args: Any, **options: Any) -> Any:
        if host != b"many.test":
            return self._real(host, *args, **options)
        self.asked += 1
        assert self.may.wait(PATIENCE)
        if self.error is not None:
            raise self.error
        return [(V4, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in self.ports]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    names = Names(socket.getaddrinfo)
    monkeypatch.setattr("socket.getaddrinfo", names)
    return names


@pytest.fixture
def other() -> Iterator[FakeBackend]:
    with FakeBackend() as running:
        yield running


def port_of(backend: FakeBackend) -> int:
    return int(backend.url.rpartition(":")[2])


@pytest.fixture
def client() -> Client:
    return patient("http://many.test", breaker=None)


def test_an_address_that_takes_connections_and_gives_no_answer_loses_its_place(
    backend: FakeBackend,
    other: FakeBackend,
    names: Names,
    client: Client,
    make_calls: MakeCalls,
    clock: Clock,
) -> None:
    names.ports = [port_of(backend), port_of(other)]
    backend.on("GET /a", too_late(clock, 1))
    other.on("GET /a", answer(json=1))
    assert broken_of(make_calls(), client, get("/a", timeout=0.3)).reason == "reply-timeout"
    for _ in range(3):
        assert reply_of(make_calls(), client, get("/a", timeout=5.0)).json() == 1
    assert (len(backend.requests), len(other.requests)) == (1, 3)
    # A dial that lasts lets a second one begin, whose connection is not used then.
    assert len({request.connection for request in other.requests}) == 1


def test_an_address_that_ends_connections_loses_its_place_between_two_tries(
    backend: FakeBackend, other: FakeBackend, names: Names, client: Client, make_calls: MakeCalls
) -> None:
    names.ports = [port_of(backend), port_of(other)]
    backend.on("GET /a", close)
    other.on("GET /a", answer(json=1))
    assert reply_of(make_calls(), client, get("/a", retries=1)).attempts == 2
    assert reply_of(make_calls(), client, get("/a", retries=1)).attempts == 1


def test_connections_that_were_kept_to_a_hanging_address_are_not_used_again(
    backend: FakeBackend,
    other: FakeBackend,
    names: Names,
    client: Client,
    make_calls: MakeCalls,
    clock: Clock,
) -> None:
    names.ports = [port_of(backend), port_of(other)]
    both = threading.Barrier(2)

    def together(received: Received, wire: Wire) -> None:
        both.wait(PATIENCE)
        answer(json=0)(received, wire)

    backend.on("GET /a", together, together, too_late(clock, 1))
    other.on("GET /a", answer(json=1))
    calls = make_calls()
    finish(calls, start(calls, client, get("/a?1")), start(calls, client, get("/a?2")))
    assert backend.accepted == 2
    assert broken_of(make_calls(), client, get("/a", timeout=0.3)).reason == "reply-timeout"
    assert reply_of(make_calls(), client, get("/a", timeout=5.0)).json() == 1
    assert len(backend.requests) == 3


def test_who_answers_is_remembered_where_the_first_refuses(
    backend: FakeBackend, names: Names, client: Client, make_calls: MakeCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        names.ports = [bound.getsockname()[1], port_of(backend)]
        tried: list[int] = []
        real = socket.socket.connect_ex

        def connect(sock: socket.socket, address: Any) -> int:
            tried.append(address[1])
            return real(sock, address)

        monkeypatch.setattr("socket.socket.connect_ex", connect)
        backend.on("POST /a", answer(json=1, headers={"Connection": "close"}))
        for _ in range(3):
            reply_of(make_calls(), client, post("/a"))
    assert tried == [names.ports[0], *[names.ports[1]] * 3]


def test_an_upload_goes_where_an_answer_comes_from(
    backend: FakeBackend,
    other: FakeBackend,
    names: Names,
    client: Client,
    make_calls: MakeCalls,
    clock: Clock,
) -> None:
    names.ports = [port_of(backend), port_of(other)]
    backend.on("PUT /a", too_late(clock, 1))
    other.on("PUT /a", answer(body=b"kept"))

    def sent(timeout: float) -> Any:
        request = asked("PUT", "/a", timeout=timeout)
        return stream(make_calls(), client, request, iter([b"abc"]), length=3, max_bytes=100)

    assert sent(0.3).reason == "reply-timeout"
    held = sent(5.0)
    assert isinstance(held, HeldStream)
    assert list(held.chunks()) == [b"kept"]
    held.close()


def test_an_address_that_nobody_waits_for_any_more_keeps_its_place(
    backend: FakeBackend, other: FakeBackend, names: Names, client: Client, make_calls: MakeCalls
) -> None:
    names.ports = [port_of(backend), port_of(other)]
    noticed = threading.Event()

    def waits(_: Received, wire: Wire) -> None:
        wire.until_closed(PATIENCE)
        noticed.set()

    backend.on("GET /a", waits, answer(json=1))
    calls = make_calls()
    call = start(calls, client, get("/a"))
    while not backend.requests:
        calls.wait(time.monotonic() + 0.05)
    calls.abandon(call)
    assert noticed.wait(PATIENCE)
    calls.close()
    assert reply_of(make_calls(), client, get("/a", timeout=5.0)).json() == 1
    assert other.accepted == 0


def test_a_single_address_is_used_whatever_it_did(
    backend: FakeBackend, names: Names, client: Client, make_calls: MakeCalls, clock: Clock
) -> None:
    names.ports = [port_of(backend)]
    backend.on("GET /a", too_late(clock, 1), answer(json=1))
    assert broken_of(make_calls(), client, get("/a", timeout=0.3)).reason == "reply-timeout"
    assert reply_of(make_calls(), client, get("/a", timeout=5.0)).json() == 1


# --- names that cannot be looked up -------------------------------------------------------------------------------


@pytest.fixture
def aged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has answers of the name server age at once."""
    monkeypatch.setattr("bff.http.sockets.resolve.AGE", 0.0)
    monkeypatch.setattr("bff.http.sockets.resolve._AGAIN", 0.0)


@pytest.mark.parametrize("code", [socket.EAI_AGAIN, socket.EAI_FAIL, socket.EAI_NONAME])
@pytest.mark.usefixtures("aged")
def test_the_last_good_address_serves_on_while_no_name_can_be_looked_up(
    backend: FakeBackend, names: Names, client: Client, make_calls: MakeCalls, code: int
) -> None:
    names.ports = [port_of(backend)]
    backend.on("POST /a", answer(json=1, headers={"Connection": "close"}))
    reply_of(make_calls(), client, post("/a"))
    names.error = socket.gaierror(code, "an outage")
    for _ in range(3):
        assert reply_of(make_calls(), client, post("/a")).json() == 1
    assert names.asked == 4


@pytest.mark.usefixtures("aged")
def test_a_look_up_that_hangs_holds_up_nobody_who_knows_an_address(
    backend: FakeBackend, names: Names, client: Client, make_calls: MakeCalls
) -> None:
    names.ports = [port_of(backend)]
    backend.on("POST /a", answer(json=1, headers={"Connection": "close"}))
    reply_of(make_calls(), client, post("/a"))
    names.may.clear()
    try:
        for _ in range(2):
            assert reply_of(make_calls(), client, post("/a", timeout=5.0)).json() == 1
        assert names.asked == 2
    finally:
        names.may.set()


@pytest.mark.usefixtures("aged")
def test_an_address_serves_on_for_a_while_only(
    backend: FakeBackend, names: Names, client: Client, make_calls: MakeCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    names.ports = [port_of(backend)]
    backend.on("POST /a", answer(json=1, headers={"Connection": "close"}))
    reply_of(make_calls(), client, post("/a"))
    names.error = socket.gaierror(socket.EAI_AGAIN, "an outage")
    monkeypatch.setattr("bff.http.sockets.resolve.LONGEST", 0.0)
    assert broken_of(make_calls(), client, post("/a")).reason == "look-up"


@pytest.mark.usefixtures("aged")
def test_a_name_that_has_moved_is_found(
    backend: FakeBackend, other: FakeBackend, names: Names, client: Client, make_calls: MakeCalls
) -> None:
    for at, running in enumerate((backend, other)):
        names.ports = [port_of(running)]
        running.on("POST /a", answer(json=at, headers={"Connection": "close"}))
        assert reply_of(make_calls(), client, post("/a")).json() == at


def test_waiting_for_the_silent_ends(make_calls: MakeCalls, names: Names, client: Client) -> None:
    with ExitStack() as stack:
        listening = [stack.enter_context(closing(socket.create_server(("127.0.0.1", 0)))) for _ in range(2)]
        names.ports = [one.getsockname()[1] for one in listening]
        begun = time.monotonic()
        for _ in range(2):
            assert broken_of(make_calls(), client, post("/a", timeout=0.2)).kind == "timeout"
    assert time.monotonic() - begun < PATIENCE
