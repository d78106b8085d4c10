"""Every page of this app, asked while each of its backends fails in every way: it answers as its recipe says."""

from __future__ import annotations

from pathlib import Path

import pytest

from bff.testing import fault_matrix, matrix_of

ROOT = Path(__file__).resolve().parents[2]

test_writing_while_a_backend = fault_matrix(
    ROOT, ["add_todo"], ["hangs", "500", "429", "10MB", "form", "stale"]
)


@pytest.mark.full
def test_every_page_answers_as_its_recipe_says() -> None:
    matrix = matrix_of(ROOT)
    assert [str(unreached) for unreached in matrix.unreached] == []
    verdicts = matrix.run()
    assert {str(case): verdict.problems for case, verdict in verdicts.items() if verdict.problems} == {}
    assert len(verdicts) > 400
