"""A connection that is made for whoever wants one, without waiting."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from bff import clock
from bff.http import Broken, Client
from bff.http.sockets.connection import Connection
from bff.http.sockets.idle import Idle
from bff.http.sockets.opening import Opening
from bff.http.sockets.origin import split
from bff.http.sockets.resolve import Resolver
from tests.fakes import PATIENCE


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with closing(socket.create_server(("127.0.0.1", 0))) as made:
        yield made


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    made = Resolver()
    yield made
    made.close()


def opening(resolver: Resolver, idle: Idle, port: int, host: str = "127.0.0.1") -> Opening:
    url = f"http://{host}:{port}/"
    return Opening(Client(url[:-1]), split(url)[0], idle, resolver)


def opened(one: Opening) -> Connection:
    """Waits for it."""
    end = clock.monotonic() + PATIENCE
    while (connection := one.go_on()) is None:
        assert clock.monotonic() < end
        poll = select.poll()
        for fd, events in one.interests():
            poll.register(fd, events)
        poll.poll(10)
    return connection


def test_a_written_address_is_never_waited_for(listening: socket.socket, resolver: Resolver) -> None:
    idle = Idle(8)
    connection = opened(opening(resolver, idle, listening.getsockname()[1]))
    accepted, _ = listening.accept()
    with closing(connection), closing(accepted):
        connection.sock.sendall(b"x")
        assert accepted.recv(1) == b"x"
    assert idle.lookup is not None and idle.lookup.addresses


def test_a_name_is_looked_up_once_for_as_long_as_its_addresses_are_good(
    listening: socket.socket, resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, real = [], socket.getaddrinfo

    def counted(host: bytes, *args: object, **options: object) -> object:
        asked.append(host)
        return real("127.0.0.1", *args, **options)  # type: ignore[call-overload]

    monkeypatch.setattr("socket.getaddrinfo", counted)
    idle, port = Idle(8), listening.getsockname()[1]
    for _ in range(3):
        opened(opening(resolver, idle, port, "named.test")).close()
    assert asked == [b"named.test"]
    assert idle.lookup is not None
    idle.lookup.until = 0.0
    opened(opening(resolver, idle, port, "named.test")).close()
    assert asked == [b"named.test"] * 2


def test_who_is_refused_is_told_so(resolver: Resolver) -> None:
    with closing(socket.socket()) as nobody:
        nobody.bind(("127.0.0.1", 0))
        one = opening(resolver, Idle(8), nobody.getsockname()[1])
        with pytest.raises(ConnectionRefusedError) as refused:
            opened(one)
        broken = one.broken_by(refused.value, sent=False)
        assert broken == Broken("refused", reason="refused")


def test_giving_up_ends_what_is_dialled(resolver: Resolver) -> None:
    with closing(socket.socket()) as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            one = opening(resolver, Idle(8), full.getsockname()[1])
            connection = one.go_on()
            if connection is None:
                break
            connection.close()
        fds = [fd for fd, _ in one.interests()]
        one.give_up(lost=False)
        assert (list(one.interests()), one.due) == ([], float("inf"))
        for fd in fds:
            with pytest.raises(OSError):
                socket.socket(fileno=fd).getsockname()


def test_a_child_looks_names_up_itself(listening: socket.socket, resolver: Resolver) -> None:
    idle = Idle(8)
    opened(opening(resolver, idle, listening.getsockname()[1])).close()
    idle.begin_anew()
    assert idle.lookup is None
