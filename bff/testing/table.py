"""The fault matrix as a table for people: page × step × fault, and what differs, explained below it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bff.testing.again import WORDS
from bff.testing.cases import FaultCase, Verdict
from bff.testing.keys import CHANGES
from bff.testing.matrix import COLUMNS, Matrix


def table(matrix: Matrix, verdicts: Mapping[FaultCase, Verdict]) -> Iterator[str]:
    """The lines of the table."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for case, verdict in verdicts.items():
        column = "well" if case.fault is None else case.fault.column or case.fault.name
        cells = rows.setdefault((case.asked_for, case.step or ""), {})
        cells[column] = _both(cells.get(column, ""), _cell(verdict))
    for unreached in matrix.unreached:
        rows.setdefault((unreached.page, unreached.step or ""), {})[unreached.fault or "well"] = "never"
    order = list(dict.fromkeys(page for page, _ in rows))
    sorted_rows = sorted(rows.items(), key=lambda row: order.index(row[0][0]))
    columns = [
        "well",
        *(name for name in COLUMNS if any(name in cells for cells in rows.values())),
    ]
    wide = max([len(page) for page, _ in rows] + [4]), max([len(step) for _, step in rows] + [4])
    yield _line(("page", "step"), wide, columns)
    before = ""
    for (page, step), cells in sorted_rows:
        shown = "" if page == before else page
        before = page
        yield _line((shown, step), wide, [cells.get(column, "") for column in columns])


def explained(matrix: Matrix, verdicts: Mapping[FaultCase, Verdict]) -> Iterator[str]:
    """A paragraph for each case that is not as declared, and for each that could not be tried."""
    for case, verdict in verdicts.items():
        if verdict.problems:
            what = (
                "when every backend is well"
                if case.fault is None
                else f"{case.step} {_words(case.fault.name)}"
            )
            yield f"{case.asked_for}: {what}"
            yield from (f"  {problem}" for problem in verdict.problems)
    for unreached in matrix.unreached:
        yield f"{unreached.page}: {unreached.why}"


def _cell(verdict: Verdict) -> str:
    marks = {"+": verdict.partial, "~": verdict.old, "!": bool(verdict.problems)}
    return f"{verdict.status}{''.join(mark for mark, is_so in marks.items() if is_so)}"


def _both(before: str, cell: str) -> str:
    """One cell for two cases of a column; of what is not as the recipe says, only that."""
    if "!" in before or before == cell:
        return before
    return (
        cell if "!" in cell or not before else f"{before}/{cell}" if cell not in before.split("/") else before
    )


def _line(names: tuple[str, str], wide: tuple[int, int], cells: list[str]) -> str:
    parts = [f"{names[0]:<{wide[0]}}", f"{names[1]:<{wide[1]}}", *(f"{cell:<8}" for cell in cells)]
    return "  ".join(parts[:2]) + "  " + "".join(parts[2:]).rstrip()


_WORDS = {
    "refused": "cannot be reached",
    "hangs": "never answers",
    "empty": "answers with an empty body",
    "HTML": "answers with HTML",
    "half": "answers with half a body",
    "charset": "answers with what is not in its charset",
    "form": "answers with JSON of another form",
    "null": "answers with null",
    "nulls": "answers with null in the place of lists",
    "{}": "answers with {}",
    "[]": "answers with []",
    "text": "answers with a text",
    "10MB": "answers with 10 MB",
    "drip": "answers a byte at a time",
    "stale": "has closed the connection that was kept",
    "kept": "fails, and a reply of before is kept",
    "items": "answers that some items were not done",
    "errors": "answers with errors, and nothing done",
    "errors and data": "answers with errors, and data",
}


def _words(fault: str) -> str:
    column, _, key = fault.partition(" ")
    if column in CHANGES:
        return f"answers without {key}" if column == "missing" else f"answers with {key} of another type"
    return {**_WORDS, **WORDS}.get(fault, f"answers with status {fault}")
