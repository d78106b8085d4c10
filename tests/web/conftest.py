"""What tests of pages share: a backend on a real socket, and a page that gives back what it takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.fakes import FakeBackend
from tests.project import visitor
from tests.web.echo import ECHO


@pytest.fixture
def backend() -> Iterator[FakeBackend]:
    with FakeBackend() as running:
        yield running


@pytest.fixture
def echo(tmp_path: Path) -> FlaskClient:
    return visitor(tmp_path, ECHO)
