"""Two apps that share a Redis: what one has fetched the other does not ask for, and Redis is never needed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from flask.testing import FlaskClient

from bff.errors import OperatorError
from tests.fakes import PATIENCE, FakeBackend, answer
from tests.project import BACKENDS, app_of
from tests.servers import RedisServer

KEY = Fernet.generate_key().decode()
PAGE = """
    route: GET /api/page
    auth: none
    steps:
      todos: {client: todos, get: /todos, cache: 1m}
    shape: todos
    """


@pytest.fixture
def backend() -> Iterator[FakeBackend]:
    with FakeBackend() as running:
        running.on("GET /todos", answer(json=1), answer(json=2))
        yield running


@pytest.fixture
def instance(tmp_path: Path, backend: FakeBackend) -> Callable[..., FlaskClient]:
    """Makes one more instance."""

    def make(url: str, **more: str) -> FlaskClient:
        environ = {f"{client.upper()}_URL": backend.url for client in BACKENDS}
        environ |= {"BFF_SESSION_KEYS": KEY, "BFF_CACHE_URL": url, **more}
        return app_of(tmp_path, {"page": PAGE}, environ=environ).test_client()

    return make


def kept(redis: RedisServer) -> bool:
    """Waits until something is kept."""
    until = time.monotonic() + PATIENCE
    while not redis.client.dbsize() and time.monotonic() < until:
        pass
    return bool(redis.client.dbsize())


def test_a_second_instance_asks_no_backend(
    instance: Callable[..., FlaskClient], redis: RedisServer, backend: FakeBackend
) -> None:
    assert instance(redis.url).get("/api/page").json == 1
    assert kept(redis)
    assert instance(redis.url).get("/api/page").json == 1
    assert len(backend.requests) == 1


def test_without_redis_each_instance_asks_for_itself(
    instance: Callable[..., FlaskClient], redis: RedisServer, backend: FakeBackend
) -> None:
    first, second = instance(redis.url), instance(redis.url)
    redis.stop()
    assert [page.get("/api/page").json for page in (first, second, first, second)] == [1, 2, 1, 2]


def test_where_the_host_stands_still_replies_are_handed_over_before_the_answer(
    instance: Callable[..., FlaskClient], redis: RedisServer, backend: FakeBackend
) -> None:
    page = instance(redis.url, BFF_BACKGROUND="0")
    assert page.get("/api/page").json == 1
    assert kept(redis)


def test_a_url_that_is_none_stops_the_start_and_is_not_shown(instance: Callable[..., FlaskClient]) -> None:
    for url in ("http://:secret@127.0.0.1", "redis://:secret@127.0.0.1:port/0"):
        with pytest.raises(OperatorError) as raised:
            instance(url)
        assert str(raised.value).startswith("BFF_CACHE_URL: expected a URL such as redis://127.0.0.1:6379/")
        assert "secret" not in str(raised.value)
