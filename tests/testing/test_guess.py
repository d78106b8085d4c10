"""Replies that are guessed from what a recipe reads: its steps are asked, its guards hold, its fields say something."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bff.errors import AuthorError
from bff.testing import Matrix, matrix_of
from bff.testing.cases import FaultCase
from tests.project import write_project

HEAD = "route: GET /api/page\nauth: none\n"


def matrix(root: Path, recipe: str, file: str | None = None) -> Matrix:
    write_project(root, {"page": recipe})
    if file is not None:
        (root / "tests" / "pages").mkdir(parents=True)
        (root / "tests" / "pages" / "page.yaml").write_text(file, encoding="utf-8")
    return matrix_of(root, faults=["404"])


def good(found: Matrix) -> FaultCase:
    assert [unreached.why for unreached in found.unreached] == []
    return found.cases[0]


def page(found: Matrix) -> Any:
    return good(found).scenario.good.body


def test_lists_are_lists_where_they_are_iterated_and_mappings_where_they_are_looked_into(
    tmp_path: Path,
) -> None:
    recipe = f"""{HEAD}
steps:
  a:
    client: todos
    get: /a
    take: reply.body.data
shape:
  name: a.owner.name
  titles: "[row.title for row in a.rows]"
  first: a.rows[0].id
"""
    found = matrix(tmp_path, recipe)
    assert good(found).scenario.replies["a"].body == {
        "data": {
            "owner": {"name": "a-name-1"},
            "rows": [{"title": "a-title-1", "id": "id-1"}, {"title": "a-title-2", "id": "id-2"}],
        }
    }
    assert page(found) == {"name": "a-name-1", "titles": ["a-title-1", "a-title-2"], "first": "id-1"}


def test_rows_of_a_batch_have_the_ids_that_are_asked_for(tmp_path: Path) -> None:
    recipe = f"""{HEAD}
steps:
  todos:
    client: todos
    get: /todos
  people:
    client: people
    batch: ids in (todo.helper for todo in todos)
    get: /people
    query:
      id: ids
    take:
      each: row in reply.body.items
      item:
        key: row.uid
        name: row.name
    key_by: key
shape:
  each: todo in todos
  item: people[todo.helper].name
"""
    assert page(matrix(tmp_path, recipe)) == ["people-name-1", "people-name-2"]


@pytest.mark.parametrize(
    "condition",
    [
        "a.kind == 'vip'",
        "a.count > 2",
        "a.owner == path.id",
        "a.kind == 'vip' and a.state == 'open'",
        "a.kind in ['vip', 'gold'] and not a.blocked",
        "a.rows[0].kind == 'vip'",
        "len(a.rows) > 1",
    ],
)
def test_replies_are_chosen_with_which_guards_hold(tmp_path: Path, condition: str) -> None:
    recipe = f"""
route: GET /api/page/{{id}}
auth: none
steps:
  a:
    client: todos
    get: /a
  holds:
    require: {condition}
    fail:
      status: 403
shape:
  ok: a.text
"""
    assert page(matrix(tmp_path, recipe)) == {"ok": "a-text-1"}


def test_a_reply_is_chosen_with_which_a_step_is_asked(tmp_path: Path) -> None:
    recipe = f"""{HEAD}
input:
  query:
    extra:
      type: boolean
      default: false
steps:
  a:
    client: todos
    get: /a
  b:
    when: query.extra and a.kind == 'vip'
    client: todos
    get: /b
  c:
    when: a.kind != 'vip'
    client: todos
    get: /c/{{a.other}}
  d:
    client: todos
    post: /d
    safe: true
    ok: reply.body.state == 'fine' and not reply.body.errors
shape:
  b: b
  c: c
  d: d.text
"""
    found = matrix(tmp_path, recipe)
    assert found.unreached == []
    assert {str(case) for case in found.cases if case.step} == {f"page-{step}-404" for step in "abcd"}
    assert {str(case): verdict.problems for case, verdict in found.run().items() if verdict.problems} == {}


def test_an_error_that_ok_takes_for_an_answer_has_a_step_asked(tmp_path: Path) -> None:
    recipe = f"""{HEAD.replace("GET", "POST")}
steps:
  created:
    client: todos
    post: /todos
    ok: 200 <= reply.status < 300 or reply.body.code == 'there already'
    take:
      row: reply.body if reply.status < 300 else None
  before:
    when: created.row is None
    client: todos
    get: /todos/mine
shape:
  id: default(created.row, before).id
"""
    found = matrix(tmp_path, recipe)
    assert [str(case) for case in found.cases] == ["page-good", "page-created-404", "page-before-404"]
    assert {str(case): verdict.problems for case, verdict in found.run().items() if verdict.problems} == {}


def test_a_step_that_the_recipe_itself_leaves_out_is_no_case(tmp_path: Path) -> None:
    recipe = f"""{HEAD}
steps:
  with_b:
    value: false
  a:
    client: todos
    get: /a
  b:
    when: with_b
    client: todos
    get: /b
shape:
  a: a.text
  b: b.text
"""
    found = matrix(tmp_path, recipe)
    assert (found.unreached, [str(case) for case in found.cases]) == ([], ["page-good", "page-a-404"])


IMPOSSIBLE = f"""{HEAD}
steps:
  a:
    client: todos
    get: /a
  fits:
    require: startswith(a.code, 'X-') and endswith(a.code, '-Z')
    fail:
      status: 403
shape: a.code
"""


def test_what_no_guess_reaches_says_where_to_write_it(tmp_path: Path) -> None:
    found = matrix(tmp_path, IMPOSSIBLE)
    assert [(str(unreached), unreached.why) for unreached in found.unreached] == [
        (
            "page-never",
            "no replies were found with which this page is well: it ends with 403 at step fits; "
            "say what its backends reply in tests/pages/page.yaml",
        )
    ]
    with pytest.raises(AssertionError, match=r"tests/pages/page\.yaml"):
        found.unreached[0].check()


def test_a_page_file_gives_the_replies(tmp_path: Path) -> None:
    found = matrix(tmp_path, IMPOSSIBLE, "replies:\n  a:\n    code: X-1-Z\npage: X-1-Z\n")
    assert good(found).run().problems == ()


def test_a_page_file_may_give_the_whole_reply_the_request_and_the_user(tmp_path: Path) -> None:
    recipe = """
route: GET /api/page
input:
  query:
    q:
      type: string
      pattern: ^(red|blue)-[0-9]$
      maxLength: 9
steps:
  a:
    client: todos
    get: /a
    query:
      q: query.q
shape:
  total: reply_total
  q: query.q
  team: user.team
"""
    recipe = recipe.replace("reply_total", "a").replace(
        "    query:\n      q: query.q\n", "    take: reply.headers['x-total']\n"
    )
    file = """
user:
  team: red
request:
  query:
    q: red-7
replies:
  a:
    status: 203
    headers:
      X-Total: 12
    body: null
page:
  total: "12"
  q: red-7
  team: red
"""
    assert good(matrix(tmp_path, recipe, file)).run().problems == ()


def test_a_page_that_is_not_as_its_file_says_is_a_problem(tmp_path: Path) -> None:
    found = matrix(tmp_path, IMPOSSIBLE, "replies:\n  a:\n    code: X-1-Z\npage: X-2-Z\n")
    [problem] = good(found).run().problems
    assert problem == "expected the page of its file: expected the page to be 'X-2-Z', found 'X-1-Z'"


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("reply:\n  a: 1\n", "tests/pages/page.yaml:1:1: unknown key 'reply'"),
        ("replies:\n  b: 1\n", "tests/pages/page.yaml:2:3: unknown key 'b'"),
        ("request:\n  qery: {}\n", "tests/pages/page.yaml:2:3: unknown key 'qery'"),
        ("replies: 1\n", "tests/pages/page.yaml:1:10: expected a mapping"),
    ],
)
def test_a_mistake_in_a_page_file_is_said_with_its_place(tmp_path: Path, file: str, said: str) -> None:
    with pytest.raises(AuthorError) as caught:
        matrix(tmp_path, IMPOSSIBLE, file)
    assert str(caught.value).startswith(said)


def test_replies_are_of_the_types_that_their_backend_promises(matrix: Matrix) -> None:
    case = next(case for case in matrix.cases if str(case) == "promised-good")
    bodies = {name: reply.body for name, reply in case.scenario.replies.items()}
    assert bodies["person"] == {"age": 3, "name": "person-name-1", "state": "married"}
    assert bodies["rows"] == {"found": [{"due": True, "id": 1}, {"due": True, "id": 2}]}
    assert bodies["settings"]["colour"] == "red"
    assert bodies["settings"]["by_name"] == {"id-1": True, "id-2": True}
    assert case.scenario.good.unmet == ()


def test_a_page_file_that_gives_one_parameter_leaves_the_others_to_be_guessed(tmp_path: Path) -> None:
    recipe = """
route: GET /api/{carrier}/{parcel}
auth: none
input:
  path:
    carrier: {type: string, enum: [north, south]}
    parcel: {type: string, pattern: '^[NS]-[0-9]{3}$'}
steps:
  north:
    client: todos
    when: path.carrier == 'north'
    get: /{path.parcel}
  south:
    client: notices
    when: path.carrier == 'south'
    get: /{path.parcel}
shape: [north, south]
"""
    found = matrix(tmp_path, recipe, "request:\n  path:\n    parcel: N-100\n")
    assert [unreached.why for unreached in found.unreached] == []
    assert {case.step: case.scenario.request.path for case in found.cases if case.fault} == {
        "north": {"carrier": "north", "parcel": "N-100"},
        "south": {"carrier": "south", "parcel": "N-100"},
    }


def test_a_good_reply_has_what_a_step_says_that_it_needs(tmp_path: Path) -> None:
    recipe = """
    route: GET /api/page
    auth: none
    steps:
      rows: {client: todos, get: /rows, take: reply.body.items, needs: ["[*].id"]}
    shape: rows[0].name
    """
    found = matrix_of(write_project(tmp_path, {"page": recipe}), faults=["null", "nulls"])
    assert found.unreached == []
    assert {verdict.problems for verdict in found.run().values()} == {()}
