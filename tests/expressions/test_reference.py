"""The compiled form and the plain evaluator of `reference.py` agree on everything that hypothesis thinks of."""

import ast
import math
from datetime import UTC, datetime

import pytest

from bff.errors import PageError
from bff.expressions import Evaluation, compile_tree
from bff.expressions.parse import parse
from bff.expressions.rooms import SEALS
from tests.expressions.generated import lists, row_texts, rows, scopes, texts, trees, values
from tests.expressions.reference import PlainSeals, evaluate
from tests.properties import HealthCheck, given, settings

NOW = datetime(2026, 11, 15, 20, 30, 0, 123456, tzinfo=UTC)
QUOTES = {"quote": lambda text: "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"}

common = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], database=None
)


def same(left, right):
    """Equal as JSON texts are: kinds count, and so do the signs of zeros and the order of keys."""
    if type(left) is not type(right):
        return False
    if isinstance(left, list):
        return len(left) == len(right) and all(same(*pair) for pair in zip(left, right, strict=True))
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, float):
        return left == right and math.copysign(1, left) == math.copysign(1, right)
    return left == right


def check(tree, scope):
    scope = {**scope, SEALS: PlainSeals()}
    compiled = compile_tree(tree, quotes=QUOTES)
    before = repr(scope)
    expected = evaluate(tree, scope, NOW, QUOTES)
    made = compiled(scope, Evaluation(now=NOW))
    assert same(made, expected), (made, expected)
    safe = compiled.safely(scope, Evaluation(now=NOW))
    assert same(safe, expected), (safe, expected)
    assert repr(scope) == before


@settings(common, max_examples=150)
@given(text=texts(), scope=scopes)
def test_an_expression_gives_what_the_rules_say(text, scope):
    check(parse(text), scope)


@settings(common, max_examples=150)
@given(text=row_texts(), scope=scopes, todos=rows)
def test_a_loop_over_rows_gives_what_the_rules_say(text, scope, todos):
    check(parse(text), {**scope, "todos": todos})


@settings(common, max_examples=150)
@given(tree=trees(), scope=scopes)
def test_a_tree_gives_what_the_rules_say(tree, scope):
    check(tree, scope)


@settings(common, max_examples=150)
@given(tree=lists(), scope=scopes, todos=rows)
def test_a_list_of_loops_and_lets_gives_what_the_rules_say(tree, scope, todos):
    check(tree, {**scope, "todos": todos})


@pytest.mark.full
@settings(common, max_examples=5_000)
@given(
    part=row_texts().map(parse) | texts().map(parse) | trees() | lists(), scope=scopes, todos=rows | values
)
def test_many_more_give_what_the_rules_say(part, scope, todos):
    check(part, {**scope, "todos": todos})


@settings(common, max_examples=100)
@given(text=texts())
def test_the_grammar_is_pythons(text):
    expected = ast.parse(f"({text})", mode="eval").body
    names = {"true": "True", "false": "False", "null": "None"}
    for node in ast.walk(expected):
        for field, value in ast.iter_fields(node):
            if isinstance(value, ast.Name) and value.id in names:
                setattr(node, field, ast.Constant(ast.literal_eval(names[value.id])))
            elif isinstance(value, list):
                value[:] = [
                    ast.Constant(ast.literal_eval(names[item.id]))
                    if isinstance(item, ast.Name) and item.id in names
                    else item
                    for item in value
                ]
    if isinstance(expected, ast.Name) and expected.id in names:
        expected = ast.Constant(ast.literal_eval(names[expected.id]))
    assert ast.dump(parse(text).node) == ast.dump(expected)


@settings(common, max_examples=100)
@given(text=texts(), scope=scopes)
def test_the_fast_version_raises_or_is_right(text, scope):
    compiled = compile_tree(parse(text), quotes=QUOTES)
    scope = {**scope, SEALS: PlainSeals()}
    expected = compiled.safely(scope, Evaluation(now=NOW))
    try:
        made = compiled._fast(scope, Evaluation(now=NOW))
    except PageError:
        raise
    except Exception:
        return
    assert same(made, expected)


@pytest.mark.parametrize(
    "text", ["[t.name for t in todos if t.done]", "{t.id: people[t.id].name for t in todos}"]
)
def test_plain_pages_stay_on_the_fast_version(text):
    scope = {
        "todos": [{"id": "a", "name": None, "done": True}, {"id": 7, "done": None}, {}],
        "people": {"a": {"name": "A"}, "7": None},
    }
    compiled = compile_tree(parse(text))
    compiled(scope, Evaluation())
    assert compiled._safe is None
