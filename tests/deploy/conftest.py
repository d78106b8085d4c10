"""The app as it runs resident, beside which built folders are looked at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bff.deploy import Bundler
from bff.deploy.python import running_python
from clients.local.pocketbase import Backend
from tests.deploy.small import small_project
from tests.servers import ROOT, Layer, layer


@pytest.fixture(scope="session", autouse=True)
def wheels(wheelhouse: None) -> None:
    """Every build here is of wheels that are there."""


@pytest.fixture(scope="session")
def resident(app_backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layer]:
    """The app behind one proxy, as most hosts are."""
    folder = tmp_path_factory.mktemp("resident")
    with layer(app_backend.url, folder, by_flask=True, BFF_TRUSTED_PROXIES="1") as running:
        yield running


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Bundler:
    """The bundler of a small project, which gets each package once for all tests."""
    root = small_project(tmp_path_factory.mktemp("small") / "my_todos")
    return Bundler(root, running_python(), "x86_64")


@pytest.fixture(scope="session")
def app_bundler() -> Bundler:
    """The same for the app."""
    return Bundler(ROOT, running_python(), "x86_64")
