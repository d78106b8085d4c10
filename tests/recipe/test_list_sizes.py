"""The most items of a list, as far as a recipe tells."""

from __future__ import annotations

import math

import pytest

from bff.expressions.parse import parse_each
from bff.recipe.list_sizes import ListSizes, Size
from bff.recipe.loader import load_recipe
from bff.recipe.model import Recipe

UNKNOWN = Size(math.inf)
RECIPE = """
route: POST /page
input:
  body:
    type: object
    properties:
      ids: {type: array, maxItems: 20}
steps:
  row:
    client: rows
    get: /row
  named:
    value: body.ids
  pairs:
    value: {each: [a in body.ids, "b in row.items[:3] if a"], let: {c: b}, item: c}
shape: row
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    path = tmp_path_factory.mktemp("sizes") / "page.yaml"
    path.write_text(RECIPE)
    found, findings = load_recipe(path, path.parent)
    assert (findings, found is not None) == ([], True)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "of_visitors", "of_all"),
    [
        ("body.ids", 20, 20),
        ("body.ids[:5]", 5, 5),
        ("row.items", None, math.inf),
        ("row.items[:7]", None, 7),
        ("row.items[-3:]", None, 3),
        ("[1, 2, row]", None, 3),
        ("body.ids + row.items", 20, math.inf),
        ("body.ids + [row.id]", 20, 21),
        ("default(body.ids, row.items)", 20, math.inf),
        ("body.ids or row.items", 20, math.inf),
        ("(body.ids if row else [1])", 20, 20),
        ("[a for a in body.ids for b in row.items[:2]]", 20, 40),
        ("(one.id for one in row.items)", None, math.inf),
        ("sort(body.ids)", 20, 20),
        ("range(4)", 4, 4),
        ("split(row, ',')", None, math.inf),
        ("named", 20, 20),
        ("pairs", 20, 60),
    ],
)
def test_of_what_nothing_is_known_has_the_size_that_is_asked_for(
    recipe: Recipe, text: str, of_visitors: float | None, of_all: float
) -> None:
    node = parse_each(f"x in {text}").source.node
    found = ListSizes(recipe).most(node)
    assert (None if found is None else found.items) == of_visitors
    all_of_it = ListSizes(recipe, unknown=UNKNOWN).most(node)
    assert all_of_it is not None
    assert all_of_it.items == of_all
