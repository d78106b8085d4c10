"""The fault matrix of bulk writes: a 207 in which some items were not done is a fault, too."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from bff.errors import AuthorError
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
    "by_field": page("by_field", ROWS, 'failed: "[row for row in some if row.sku in reply.body.failed]"'),
    "by_name": page("by_name", TEXTS, "failed: keys(reply.body.errors)"),
    "in_chunks": page("in_chunks", TEXTS, "failed: reply.body.failed\nbatch_size: 1"),
    "unless_done": page(
        "unless_done",
        TEXTS,
        'failed: "[some[i] for i in range(len(some)) if reply.body[i].status != 201]"',
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
        "by_field": ("refused", None),
        "by_name": ("done", None),
        "in_chunks": ("refused", None),
        "unless_done": ("done", None),
    }


def test_it_is_green_and_has_a_column_for_items(matrix: Matrix) -> None:
    verdicts = matrix.run()
    assert list(explained(matrix, verdicts)) == []
    head = next(iter(table(matrix, verdicts)))
    assert "items" in head.split()


NEVER = {"page": page("page", TEXTS, 'failed: "[id for id in some if digest(id, 8) in reply.body.failed]"')}


def test_a_reply_that_nothing_guesses_is_told(tmp_path: Path) -> None:
    found = matrix_of(write_project(tmp_path, NEVER))
    [unreached] = found.unreached
    assert (str(unreached), unreached.why) == (
        "page-rows-items-never",
        "no reply of step rows was found that says which of its items were not done; "
        "say one in tests/pages/page.yaml, under faults.rows.items",
    )
    assert matrix_of(tmp_path, faults=["500"]).unreached == []
    head, _, rows, *_ = table(found, found.run())
    assert rows[head.index("items") :].split()[0] == "never"


def test_the_file_of_a_page_says_it(tmp_path: Path) -> None:
    root = write_project(tmp_path, NEVER)
    (root / "tests" / "pages").mkdir(parents=True)
    said = """
    request: {body: {rows: [a, b]}}
    replies: {rows: {failed: []}}
    faults: {rows: {items: {failed: [DIGEST]}}}
    """
    said = said.replace("DIGEST", hashlib.sha256(b"a").hexdigest()[:8])
    (root / "tests" / "pages" / "page.yaml").write_text(said)
    matrix = matrix_of(root)
    assert matrix.unreached == []
    assert [case.fault.leaves for case in matrix.cases if case.fault and case.fault.name == "items"] == [
        "done"
    ]
    assert list(explained(matrix, matrix.run())) == []


def test_what_a_file_says_of_a_fault_is_looked_at(tmp_path: Path) -> None:
    root = write_project(tmp_path, NEVER)
    (root / "tests" / "pages").mkdir(parents=True)
    (root / "tests" / "pages" / "page.yaml").write_text("faults: {rows: {item: []}, row: {}}")
    with pytest.raises(AuthorError, match="did you mean 'items'") as error:
        matrix_of(root)
    assert len(error.value.findings) == 2
