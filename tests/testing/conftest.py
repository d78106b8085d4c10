"""The matrix of a small project."""

from __future__ import annotations

from pathlib import Path

import pytest

from bff.testing import Matrix, matrix_of
from tests.project import write_project
from tests.testing.pages import FETCHING, MANY, READING, SENDING, SIGNING, WRITING


@pytest.fixture(scope="package")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recipes = {"reading": READING, "writing": WRITING, "many": MANY}
    recipes |= {"fetching": FETCHING, "sending": SENDING, "signing": SIGNING}
    return write_project(tmp_path_factory.mktemp("project"), recipes)


@pytest.fixture(scope="package")
def matrix(project: Path) -> Matrix:
    return matrix_of(project)
