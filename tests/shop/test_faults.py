"""Each page of the shop, with every fault of each of its backends."""

from __future__ import annotations

import pytest

from bff.testing import matrix_of
from tests.shop.conftest import PROJECT


@pytest.mark.full
def test_every_page_is_as_its_recipe_says_whatever_fails() -> None:
    matrix = matrix_of(PROJECT)
    assert [unreached.why for unreached in matrix.unreached] == []
    assert len({case.page for case in matrix.cases}) == 20
    verdicts = matrix.run()
    assert {str(case): verdict.problems for case, verdict in verdicts.items() if verdict.problems} == {}
