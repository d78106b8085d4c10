"""Recipes of growing difficulty, each with the type of its page as a text."""

from __future__ import annotations

from pathlib import Path

import pytest

from bff.explaining.types import pages_of, stats_text, types_text
from tests.recipe.types.shop import CASES, HERE, write_shop


@pytest.mark.parametrize("case", CASES)
def test_a_page_has_its_type(case: str, tmp_path: Path) -> None:
    pages = pages_of(write_shop(tmp_path, case), ["page"])
    assert types_text(pages) + stats_text(pages) == (HERE / "cases" / f"{case}.txt").read_text("utf-8")
