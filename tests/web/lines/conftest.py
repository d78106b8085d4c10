"""The backend of a page in lines, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.fakes import FakeBackend, answer
from tests.project import BACKENDS, visitor
from tests.web.lines.pages import PAGE, PEOPLE, TODOS, Make


@pytest.fixture
def backend() -> Iterator[FakeBackend]:
    with FakeBackend() as running:
        running.on("GET /todos", answer(json=TODOS))
        running.on("GET /people", answer(json=PEOPLE))
        running.on("GET /notice", answer(json={"text": "Hello"}))
        yield running


@pytest.fixture
def page(tmp_path: Path, backend: FakeBackend) -> Make:
    def make(recipe: Any = PAGE, environ: dict[str, str] | None = None, **more: Any) -> FlaskClient:
        urls = {f"{name.upper()}_URL": backend.url for name in BACKENDS}
        return visitor(tmp_path, recipe, environ={**urls, **(environ or {})}, **more)

    return make
