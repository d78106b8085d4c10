"""What the tests of explanations share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.explaining.project import write_ten


@pytest.fixture(scope="session")
def ten(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of the ten recipes."""
    return write_ten(tmp_path_factory.mktemp("ten"))
