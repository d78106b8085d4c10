"""Backends, clients and calls for the tests of the HTTP layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bff import clock
from bff.http import Calls, Client, Limits, SocketTransport, ThreadTransport, Transport
from tests.fakes import FakeBackend
from tests.http.calling import all_ended, patient, threads_of_transports


@pytest.fixture
def backend() -> Iterator[FakeBackend]:
    with FakeBackend() as running:
        yield running


@pytest.fixture(params=[SocketTransport, ThreadTransport], ids=["sockets", "threads"])
def transport(request: pytest.FixtureRequest) -> Iterator[SocketTransport | ThreadTransport]:
    before = set(threads_of_transports())
    transport: SocketTransport | ThreadTransport = request.param()
    yield transport
    transport.close()
    assert all_ended(set(threads_of_transports()) - before)


@pytest.fixture
def client(backend: FakeBackend) -> Client:
    client = patient(backend.url)
    client.name = "people"
    return client


@pytest.fixture
def make_calls(transport: Transport) -> Callable[..., Calls]:
    """Makes a page's calls, with a deadline in seconds from now."""

    def make(seconds: float = 10.0, request_id: str = "", **limits: Any) -> Calls:
        return Calls(transport, clock.monotonic() + seconds, Limits(**limits), request_id)

    return make
