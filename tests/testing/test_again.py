"""The matrix of reads that are asked again: what follows their first reply fails, repeats or never ends."""

from __future__ import annotations

from pathlib import Path

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


ENDS = {
    "full": ("n + 1 if len(reply.body) == 100 else null", "limit"),
    "last_of_full": ("reply.body[-1].id if len(reply.body) >= 50 else null", "bad-reply"),
    "total": ("n + 50 if n + 50 < reply.body.total else null", "limit"),
    "of_pages": ("n + 1 if n < int(reply.headers['x-total-pages']) else null", "limit"),
    "until_empty": ("n + 1 if reply.body else null", "limit"),
    "link": ("find(reply.headers.link, '<([^>]*)>; rel=.next.')[1]", "bad-reply"),
}
"""How lists of many backends end, and what becomes of one that does not."""


def test_lists_end_by_their_length_a_total_or_a_header(tmp_path: Path) -> None:
    recipes = {}
    for name, (following, _) in ENDS.items():
        cursor = "" if name == "link" else "as: n, first: 0, "
        steps = f"""
          rows:
            client: todos
            get: /rows
            query: {{{"size: 50" if name == "link" else "n: n"}}}
            take: {"reply.body.items" if name == "total" else "reply.body"}
            pages: {{{cursor}next: "{following}"}}
        """
        recipes[name] = recipe_of(steps, "{rows: len(rows)}", route=f"GET /api/{name}", deadline="1500ms")
    found = matrix_of(write_project(tmp_path, recipes), faults=["page 2", "endless"])
    assert found.unreached == []
    verdicts = found.run()
    assert {str(case): verdict.problems for case, verdict in verdicts.items() if verdict.problems} == {}
    ends = {
        case.page: case.fault.of(case.scenario.replies["rows"]).ends_as
        for case in verdicts
        if case.fault is not None and case.fault.name == "endless"
    }
    assert {page: end and end[0] for page, end in ends.items()} == {
        name: kind for name, (_, kind) in ENDS.items()
    }


def test_a_reply_that_nothing_guesses_is_told_and_the_file_of_a_page_says_it(tmp_path: Path) -> None:
    recipe = listing_by("reply.body.next if digest(reply.body.word, 8) == '9f86d081' else null")
    root = write_project(tmp_path, {"page": recipe})
    [unreached] = matrix_of(root, faults=["page 2"]).unreached
    assert (str(unreached), unreached.why) == (
        "page-rows-endless-never",
        "no reply of step rows was found that says that there is more to come, again and again; "
        "say one in tests/pages/page.yaml, under faults.rows.endless",
    )
    (root / "tests" / "pages").mkdir(parents=True)
    (root / "tests" / "pages" / "page.yaml").write_text(
        "faults: {rows: {endless: {word: test, next: a, items: []}}}"
    )
    found = matrix_of(root, faults=["page 2", "endless"])
    assert [str(case) for case in (*found.unreached, *found.cases)] == [
        "page-good",
        "page-rows-page 2",
        "page-rows-endless",
    ]
    assert [verdict.problems for verdict in found.run().values()] == [()] * 3


def test_a_good_reply_ends_a_list_whose_step_may_fall_back(tmp_path: Path) -> None:
    recipe = recipe_of(
        """
          rows:
            client: todos
            graphql: 'query ($after: String) { items(after: $after) { id } }'
            variables: {after: cursor}
            take: reply.body.data.items
            pages: {as: cursor, next: reply.body.data.next if reply.body.data.more else null}
            fallback: [reply.body.x]
        """,
        "{rows: len(rows)}",
    )
    found = matrix_of(write_project(tmp_path, {"page": recipe}), faults=["endless"])
    assert found.unreached == []
    assert "X-Page-Partial" not in found.cases[0].good.answered.headers


def listing_by(following: str) -> str:
    steps = f"""
      rows:
        client: todos
        get: /rows
        query: {{after: cursor}}
        take: reply.body.items
        pages: {{as: cursor, next: "{following}"}}
    """
    return recipe_of(steps, "{rows: rows}", deadline="1500ms")


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
