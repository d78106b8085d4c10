"""The app on a real backend of its own, with an account for every test."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clients.local import pocketbase
from tests.servers import Layer, Visitor, layer

Account = Callable[..., Visitor]
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="session")
def app_backend(backend_program: Path) -> Iterator[pocketbase.Backend]:
    """A PocketBase that the tests of the app share; each of them has accounts of its own."""
    with pocketbase.temporary() as running:
        running.add("notices", en="Hello", zh="你好", published="2026-01-01 00:00:00.000Z")
        yield running


@pytest.fixture(scope="session")
def app(app_backend: pocketbase.Backend, folder: Path) -> Iterator[Layer]:
    """The app as a process."""
    with layer(app_backend.url, folder) as running:
        yield running


@pytest.fixture
def account(app: Layer) -> Account:
    """Makes accounts: `account("Ann")`."""

    def make(name: str = "Ann", base_url: str | None = None) -> Visitor:
        return Visitor(base_url or app.url).sign_up(name, f"person{next(_numbers)}@example.com")

    return make
