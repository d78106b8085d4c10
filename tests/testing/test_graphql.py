"""The fault matrix of pages that ask by GraphQL: errors in a reply are faults, too."""

from __future__ import annotations

import pytest

from bff.testing import Matrix, matrix_of
from bff.testing.table import explained, table
from tests.project import write_project

READS = """
    route: GET /api/reads
    auth: none
    deadline: 400ms
    steps:
      film: {client: people, graphql: "{ film { title } }"}
      more: {client: todos, graphql: "{ more { id } }", fallback: {more: null}}
      own: {client: notices, graphql: "{ own { id } }", ok: reply.status == 200}
    shape: [film.film.title, more.more.id, own.own.id]
    """
WRITES = """
    route: POST /api/writes
    auth: none
    deadline: 400ms
    steps:
      added:
        client: people
        graphql: "mutation { add { id } }"
        undo:
          graphql: "mutation ($id: ID!) { remove(id: $id) { id } }"
          variables: {id: added.add.id}
      sure:
        client: todos
        graphql: "mutation { add { id } }"
        undo: {graphql: "mutation { clear { id } }"}
      last: {client: notices, get: /last}
    shape: [added.add.id, last.text]
    """


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Matrix:
    root = write_project(tmp_path_factory.mktemp("graphql"), {"reads": READS, "writes": WRITES})
    return matrix_of(root)


def test_each_document_is_answered_with_errors(matrix: Matrix) -> None:
    assert matrix.unreached == []
    faults = [str(case) for case in matrix.cases if case.fault is not None and case.fault.leaves]
    assert faults == [
        f"{page}-{step}-{fault}"
        for page, steps in (("reads", ("film", "more", "own")), ("writes", ("added", "sure")))
        for step in steps
        for fault in ("errors", "errors and data")
    ]


def test_it_is_green_and_has_a_column_for_errors(matrix: Matrix) -> None:
    verdicts = matrix.run()
    assert list(explained(matrix, verdicts)) == []
    head, *rows = table(matrix, verdicts)
    at = head.index("errors")
    cells = {row.split()[0]: row[at : at + 8].strip() for row in rows}
    assert cells == {
        **{"reads": "", "film": "502", "more": "200+", "own": "502/200"},
        **{"writes": "", "added": "502", "sure": "502", "last": ""},
    }
