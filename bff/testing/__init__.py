"""For the tests of a project: its pages, asked while each of their backends fails in every way.

One line makes tests of them::

    test_faults = fault_matrix(root=".")

or, to choose and mark cases by hand::

    @pytest.mark.parametrize("case", fault_cases("."), ids=str)
    def test_a_page_answers_as_its_recipe_says(case):
        case.check()
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path

from bff.testing.cases import FaultCase, Verdict
from bff.testing.matrix import Matrix, Unreached, matrix_of
from bff.testing.server import FakeBackend, Received, answer
from bff.testing.signing import sign

__all__ = [
    "FakeBackend",
    "FaultCase",
    "Matrix",
    "Received",
    "Unreached",
    "Verdict",
    "answer",
    "fault_cases",
    "fault_matrix",
    "matrix_of",
    "sign",
]


def fault_cases(
    root: str | PathLike[str], pages: Sequence[str] | None = None, faults: Sequence[str] | None = None
) -> list[FaultCase | Unreached]:
    """Every case of a project, or of some of its pages and faults; `case.check()` runs one.

    A page or step that no guess reaches is a case that fails and says what to write.
    """
    found = matrix_of(Path(root), pages, faults)
    return [*found.cases, *found.unreached]


def fault_matrix(
    root: str | PathLike[str], pages: Sequence[str] | None = None, faults: Sequence[str] | None = None
) -> Callable[..., None]:
    """A pytest test with one case for each page, request and fault; give it a name that begins with `test_`."""
    import pytest

    @pytest.mark.parametrize("case", fault_cases(root, pages, faults), ids=str)
    def test_the_page_answers_as_its_recipe_says(case: FaultCase | Unreached) -> None:
        __tracebackhide__ = True
        case.check()

    return test_the_page_answers_as_its_recipe_says
