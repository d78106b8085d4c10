"""What several tests of the benchmark have in common."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from benchmarks import backend


@pytest.fixture
def running() -> Iterator[dict[str, int]]:
    """The ports of a backend that delays by 30 ms."""
    stop, told = socket.socketpair()
    with stop, told:
        one = backend.Backend(0.03)
        thread = threading.Thread(target=one.serve, args=(told,))
        thread.start()
        yield one.ports
        stop.send(b"x")
        thread.join(10)
        one.close()
