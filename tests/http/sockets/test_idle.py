"""Which idle connections are good for another request."""

from __future__ import annotations

import gc
import socket
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from bff.http.sockets.connection import Connection
from bff.http.sockets.idle import Idle
from tests.clock import Clock


@pytest.fixture
def connect() -> Iterator[Callable[[], tuple[Connection, socket.socket]]]:
    """Makes a connection, and gives its other end too."""
    with ExitStack() as stack:

        def made() -> tuple[Connection, socket.socket]:
            mine, theirs = socket.socketpair()
            mine.setblocking(False)
            stack.enter_context(theirs)
            stack.enter_context(mine)
            return Connection(mine), theirs

        yield made


Connect = Callable[[], tuple[Connection, socket.socket]]


@pytest.mark.parametrize(
    ("idle_for", "says", "read", "write"),
    [
        (4.9, None, True, True),
        (5.1, None, True, False),
        (29.0, None, True, False),
        (31.0, None, False, False),
        (3.5, 5.0, True, True),
        (4.5, 5.0, False, False),
        (0.0, 0.0, False, False),
        (29.0, 999.0, True, False),
    ],
)
def test_age_decides_sooner_for_a_write(
    clock: Clock, connect: Connect, idle_for: float, says: float | None, read: bool, write: bool
) -> None:
    for for_write, good in ((False, read), (True, write)):
        idle, (connection, _) = Idle(8), connect()
        idle.give(connection, says)
        clock.go_on(idle_for)
        assert (idle.take(for_write=for_write) is connection) is good
        assert (connection.sock.fileno() == -1) is not good


@pytest.mark.parametrize(("ticked", "passed"), [(0.0, 60.0), (0.5, 4.0), (4.0, 0.5), (1.0, -60.0)])
def test_a_connection_from_before_a_jump_of_a_clock_is_not_used(
    clock: Clock, connect: Connect, ticked: float, passed: float
) -> None:
    idle, (connection, _) = Idle(8), connect()
    idle.give(connection, None)
    clock.monotonic += ticked
    clock.wall += passed
    assert idle.take(for_write=False) is None


@pytest.mark.parametrize(
    "happens", [lambda other: other.close(), lambda other: other.send(b"HTTP/1.1 408 Late")]
)
def test_a_connection_on_which_something_came_is_not_used(
    connect: Connect, happens: Callable[[socket.socket], object]
) -> None:
    idle = Idle(8)
    (older, _), (newer, other) = connect(), connect()
    idle.give(older, None)
    idle.give(newer, None)
    happens(other)
    assert idle.take(for_write=False) is older
    assert newer.sock.fileno() == -1
    assert idle.take(for_write=False) is None


def test_the_newest_is_used_first_and_the_oldest_are_closed(clock: Clock, connect: Connect) -> None:
    idle = Idle(3)
    connections = [connect()[0] for _ in range(5)]
    for connection in connections:
        idle.give(connection, None)
    assert len(idle) == 3
    assert [one.sock.fileno() == -1 for one in connections] == [True, True, False, False, False]
    assert idle.take(for_write=False) is connections[4]
    clock.go_on(31)
    idle.give(connections[4], None)
    assert len(idle) == 1


def test_nothing_is_kept_after_the_end(connect: Connect) -> None:
    idle, (first, _), (late, _) = Idle(3), connect(), connect()
    idle.give(first, None)
    idle.close()
    idle.give(late, None)
    assert (len(idle), first.sock.fileno(), late.sock.fileno()) == (0, -1, -1)


def test_those_of_a_client_that_is_gone_are_closed_before_the_collector_ends_their_sockets() -> None:
    mine, theirs = socket.socketpair()
    connection = Connection(mine)  # older than what keeps it: the collector would come to it first
    idle = Idle(2)
    idle.give(connection, None)
    idle.itself = idle  # type: ignore[attr-defined]  # nothing but the collector finds out that it is gone
    del mine, connection, idle
    with theirs, warnings.catch_warnings(record=True) as unclosed:
        warnings.simplefilter("always", ResourceWarning)
        gc.collect()
        assert theirs.recv(1) == b""
    assert unclosed == []


def test_only_of_a_new_connection_the_ticket_is_taken(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    tickets = iter(("first", "second"))
    monkeypatch.setattr(Connection, "is_secure", True)
    monkeypatch.setattr(Connection, "ticket", property(lambda self: next(tickets)))
    idle, (connection, _) = Idle(8), connect()
    for _ in range(2):
        idle.give(connection, None)
    assert idle.ticket == "first"
    idle.give(connect()[0], None)
    assert idle.ticket == "second"
