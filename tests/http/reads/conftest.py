"""A client whose replies are kept, and its backend."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bff.http import Client
from bff.http.cache import ReplyCache
from tests.clock import Clock
from tests.http.reads.asking import Backend


@pytest.fixture
def client(clock: Clock) -> Iterator[Client]:
    client = Client("http://people.test", timeout="5s", retries=0, breaker=None)
    client.cache = ReplyCache(100, 10**6)
    return client


@pytest.fixture
def backend(client: Client, clock: Clock) -> Backend:
    return Backend(client, clock)
