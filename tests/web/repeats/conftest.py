"""Signed-in visitors of instances on one Redis, and the backend that counts what is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.fakes import FakeBackend, Received, Wire, answer
from tests.project import BACKENDS, app_of
from tests.servers import RedisServer
from tests.web.repeats.writes import KEY, RECIPES


@pytest.fixture
def backend() -> Iterator[FakeBackend]:
    with FakeBackend() as running:
        numbers = iter(range(1, 100))

        def count(received: Received, wire: Wire) -> None:
            answer(201, json={"id": next(numbers)})(received, wire)

        running.on("POST /rows", count)
        yield running


@pytest.fixture
def make(tmp_path: Path, backend: FakeBackend) -> Callable[..., FlaskClient]:
    """Makes a signed-in visitor of an app (of one more instance, for each call)."""

    def made(url: str, name: str = "Ann") -> FlaskClient:
        environ = {f"{client.upper()}_URL": backend.url for client in BACKENDS}
        environ |= {"BFF_SESSION_KEYS": KEY, "BFF_STATE_URL": url}
        visitor = app_of(tmp_path, RECIPES, environ=environ).test_client()
        assert visitor.post("/api/login", json={"name": name}).status_code == 200
        return visitor

    return made


@pytest.fixture
def ann(make: Any, redis: RedisServer) -> FlaskClient:
    return make(redis.url)
