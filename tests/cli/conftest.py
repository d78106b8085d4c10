"""Builds by the command, of wheels that are there."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session", autouse=True)
def wheels(wheelhouse: None) -> None:
    """Every build here is of wheels that are there."""
