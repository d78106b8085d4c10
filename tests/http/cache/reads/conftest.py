"""A client whose replies are kept, and its backend."""

from __future__ import annotations

import pytest

from bff.http import Client
from tests.clock import Clock
from tests.http.cache.reads.asking import Backend


@pytest.fixture
def client(clock: Clock) -> Client:
    return Client("http://people.test", timeout="5s", retries=0, breaker=None)


@pytest.fixture
def backend(client: Client, clock: Clock) -> Backend:
    return Backend(client, clock)
