"""A backend and a Redis of these tests' own: the rows are counted, and what is kept stays through kills."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.soak.parts import Database, Store, stopped_at_end


@pytest.fixture
def database(backend_program: Path, tmp_path: Path) -> Iterator[Database]:
    """A PocketBase with a notice and nobody in it."""
    found = Database(tmp_path / "backend")
    with stopped_at_end(found):
        found.start()
        found.now.add("notices", en="Hello", zh="你好", published="2026-01-01 00:00:00.000Z")
        yield found


@pytest.fixture
def store(needs: Callable[..., None], tmp_path: Path) -> Iterator[Store]:
    needs("redis-server")
    (tmp_path / "redis").mkdir()
    found = Store(tmp_path / "redis")
    with stopped_at_end(found):
        found.start()
        yield found


@pytest.fixture
def shared(store: Store) -> dict[str, str]:
    """The settings of instances that remember writes and keep replies together."""
    return {"BFF_STATE_URL": store.url, "BFF_CACHE_URL": f"{store.url[:-1]}1"}
