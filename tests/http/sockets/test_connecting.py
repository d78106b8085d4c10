"""From a name to a connection: addresses that refuse or stay silent, and a deadline that holds at every stage."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from bff.http import Calls, Client, SocketTransport, Transport
from bff.http.sockets.resolve import in_turns
from tests.fakes import FakeBackend, answer
from tests.http.calling import broken_of, get, patient, post, reply_of, start

MakeCalls = Callable[..., Calls]
SLACK = 1.0
V4, V6 = socket.AF_INET, socket.AF_INET6
only_sockets = pytest.mark.parametrize("transport", [SocketTransport], ids=["sockets"], indirect=True)


@pytest.fixture
def silent() -> Iterator[int]:
    """A port where nobody answers, not even to connect: as many wait there already as may."""
    with ExitStack() as stack:
        listening = stack.enter_context(closing(socket.socket()))
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(closing(socket.socket()))
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]


@pytest.fixture
def closed() -> Iterator[int]:
    """A port where nobody listens."""
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Says which addresses `many.test` has."""

    def has(*addresses: tuple[int, Any]) -> None:
        real = socket.getaddrinfo

        def found(host: bytes, *args: Any, **options: Any) -> Any:
            if host != b"many.test":
                return real(host, *args, **options)
            return [(family, socket.SOCK_STREAM, 6, "", address) for family, address in addresses]

        monkeypatch.setattr("socket.getaddrinfo", found)

    return has


def port_of(backend: FakeBackend) -> int:
    return int(backend.url.rpartition(":")[2])


def test_families_take_turns() -> None:
    addresses = [(V6, 1), (V6, 2), (V6, 3), (V4, 4)]
    assert in_turns(addresses) == [(V6, 1), (V4, 4), (V6, 2), (V6, 3)]
    assert in_turns([]) == []


def test_where_one_address_refuses_the_next_is_asked(
    backend: FakeBackend, make_calls: MakeCalls, resolve: Callable[..., None], closed: int
) -> None:
    resolve((V4, ("127.0.0.1", closed)), (V4, ("127.0.0.1", port_of(backend))))
    backend.on("POST /a", answer(json=1))
    assert reply_of(make_calls(), patient("http://many.test"), post("/a")).json() == 1
    assert backend.accepted == 1
    assert backend.requests[0].headers["host"] == "many.test"


def test_where_one_address_is_silent_the_next_is_asked_beside_it(
    backend: FakeBackend, make_calls: MakeCalls, resolve: Callable[..., None], silent: int
) -> None:
    resolve((V4, ("127.0.0.1", silent)), (V4, ("127.0.0.1", port_of(backend))))
    backend.on("GET /a", answer(json=1))
    assert reply_of(make_calls(), patient("http://many.test"), get("/a")).json() == 1


def test_where_every_address_refuses_nothing_was_sent(
    make_calls: MakeCalls, resolve: Callable[..., None], closed: int
) -> None:
    resolve(*[(V4, ("127.0.0.1", closed))] * 3)
    broken = broken_of(make_calls(), patient("http://many.test"), post("/a"))
    assert (broken.kind, broken.sent, broken.reason) == ("refused", False, "refused")


def test_a_name_without_addresses_is_refused(make_calls: MakeCalls, resolve: Callable[..., None]) -> None:
    resolve()
    broken = broken_of(make_calls(), patient("http://many.test"), post("/a"))
    assert (broken.kind, broken.sent, broken.reason) == ("refused", False, "look-up")


@pytest.mark.parametrize("host", ["a" * 70 + ".test", "x..test"])
def test_a_name_that_cannot_be_looked_up_is_refused(make_calls: MakeCalls, host: str) -> None:
    broken = broken_of(make_calls(), patient(f"http://{host}"), post("/a"))
    assert (broken.kind, broken.sent, broken.reason) == ("refused", False, "look-up")


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
def test_a_backend_may_have_an_ipv6_address(make_calls: MakeCalls) -> None:
    try:
        listening = socket.create_server(("::1", 0), family=V6)
    except OSError:
        pytest.skip("this machine has no ::1")
    heard: list[bytes] = []

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            heard.append(connection.recv(65536))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1")

    serving = threading.Thread(target=serve)
    serving.start()
    with closing(listening):
        port = listening.getsockname()[1]
        assert reply_of(make_calls(), patient(f"http://[::1]:{port}"), get("/a")).json() == 1
        serving.join()
    assert f"Host: [::1]:{port}\r\n".encode() in heard[0]


# --- deadlines ----------------------------------------------------------------------------------------------------


def ends_in_time(calls: Calls, client: Client, body: bytes | None = None) -> tuple[str, bool, str]:
    """Makes a call that has 0.3 seconds; gives its kind, whether it was sent and the reason."""
    begun = time.monotonic()
    broken = broken_of(calls, client, post("/a", body=body, timeout=0.3))
    assert time.monotonic() - begun < 0.3 + SLACK
    return broken.kind, broken.sent, broken.reason


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_deadline_bounds_connecting(make_calls: MakeCalls, silent: int, scheme: str) -> None:
    client = patient(f"{scheme}://127.0.0.1:{silent}")
    assert ends_in_time(make_calls(), client) == ("timeout", False, "connect-timeout")


def test_the_deadline_bounds_the_handshake(make_calls: MakeCalls, transport: Transport) -> None:
    late = "tls-timeout" if isinstance(transport, SocketTransport) else "connect-timeout"
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:  # connects, and says nothing
        client = patient(f"https://127.0.0.1:{listening.getsockname()[1]}")
        assert ends_in_time(make_calls(), client) == ("timeout", False, late)


def test_the_deadline_bounds_sending_to_who_never_reads(make_calls: MakeCalls) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        client = patient(f"http://127.0.0.1:{listening.getsockname()[1]}")
        assert ends_in_time(make_calls(), client, b"x" * 2**25) == ("timeout", True, "reply-timeout")


@only_sockets
def test_a_try_that_could_not_even_look_up_is_no_fault_of_its_backend(
    make_calls: MakeCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()

    def stuck(*_args: object, **_options: object) -> object:
        released.wait(20)
        raise OSError("no such host")

    monkeypatch.setattr("socket.getaddrinfo", stuck)
    calls = make_calls(10.0)
    for at in range(8):
        start(calls, patient(f"http://stuck{at}.test"), get("/a"))
    try:
        assert ends_in_time(calls, patient("http://late.test")) == ("full", False, "look-ups-full")
    finally:
        released.set()
        calls.close()
