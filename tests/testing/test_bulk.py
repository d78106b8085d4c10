"""The fault matrix of bulk writes: a 207 in which some items were not done is a fault, too."""

from __future__ import annotations

import pytest

from bff.testing import Matrix, matrix_of
from bff.testing.table import explained, table
from tests.project import write_project

PAGE = """
    route: POST /api/NAME
    auth: none
    deadline: 400ms
    input:
      body:
        type: object
        required: [rows]
        properties:
          rows: {type: array, minItems: 2, maxItems: 4, items: ITEMS}
    steps:
      rows:
        client: todos
        post: /bulk
        batch: some in body.rows
        body: some
        MORE
      last: {client: notices, get: /last}
    shape: SHAPE
    """
TEXTS = "{type: string}"
ROWS = "{type: object, properties: {sku: {type: string}}}"
INDEX = "reply.body.items[i].index.status"


def page(name: str, items: str, more: str, shape: str = "last.text") -> str:
    lines = "\n        ".join(line.strip() for line in more.strip().splitlines())
    return PAGE.replace("NAME", name).replace("ITEMS", items).replace("MORE", lines).replace("SHAPE", shape)


RECIPES = {
    "ids": page("ids", TEXTS, 'failed: "[one.id for one in reply.body if one.status >= 400]"'),
    "undone": page(
        "undone",
        TEXTS,
        """
        failed: reply.body.failed
        undo: {post: /undo, body: some}
        """,
    ),
    "told": page(
        "told",
        ROWS,
        f"""
        failed: "[{{'item': i, 'status': {INDEX}}} for i in range(len(some)) if {INDEX} >= 300]"
        take: reply.body.items
        fallback: error.status
        """,
        "[last.text, rows, errors]",
    ),
    "plain": page("plain", TEXTS, "undo: {post: /undo, body: some}"),
}


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Matrix:
    return matrix_of(write_project(tmp_path_factory.mktemp("bulk"), RECIPES))


def test_a_write_that_says_what_failed_is_answered_so(matrix: Matrix) -> None:
    assert matrix.unreached == []
    faults = {case.page: case.fault for case in matrix.cases if case.fault and case.fault.name == "items"}
    assert {page: (fault.leaves, fault.told) for page, fault in faults.items()} == {
        "ids": ("done", None),
        "undone": ("done", None),
        "told": ("done", 409),
    }


def test_it_is_green_and_has_a_column_for_items(matrix: Matrix) -> None:
    verdicts = matrix.run()
    assert list(explained(matrix, verdicts)) == []
    head = next(iter(table(matrix, verdicts)))
    assert "items" in head.split()
