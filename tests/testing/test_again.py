"""The matrix of reads that are asked again: what follows their first reply fails, repeats or never ends."""

from __future__ import annotations

import pytest

from bff.testing import FaultCase, Matrix, matrix_of
from bff.testing.matrix import Unreached
from tests.executor.recipes import recipe_of
from tests.project import write_project

PAGES = {
    "cursor": """
      rows:
        client: todos
        get: /rows
        query: {after: cursor}
        take: reply.body.items
        pages: {as: cursor, next: reply.body.next, within: 800ms}
    """,
    "counted": """
      rows:
        client: todos
        get: /rows/{page}
        take: reply.body.items
        pages: {as: page, first: 1, next: page + 1 if reply.body.more else null, most: 3}
        fallback: []
    """,
    "stopping": """
      rows:
        client: todos
        get: /rows
        query: {page: page}
        take: reply.body.items
        pages: {as: page, first: 1, next: page + 1 if reply.body.more else null, most: 3, then: stop}
    """,
    "addressed": """
      rows:
        client: todos
        get: /rows
        query: {size: 50}
        cache: 1m
        take: reply.body.items
        pages: {next: reply.body.links.next}
    """,
    "said_in_headers": """
      rows:
        client: todos
        get: /rows
        query: {page: page}
        pages: {as: page, first: 1, next: "reply.headers['x-next-page']"}
    """,
    "each": """
      ids:
        client: people
        get: /ids
      all:
        each: one in ids
        client: todos
        get: /rows/{one.id}
        query: {after: cursor}
        take: reply.body.items
        pages: {as: cursor, next: reply.body.next}
        fallback: []
      rows:
        value: "[row for some in all for row in some]"
    """,
    "batch": """
      ids:
        client: people
        get: /ids
      rows:
        batch: some in (one.id for one in ids)
        client: todos
        get: /rows
        query: {ids: some, after: cursor}
        take: reply.body.items
        pages: {as: cursor, next: reply.body.next}
    """,
}
SHAPE = '{rows: "[row.name for row in rows]", errors: errors}'

UNTIL = {
    "job": recipe_of(
        """
          job:
            client: todos
            get: /job
            take: reply.body.result
            until: {done: "reply.body.state == 'ready'", every: 100ms, within: 1s}
        """,
        "{name: job.name}",
        deadline="1500ms",
    ),
    "jobs": recipe_of(
        """
          ids:
            client: people
            get: /ids
          jobs:
            each: one in ids
            client: todos
            get: /jobs/{one.id}
            take: reply.body.name
            until: {done: reply.body.done, every: 100ms, within: 1s}
            fallback: null
          beside:
            client: notices
            get: /beside
        """,
        "{names: jobs, beside: beside.text}",
        deadline="1500ms",
    ),
}


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Matrix:
    recipes = {name: recipe_of(steps, SHAPE, deadline="1500ms") for name, steps in PAGES.items()}
    recipes = {name: text.replace("/api/page", f"/api/{name}") for name, text in {**recipes, **UNTIL}.items()}
    return matrix_of(write_project(tmp_path_factory.mktemp("again"), recipes))


def of_again(matrix: Matrix) -> list[FaultCase]:
    return [case for case in matrix.cases if case.fault and case.fault.name in ("page 2", "endless")]


def test_every_such_step_has_a_good_reply_that_ends_it_and_one_that_does_not(matrix: Matrix) -> None:
    assert matrix.unreached == list[Unreached]()
    assert sorted(map(str, of_again(matrix))) == sorted(
        [
            *(f"{page}-rows-page 2" for page in PAGES if page not in ("each", "batch")),
            *(f"{page}-rows-endless" for page in PAGES if page != "each"),
            "each-all-endless",
            "job-job-endless",
            "jobs-jobs-endless",
        ]
    )


def test_what_comes_of_a_list_without_an_end_is_known_before_it_runs(matrix: Matrix) -> None:
    ends = {
        str(case): case.fault.of(case.scenario.replies[str(case.step)]).ends_as
        for case in of_again(matrix)
        if case.fault is not None and case.fault.name == "endless"
    }
    assert ends == {
        "cursor-rows-endless": ("bad-reply", 502),
        "counted-rows-endless": ("limit", 500),
        "stopping-rows-endless": ("", 200),
        "addressed-rows-endless": ("bad-reply", 502),
        "said_in_headers-rows-endless": ("bad-reply", 502),
        "each-all-endless": ("bad-reply", 502),
        "batch-rows-endless": ("bad-reply", 502),
        "job-job-endless": ("timeout", 504),
        "jobs-jobs-endless": ("timeout", 504),
    }


def test_it_is_green(matrix: Matrix) -> None:
    verdicts = matrix.run()
    assert {str(case): verdict.problems for case, verdict in verdicts.items() if verdict.problems} == {}
    answers = {
        str(case): (verdict.status, verdict.partial)
        for case, verdict in verdicts.items()
        if case in of_again(matrix)
    }
    assert answers["cursor-rows-page 2"] == (502, False)
    assert answers["counted-rows-page 2"] == (200, True)
    assert answers["counted-rows-endless"] == (200, True)
    assert answers["stopping-rows-endless"] == (200, True)
    assert answers["job-job-endless"] == (504, False)
    assert answers["jobs-jobs-endless"] == (200, True)
