"""What a page uses of its replies: with that and nothing else, it is the same page."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from bff import jsontext
from bff.errors import Place
from bff.expressions.inspect import inspect_tree
from bff.expressions.parse import parse
from bff.expressions.tree import PathTemplate, Tree
from bff.plan.partial_decoding import decoder_of
from bff.plan.used_paths import read_of_reply, used_of_values
from bff.recipe.graph import inspect_part, parts
from bff.recipe.model import Mark, Marks, Recipe, Request, Step, Value
from tests.expressions.generated import SCOPE, scopes, texts
from tests.expressions.reference import evaluate
from tests.expressions.test_reference import same
from tests.properties import HealthCheck, given, settings, st

NOW = datetime(2026, 11, 15, 20, 30, tzinfo=UTC)
QUOTES = {"quote": str}
NAMES = tuple(SCOPE)
MARKS = Marks(Mark(Place("page.yaml", 1, 1)))


def _requests() -> list[Step]:
    path = PathTemplate(("/",), "", "/")
    return [Request(name, "todos", "GET", path, safe=True, marks=MARKS) for name in NAMES]


def _page_of(scope: dict[str, Any], values: dict[str, Tree], shape: Tree) -> Any:
    found = dict(scope)
    for name, tree in values.items():
        found[name] = evaluate(tree, found, NOW, QUOTES)
    return evaluate(shape, found, NOW, QUOTES)


def _narrowed(scope: dict[str, Any], values: dict[str, Tree], shape: Tree) -> dict[str, Any]:
    """Each reply as it is decoded where a page has these values and this shape."""
    steps = [*_requests(), *(Value(name, tree, marks=MARKS) for name, tree in values.items())]
    recipe = Recipe("page", "page.yaml", "GET", "/page", steps=tuple(steps), marks=MARKS)
    inspections = {step.name: {key: inspect_part(part, {}) for key, part in parts(step)} for step in steps}
    used = used_of_values(recipe, inspections, [inspect_tree(shape)])
    found = {}
    for step in steps:
        if isinstance(step, Request):
            decode = decoder_of(read_of_reply(step, inspections[step.name], used[step.name]))
            raw = json.dumps(scope[step.name]).encode()
            found[step.name] = jsontext.decode(raw) if decode is None else decode(raw, 100)
    return found


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], database=None)
@given(
    scopes,
    texts(depth=3),
    texts(names=(*NAMES, "v", "v"), depth=3),
    texts(names=(*NAMES, "v", "w", "w", "w")),
)
def test_a_page_is_the_same_with_nothing_but_what_it_uses(
    scope: dict[str, Any], first: str, second: str, last: str
) -> None:
    values, shape = {"v": parse(first), "w": parse(second)}, parse(last)
    whole = {name: jsontext.decode(json.dumps(value).encode()) for name, value in scope.items()}
    assert same(_page_of(_narrowed(scope, values, shape), values, shape), _page_of(whole, values, shape))


@given(
    st.sampled_from([{}, {"id": 1}, {"name": "a"}, None, [], [1]]), st.sampled_from([{"name": "b"}, {}, [2]])
)
def test_what_a_choice_depends_on_is_used(one: Any, other: Any) -> None:
    scope = {**dict.fromkeys(NAMES), "x": one, "y": other}
    for text in ("(x or y).name", "[e for e in x or y]", "(x and y).name", "(x or y)['name']"):
        for values in ({}, {"v": parse(text)}):
            shape = parse("v" if values else text)
            assert same(
                _page_of(_narrowed(scope, values, shape), values, shape), _page_of(scope, values, shape)
            )
