"""A request waits until there is somebody to answer it, and is cut with whoever answered it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from clients.local.pocketbase import free_port
from tests.fakes import PATIENCE
from tests.scale.activator import Activator


@pytest.fixture
def activator() -> Iterator[Activator]:
    found = Activator()
    found.start()
    yield found
    found.stop()


def asked(port: int) -> bytes:
    """What comes back for a word."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(b"word")
        return connection.recv(100)


def test_it_waits_for_a_port_and_then_for_somebody_there(activator: Activator) -> None:
    ports: list[int] = []
    door = activator.door(lambda: ports[0] if ports else None)
    with ThreadPoolExecutor(1) as visitor:
        answer = visitor.submit(asked, door)
        while not activator.waiting:
            assert not answer.done()
        ports.append(free_port())
        with socket.create_server(("127.0.0.1", ports[0])) as server:
            server.settimeout(PATIENCE)
            connection, _ = server.accept()
            with connection:
                assert connection.recv(100) == b"word"
                connection.sendall(b"answer")
                assert answer.result(PATIENCE) == b"answer"
    assert activator.waiting == 0


def test_what_is_cut_behind_it_is_cut_before_it(activator: Activator) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as visitor:
        server.settimeout(PATIENCE)
        port: int = server.getsockname()[1]
        answer = visitor.submit(asked, activator.door(lambda: port))
        server.accept()[0].close()
        assert answer.exception(PATIENCE) is not None or answer.result() == b""
