"""What only sockets do: stale connections, large bodies both ways, what is given up, and forks."""

from __future__ import annotations

import gc
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from bff.http import Calls, Client, Reply, SocketTransport, Try
from tests.fakes import PATIENCE, FakeBackend, answer, close, hang
from tests.http.calling import broken_of, finish, get, patient, post, reply_of, start, threads_of_transports
from tests.http.sockets.tries import MEGABYTE, ended, try_of

MakeCalls = Callable[..., Calls]


@pytest.fixture
def transport() -> Iterator[SocketTransport]:
    transport = SocketTransport()
    yield transport
    transport.close()


# --- connections that went stale ----------------------------------------------------------------------------------


def test_a_read_on_a_connection_that_dies_under_it_is_sent_once_more(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("GET /a", answer(json=1), close, answer(json=2))
    assert reply_of(make_calls(), client, get("/a", retries=0)).json() == 1
    reply = reply_of(make_calls(), client, get("/a", retries=0))
    assert (reply.json(), reply.attempts) == (2, 1)
    assert [request.connection for request in backend.requests] == [0, 0, 1]


def test_a_fresh_connection_that_dies_is_tried_no_second_time(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("GET /a", answer(json=1), close, close, answer(json=2))
    assert reply_of(make_calls(), client, get("/a", retries=0)).json() == 1
    assert broken_of(make_calls(), client, get("/a", retries=0)).kind == "refused"
    assert len(backend.requests) == 3


def test_a_write_that_was_sent_is_never_sent_again(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("POST /a", answer(json=1), close)
    assert reply_of(make_calls(), client, post("/a")).json() == 1
    broken = broken_of(make_calls(), client, post("/a"))
    assert (broken.kind, broken.sent) == ("refused", True)
    assert len(backend.requests) == 2


# --- bodies -------------------------------------------------------------------------------------------------------


@contextmanager
def server(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server for one connection; gives its URL."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            talk(connection)

    serving = threading.Thread(target=serve)
    serving.start()
    with closing(listening):
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        serving.join(PATIENCE)
        assert not serving.is_alive()


def test_a_server_that_answers_before_it_has_read_all_is_heard(make_calls: MakeCalls) -> None:
    large = b"r" * (6 * MEGABYTE)

    def talk(connection: socket.socket) -> None:
        connection.recv(1000)
        # It closes: had all of the body been sent by then, the connection would be kept for the next request.
        head = b"HTTP/1.1 413 Large\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        connection.sendall(head % len(large) + large)
        connection.settimeout(PATIENCE)
        try:
            while connection.recv(65536):
                pass
        except ConnectionResetError:
            pass

    with server(talk) as url:
        request = post("/a", body=b"b" * (16 * MEGABYTE))
        reply = reply_of(make_calls(), patient(url), request)
    assert (reply.status, reply.raw == large) == (413, True)


def test_a_large_body_is_sent_while_a_large_reply_arrives(make_calls: MakeCalls) -> None:
    size = 6 * MEGABYTE

    def talk(connection: socket.socket) -> None:
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(65536)
        body = received.partition(b"\r\n\r\n")[2]
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + body)
        count = len(body)
        while count < size:  # what does not read its own reply would have both wait for ever
            part = connection.recv(65536)
            connection.sendall(part)
            count += len(part)

    sent = os.urandom(1024) * (size // 1024)
    with server(talk) as url:
        reply = reply_of(make_calls(), patient(url), post("/a", body=sent))
    assert reply.raw == sent


def test_a_server_that_refuses_a_body_and_resets_is_heard(make_calls: MakeCalls) -> None:
    said = threading.Event()

    def talk(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        connection.shutdown(socket.SHUT_WR)
        said.wait(PATIENCE)

    with server(talk) as url:
        request = post("/a", body=b"b" * (16 * MEGABYTE))
        reply = reply_of(make_calls(), patient(url), request)
        said.set()
    assert (reply.status, reply.raw) == (413, b"no")


# --- what is written ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parts",
    [
        {"headers": {"X-A": "1\r\nX-B: 2"}},
        {"headers": {"X-A": "1\nX-B: 2"}},
        {"headers": {"X-A": "1\0"}},
        {"headers": {"X-A\r\nX-B": "1"}},
        {"headers": {"X-A": "待"}},
        {"method": "GET /b HTTP/1.1\r\nX:"},
    ],
)
def test_nothing_is_sent_that_would_be_read_as_something_else(
    backend: FakeBackend, client: Client, transport: SocketTransport, parts: dict[str, Any]
) -> None:
    outcome = ended(transport, try_of(client, **parts))
    assert (outcome.kind, outcome.sent) == ("refused", False)
    assert backend.requests == []


@pytest.mark.parametrize("target", ["/a b", "/a\r\nX: 1", "/a\0", "/é", "/a HTTP/1.1\r\n\r\nGET /b"])
def test_no_target_is_sent_that_is_more_than_one(
    backend: FakeBackend, client: Client, transport: SocketTransport, target: str
) -> None:
    outcome = ended(transport, try_of(client, url=client.url(target)))
    assert (outcome.kind, outcome.sent) == ("refused", False)
    assert backend.requests == []


@pytest.mark.parametrize("url", ["ftp://a.test/", "http:///a", "/a", ""])
def test_a_url_that_is_none_is_refused(client: Client, transport: SocketTransport, url: str) -> None:
    outcome = ended(transport, try_of(client, url=url))
    assert (outcome.kind, outcome.sent) == ("refused", False)


# --- giving up ----------------------------------------------------------------------------------------------------


def test_what_is_given_up_closes_its_connection(
    backend: FakeBackend, client: Client, transport: SocketTransport
) -> None:
    backend.on("GET /a", hang)
    started = transport.start(try_of(client))
    assert backend.wait_for_requests(1)
    transport.abandon(started)
    assert backend.wait_for_connections(0)


def test_a_transport_that_is_closed_keeps_no_connection(
    backend: FakeBackend, client: Client, transport: SocketTransport
) -> None:
    backend.on("GET /a", answer(json=1))
    waiting = transport.start(try_of(client))
    assert backend.wait_for_requests(1)
    transport.close()
    assert transport.wait([waiting], time.monotonic() + PATIENCE) == [waiting]
    assert isinstance(waiting.outcome, Reply)
    assert backend.wait_for_connections(0)


def test_a_try_ends_at_its_own_deadline_however_long_is_waited(
    backend: FakeBackend, client: Client, transport: SocketTransport
) -> None:
    backend.on("GET /a", hang)
    begun = time.monotonic()
    request = try_of(client)
    short = Try(**{name: getattr(request, name) for name in Try.__slots__} | {"until": begun + 0.1})
    started = transport.start(short)
    assert transport.wait([started], begun + 60) == [started]
    assert started.outcome.kind == "timeout" and time.monotonic() - begun < 0.1 + 1.0


# --- many, and forks ----------------------------------------------------------------------------------------------


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
def test_ten_thousand_requests_at_200_at_once_leak_no_socket() -> None:
    transport = SocketTransport()
    before, threads = open_files(), len(threads_of_transports())
    with FakeBackend() as backend:
        backend.on("GET /a", answer(json=1))
        client = Client(backend.url, timeout="60s", concurrency=200)
        failed: list[Any] = []

        def visit() -> None:
            for _ in range(50):
                calls = Calls(transport, time.monotonic() + 60)
                call = start(calls, client, get("/a"))
                finish(calls, call)
                if not isinstance(call.result, Reply):
                    failed.append(call.result)

        visitors = [threading.Thread(target=visit) for _ in range(200)]
        for visitor in visitors:
            visitor.start()
        for visitor in visitors:
            visitor.join()
        assert failed == [] and len(backend.requests) == 10_000
        assert backend.accepted <= 200
        transport.close()
        assert backend.wait_for_connections(0)
    gc.collect()
    assert open_files() <= before  # what an earlier test left may have been closed meanwhile
    assert len(threads_of_transports()) <= threads


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_has_connections_of_its_own(
    backend: FakeBackend, client: Client, transport: SocketTransport, make_calls: MakeCalls
) -> None:
    backend.on("GET /a", answer(json=1))
    client.at(backend.url.replace("127.0.0.1", "localhost"))  # so that a thread has looked a name up
    reply_of(make_calls(), client.at(backend.url.replace("127.0.0.1", "localhost")), get("/a"))
    reply_of(make_calls(), client, get("/a"))
    waiting = transport.start(try_of(client))  # its reply is the parent's
    child = os.fork()
    if child == 0:
        try:
            for host in ("127.0.0.1", "localhost"):
                moved = client.at(backend.url.replace("127.0.0.1", host))
                assert reply_of(make_calls(), moved, get("/a")).json() == 1
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert transport.wait([waiting], time.monotonic() + PATIENCE) == [waiting]
    assert isinstance(waiting.outcome, Reply)
    reply_of(make_calls(), client, get("/a"))
    mine = {request.connection for request in backend.requests[1:3] + backend.requests[-1:]}
    assert len(mine) == 1 and backend.accepted == 4
