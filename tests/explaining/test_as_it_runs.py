"""What is told of a page is what the page then does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from bff.explaining.endings import causes_of
from bff.explaining.failures import optional_rows
from bff.explaining.most_requests import most_requests
from bff.explaining.order import first_steps
from bff.explaining.report import report
from bff.explaining.subject import Subject, subject_of
from tests.executor.recipes import recipe_of
from tests.fakes import FakeBackend, Script, answer, close, together
from tests.project import BACKENDS, visitor

REQUIRED = """
  row:
    client: todos
    get: /row
    retries: 0
"""
SEVERAL = """
  first:
    client: todos
    get: /first
    retries: 2
  others:
    client: people
    each: number in range(3)
    get: /others/{number}
    retries: 1
    fallback: null
  named:
    client: notices
    batch: ids in [1, 2, 3, 4, 5]
    batch_size: 2
    get: /named
    retries: 1
    query:
      id: ids
    fallback: []
"""
OPTIONAL = """
  row:
    client: todos
    get: /row
    retries: 0
    fallback: []
  name:
    client: people
    get: /name
    query:
      of: row[0]
    fallback: null
"""


LOOP = """
  row:
    client: todos
    get: /row
    fallback: null
  items:
    client: people
    each: one in ITEMS
    get: /items/{one}
    fallback: null
"""


@pytest.fixture
def backend() -> Iterator[FakeBackend]:
    with FakeBackend() as running:
        yield running


def both(root: Path, backend: FakeBackend, recipe: str) -> tuple[FlaskClient, Subject]:
    """A visitor of a page, and what is told of it."""
    environ = {f"{name.upper()}_URL": backend.url for name in BACKENDS}
    return visitor(root, recipe, environ=environ), subject_of(root, "page")


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        *((answer(status), str(status)) for status in (400, 401, 403, 404, 409, 410, 412, 422, 429, 500)),
        (answer(418), "500"),
        (answer(503), "500"),
        (answer(json={"rows": 1}), "a body of another form than is read"),
        (answer(body=b"<html>"), "a body of another form than is read"),
        (close, "no connection"),
    ],
)
def test_a_page_ends_with_the_problem_that_is_told(
    tmp_path: Path, backend: FakeBackend, script: Script, cause: str
) -> None:
    backend.on("GET /row", script)
    client, subject = both(tmp_path, backend, recipe_of(REQUIRED, '"[one.name for one in row.rows]"'))
    found = client.get("/api/page")
    told = [name for name, causes in causes_of(subject).items() if cause in causes]
    assert told == [f"{found.status_code} {found.json['type'].removeprefix('urn:bff:problem:')}"]


@pytest.mark.parametrize(
    ("items", "ending"), [("row.ids", "500 over-bound"), ("split(query.ids, ',')", "422 too-many-items")]
)
def test_a_list_that_is_too_long_ends_the_page_although_each_item_has_a_fallback(
    tmp_path: Path, backend: FakeBackend, items: str, ending: str
) -> None:
    backend.on("GET /row", answer(json={"ids": list(range(101))}))
    more = "input: {query: {ids: {type: string, default: ''}}}"
    recipe = recipe_of(LOOP.replace("ITEMS", items), "'[row, items]'", more=more)
    client, subject = both(tmp_path, backend, recipe)
    found = client.get("/api/page", query_string={"ids": "x," * 100 + "x"})
    assert f"{found.status_code} {found.json['type'].removeprefix('urn:bff:problem:')}" == ending
    assert causes_of(subject) == {ending: {"more than 100 items": ["items"]}}
    assert "\n  The page ends with a problem:\n" in report(subject)


def test_a_page_of_a_sick_backend_makes_all_the_requests_that_are_told_and_no_more(
    tmp_path: Path, backend: FakeBackend
) -> None:
    for number in range(3):
        backend.on(f"GET /others/{number}", answer(503))
    # A chunk that has failed for good would end the others.
    backend.on("GET /named", *[answer(503)] * 3, answer(json=[]))
    backend.on("GET /first", answer(503), answer(503), answer(json={}))
    shape = "{'first': first, 'others': others, 'named': named}"
    client, subject = both(tmp_path, backend, recipe_of(SEVERAL, f'"{shape}"'))
    assert client.get("/api/page").status_code == 200
    total = most_requests(subject)
    assert [(one.name, one.most) for one in total.asked] == [("first", 3), ("others", 6), ("named", 6)]
    assert len(backend.requests) == total.most == 15


def test_what_starts_at_once_is_asked_before_anything_has_answered(
    tmp_path: Path, backend: FakeBackend
) -> None:
    steps = OPTIONAL + "  other:\n    client: notices\n    get: /other\n    fallback: null\n"
    client, subject = both(tmp_path, backend, recipe_of(steps, "'[row, name, other]'"))
    both_are_in = together(2, answer(json=[]))
    backend.on("GET /row", both_are_in)
    backend.on("GET /other", both_are_in)
    backend.on("GET /name", answer(json="x"))
    assert client.get("/api/page").status_code == 200
    assert first_steps(subject) == ("row", "other")
    assert {request.path for request in backend.requests[:2]} == {"/row", "/other"}


def test_the_fields_that_are_told_are_those_that_take_the_fallback(
    tmp_path: Path, backend: FakeBackend
) -> None:
    backend.on("GET /row", answer(500))
    backend.on("GET /name", answer(json="Ann"))
    shape = """
      rows: row
      count: len(row)
      name: name
      fixed: 1
      errors: errors
    """
    client, subject = both(tmp_path, backend, recipe_of(OPTIONAL, shape))
    found = client.get("/api/page")
    assert found.headers["X-Page-Partial"] == "row"
    assert found.json["errors"][0]["fields"] == ["rows", "count", "name"]
    assert dict(optional_rows(subject)) == {
        "row": "[]; takes with it rows, count, name",
        "name": "null; takes with it name",
    }
