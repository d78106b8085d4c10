"""The matrix of a small project."""

from __future__ import annotations

from pathlib import Path

import pytest

from bff.testing import Matrix, matrix_of
from tests.testing.pages import write_pages


@pytest.fixture(scope="package")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pages(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="package")
def matrix(project: Path) -> Matrix:
    return matrix_of(project)
