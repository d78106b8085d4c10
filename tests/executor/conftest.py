"""Backends on real sockets, and pages that ask them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.fakes import FakeBackend
from tests.project import BACKENDS, visitor


@pytest.fixture
def backend() -> Iterator[FakeBackend]:
    """One fake backend that stands in for all three."""
    with FakeBackend() as running:
        yield running


@pytest.fixture
def page(tmp_path: Path, backend: FakeBackend) -> Callable[..., FlaskClient]:
    """Makes a test client of a project with one recipe (or several) whose clients ask the fake backend."""

    def make(recipe: Any, environ: dict[str, str] | None = None, **more: Any) -> FlaskClient:
        urls = {f"{name.upper()}_URL": backend.url for name in BACKENDS}
        return visitor(tmp_path, recipe, environ={**urls, **(environ or {})}, **more)

    return make


@pytest.fixture(params=["sockets", "threads"])
def ways(request: pytest.FixtureRequest) -> dict[str, str]:
    """The setting for each transport."""
    return {"BFF_TRANSPORT": request.param}
