"""What a page uses of its replies: with that and nothing else, and of structs, it is the same page."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from bff import jsontext
from bff.errors import PageError, Place
from bff.expressions import Evaluation
from bff.expressions.parse import parse, parse_each
from bff.expressions.rooms import SEALS
from bff.expressions.tree import Each, EachClause, Expression, Let, Mapping, PathTemplate, Sequence, Tree
from bff.expressions.values import MEMBER_DEPTH
from bff.http import Client
from bff.plan.model import Plan, PlannedRequest, PlannedValue
from bff.plan.partial_decoding import NarrowDecoder, decoder_of
from bff.plan.planner import make_plan
from bff.recipe.model import Mark, Marks, Recipe, Request, Value
from tests.expressions.generated import SCOPE, lists, scopes, texts
from tests.expressions.reference import PlainSeals, evaluate
from tests.expressions.test_reference import NOW, same
from tests.properties import HealthCheck, given, settings, st

NAMES = tuple(SCOPE)
MARKS = Marks(Mark(Place("page.yaml", 1, 1)))
CLIENT = Client(base_url="http://backend.test")
NOTHING = dict.fromkeys(NAMES)


def plan_of(values: dict[str, str], shape: str | Tree, take: str = "") -> Plan:
    return _plan_of(tuple(values.items()), shape, take)


@lru_cache(maxsize=1)  # the examples of one test may all be of one plan
def _plan_of(values: tuple[tuple[str, str], ...], shape: str | Tree, take: str) -> Plan:
    path, of_reply = PathTemplate(("/",), "", "/"), {"take": parse(take)} if take else {}
    asked = [Request(name, "todos", "GET", path, safe=True, marks=MARKS, **of_reply) for name in NAMES]
    made = [Value(name, parse(text), marks=MARKS) for name, text in values]
    page = Mapping((("the page", tree_of(shape)),))
    recipe = Recipe("page", "page.yaml", "GET", "/page", steps=(*asked, *made), shape=page, marks=MARKS)
    return make_plan(recipe, {"todos": CLIENT}, {})


def tree_of(shape: str | Tree) -> Tree:
    return parse(shape) if isinstance(shape, str) else shape


def page_of(plan: Plan, replies: dict[str, Any], *, fast: bool) -> Any:
    """The page, as a run makes it of replies."""
    scope: dict[str, Any] = {}
    for step in plan.steps:
        if isinstance(step, PlannedRequest):
            raw = json.dumps(replies[step.name]).encode()
            assert isinstance(step.decode, NarrowDecoder)
            # Whatever a reply is: what the page needs of it is looked at elsewhere.
            value = decoder_of(step.decode.paths, step.decode.mappings)(raw, 100)
            scope[step.name] = value if step.take is None else value_of(step.take, reply_of(value), fast=fast)
        else:
            assert isinstance(step, PlannedValue)
            scope[step.name] = value_of(step.value, scope, fast=fast)
    assert plan.shape is not None
    page = value_of(plan.shape, scope, fast=fast)
    if isinstance(page, Struct):
        page = msgspec.to_builtins(page)
        assert plan.shape.depth is not None
        assert depth_of(page) <= plan.shape.depth
    return page["the page"]


def depth_of(value: Any) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


def reply_of(body: Any) -> dict[str, Any]:
    return {"reply": {"status": 200, "headers": {}, "body": body}}


def value_of(compiled: Any, scope: dict[str, Any], *, fast: bool) -> Any:
    return (compiled if fast else compiled.safely)({**scope, SEALS: PlainSeals()}, Evaluation(now=NOW))


def reference_of(values: dict[str, str], shape: str | Tree, replies: dict[str, Any], take: str) -> Any:
    """The same by the plain evaluator, of whole replies."""
    scope = {name: jsontext.decode(json.dumps(value).encode()) for name, value in replies.items()}
    if take:
        scope = {name: evaluate(parse(take), reply_of(value), NOW, {}) for name, value in scope.items()}
    for name, text in values.items():
        scope[name] = evaluate(parse(text), scope, NOW, {})
    return evaluate(tree_of(shape), scope, NOW, {})


def check(values: dict[str, str], shape: str | Tree, replies: dict[str, Any], take: str = "") -> None:
    expected = reference_of(values, shape, replies, take)
    plan = plan_of(values, shape, take)
    for fast in (True, False):
        try:
            page = page_of(plan, replies, fast=fast)
        except PageError:
            continue  # over a bound, which the reference has none of
        assert same(page, expected), fast


def unquoted(text: str) -> str:
    return text.replace("quote(", "str(")


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], database=None)
@given(
    scopes,
    texts(depth=3).map(unquoted),
    texts(names=(*NAMES, "v", "v"), depth=3).map(unquoted),
    texts(names=(*NAMES, "v", "w", "w", "w")).map(unquoted),
)
def test_a_page_is_the_same_with_nothing_but_what_it_uses(
    replies: dict[str, Any], first: str, second: str, last: str
) -> None:
    check({"v": first, "w": second}, last, replies)


def unquoted_tree(tree: Any) -> Any:
    match tree:
        case Expression():
            return parse(unquoted(tree.text))
        case EachClause():
            return parse_each(unquoted(tree.text))
        case Mapping():
            return Mapping(tuple((key, unquoted_tree(value)) for key, value in tree.items))
        case Sequence():
            return Sequence(tuple(map(unquoted_tree, tree.items)))
        case Each():
            lets = tuple(Let(let.name, unquoted_tree(let.value)) for let in tree.lets)
            return Each(tuple(map(unquoted_tree, tree.clauses)), unquoted_tree(tree.item), lets)
    return tree


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], database=None)
@given(scopes, texts(depth=3).map(unquoted), lists(names=(*NAMES, "v")).map(unquoted_tree))
def test_a_page_of_loops_and_lets_is_the_same_with_nothing_but_what_it_uses(
    replies: dict[str, Any], first: str, shape: Tree
) -> None:
    check({"v": first}, shape, replies)


TAKES = (
    *(
        "",
        "",
        "",
        "reply.body",
        "reply",
        "reply.body.name",
        "[reply.body, reply.status]",
        "{'name': reply.body}",
    ),
    *("reply.body or [reply.body]", "[t for t in reply.body if t.id]", "{t.id: t for t in reply.body}"),
    *(
        "sort(reply.body, 'id')",
        "pick(reply.body, 'id', 'name')",
        "reply.body[0]",
        "reply.body if reply.body.id else 1",
    ),
)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], database=None)
@given(
    scopes,
    st.sampled_from(TAKES),
    texts(depth=3).map(unquoted),
    texts(names=(*NAMES, "v", "v", "v"), depth=3).map(unquoted),
)
def test_a_page_is_the_same_whatever_is_taken_of_replies(
    replies: dict[str, Any], take: str, first: str, last: str
) -> None:
    check({"v": first}, last, replies, take)


ROWS = [{"id": 1, "name": "a", "tags": {"x": [1]}}, {"id": 2}, {"name": None, "id": None}]


REPLIES = [{}, {"id": 1}, {"name": "a"}, None, [], [1], "a", 2, 2.5, {"name": 2**70}, ROWS, ROWS[0]]


@pytest.mark.parametrize(
    ("values", "shape"),
    [
        ({}, "(x or y).name"),
        ({}, "(x and y).name"),
        ({}, "(x or y)['name']"),
        ({}, "[e for e in x or y]"),
        ({"v": "x or y"}, "v.name"),
        ({"v": "[t for t in todos if t.id]"}, "[t.name for t in v]"),
        ({"v": "[t for t in todos if t.id][:1]"}, "v"),
        ({"v": "sort(todos, '-id')"}, "[[t.name, t.tags.x] for t in v]"),
        ({"v": "index(todos, 'id')"}, "v['1'].tags.x[0]"),
        ({"v": "group(todos, 'name')"}, "[t.id for t in v.a]"),
        ({"v": "{t.id: t for t in todos}"}, "[v['1'].name, v['3'].name, v[2].name]"),
        ({"v": "merge(me, x)"}, "[v.name, me.id]"),
        ({"v": "pick(me, 'id', 'name')"}, "[v, me.name]"),
        ({"v": "omit(me, 'id')"}, "[v.name, v.id, me.id]"),
        ({"v": "values(people)"}, "[[p.name for p in v], people.a.name]"),
        ({"v": "me if x else y"}, "[v.name, v.id]"),
        ({"v": "default(me, x)"}, "[v.name, me.name]"),
        ({"v": "todos + [me]"}, "[t.name for t in v]"),
        ({"v": "[me, x]"}, "[v[0].name, v[1].id, v[2].id]"),
        ({"v": "todos[0]"}, "[v.tags.x, v['id'], todos[-1].name]"),
        ({"v": "todos", "w": "v"}, "[[t.id, count(u for u in w if u.name == t.name)] for t in w]"),
        ({}, "[me.name, me['keys'], me['__class__'], me['_hidden'], me['class']]"),
        ({}, "[{'id': t.id, 'of': [t.name, len(t.tags), t.id == 1]} for t in todos if t.id]"),
        ({}, "default(me.name, 'x') if me.id else x.name or y.name"),
        ({}, "[me.get, me.items, me.values, me.title, me.real, me.count]"),
    ],
)
@given(
    st.sampled_from(
        [{}, {"id": 1}, {"name": "a"}, None, [], [1], "a", 2, 2.5, {"name": 2**70}, ROWS, ROWS[0]]
    ),
    st.data(),
)
def test_what_is_passed_on_is_what_it_was(values: dict[str, str], shape: str, one: Any, data: Any) -> None:
    other = data.draw(st.sampled_from([{"name": "b"}, {}, ROWS, None]))
    rows = data.draw(st.sampled_from([ROWS, ROWS, [], [None, ROWS[0]], [1], {"a": ROWS[0]}, [[]]]))
    people = {"a": ROWS[0], "b": None}
    check(values, shape, {**NOTHING, "x": one, "y": other, "me": one, "todos": rows, "people": people})


def test_members_that_are_read_by_their_names_are_decoded_into_structs() -> None:
    plan = plan_of({"v": "[t for t in todos if t.id]"}, "[[t.name for t in v], me.name, sort(x, 'id')[0].id]")
    found = {}
    for step in plan.requests:
        if isinstance(step.decode, NarrowDecoder):
            found[step.name] = step.decode(b'[{"id": 1}]' if step.name != "me" else b'{"id": 1}', 100)
    assert isinstance(found["todos"][0], Struct)
    assert isinstance(found["me"], Struct)
    assert found["x"] == [{"id": 1}]


@pytest.mark.parametrize(
    ("shape", "depth"),
    [
        ("me.name", 1 + MEMBER_DEPTH),
        ("[[t.id, t.name] for t in todos]", 3 + MEMBER_DEPTH),
        ("{'n': len(me), 'is': me == x, 'text': f'{y}'}", 2),
        ("default(me.name, x.id)", 1 + MEMBER_DEPTH),
        ("me", None),
        ("[t for t in todos]", None),
        ("me.name + x.name", None),
        ("sort(todos, 'id')[0].id", None),
        ("merge(me, x).id", None),
    ],
)
def test_how_deep_a_page_nests_is_known_where_nothing_is_passed_on(shape: str, depth: int | None) -> None:
    plan = plan_of({}, shape)
    assert plan.shape is not None
    assert plan.shape.depth == depth
