"""The fault matrix: every step with every fault, green where the engine does what recipes say."""

from __future__ import annotations

from bff.testing import FaultCase, Matrix
from bff.testing.upstream import FAULTS, FAULTS_OF_PASSING


def test_every_step_is_asked_with_every_fault(matrix: Matrix) -> None:
    assert matrix.unreached == []
    found = {(case.page, case.step) for case in matrix.cases if case.step}
    assert found == {
        *(("reading", step) for step in ("me", "todos", "notice")),
        *(("writing", step) for step in ("first", "taken_back", "second")),
        *(("many", step) for step in ("ids", "rows", "other")),
        *(("promised", step) for step in ("person", "rows", "settings")),
        *(("fetching", "file"), ("sending", "file"), ("signing", "login")),
    }
    [kept] = [case for case in matrix.cases if case.fault is not None and case.fault.warm]
    assert (kept.page, kept.step) == ("reading", "notice")
    of_keys = [str(case) for case in matrix.cases if case.fault is not None and case.fault.column]
    assert [case for case in of_keys if case.startswith("reading")] == [
        "reading-me-retyped name",
        "reading-todos-missing rows",
        "reading-todos-retyped rows",
        "reading-todos-retyped rows[*].due",
        "reading-todos-retyped rows[*].id",
        "reading-notice-retyped text",
    ]
    assert len(matrix.cases) == 7 + 13 * (len(FAULTS) - 1) + 1 + len(of_keys) + 2 * len(FAULTS_OF_PASSING)


def test_it_is_green(matrix: Matrix) -> None:
    verdicts = matrix.run()
    assert {str(case): verdict.problems for case, verdict in verdicts.items() if verdict.problems} == {}


def test_cases_are_named_for_page_step_and_fault(matrix: Matrix) -> None:
    assert isinstance(matrix.cases[0], FaultCase)
    assert [str(case) for case in matrix.cases[:3]] == [
        "fetching-good",
        "fetching-file-refused",
        "fetching-file-hangs",
    ]
