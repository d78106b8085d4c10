"""The fault matrix of a page in lines: green as it is, red when its lines are not the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import bff.web.lines as lines
from bff.testing import FaultCase, matrix_of
from tests.project import write_project

PAGE = """
route: GET /api/page
auth: none
deadline: 400ms
steps:
  todos:
    client: todos
    get: /todos
    take: reply.body.rows
  notice:
    client: notices
    get: /notice
    fallback:
      text: f"none"
    defer: true
shape:
  notice: notice.text
  todos: todos
  errors: errors
"""


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FaultCase]:
    root = write_project(tmp_path_factory.mktemp("project"), {"page": PAGE})
    return {str(case): case for case in matrix_of(root, faults=["500", "hangs", "form"]).cases}


def test_a_page_that_defers_is_asked_for_in_lines_where_that_may_differ(cases: dict[str, FaultCase]) -> None:
    assert [name for name in cases if name.endswith("-in_lines")] == [
        "page-good-in_lines",
        "page-todos-500-in_lines",
        "page-notice-500-in_lines",
        "page-notice-hangs-in_lines",
        "page-notice-form-in_lines",
    ]


def test_it_is_green(cases: dict[str, FaultCase]) -> None:
    assert {name: found for name, case in cases.items() if (found := case.run().problems)} == {}


def _no_changes(*_: Any) -> list[Any]:
    return []


def _not_ended(*_: Any) -> Any:
    def chunks(first: Any, parts: Any, written: lines.PageLines, journal: Any) -> Any:
        yield written.first(first)

    return chunks


@pytest.mark.parametrize(
    ("name", "mistake", "said"),
    [
        ("changes", _no_changes, "expected another page"),
        ("lines_of", _not_ended(), "expected status 200, found 0"),
    ],
)
def test_it_is_red_where_the_lines_are_not_the_page(
    name: str,
    mistake: Callable[..., Any],
    said: str,
    cases: dict[str, FaultCase],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lines, name, mistake)
    monkeypatch.setattr("bff.web.page.lines_of", lines.lines_of)
    found = cases["page-notice-hangs-in_lines"].run().problems
    assert [problem for problem in found if said in problem], found
