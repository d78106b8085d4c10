"""Compiled trees: their forms, what is computed once, and the budgets of a page."""

from typing import Any

import pytest

from bff.errors import BoundError
from bff.expressions import Evaluation, compile_tree
from bff.expressions.generate import generate
from bff.expressions.parse import parse, parse_each, parse_path
from bff.expressions.tree import Constant, Each, Let, Mapping, Sequence, Tree
from tests.expressions.compiling import ROWS, value


def test_a_tree_keeps_its_structure():
    tree = Mapping(
        (
            ("list", Sequence((parse("a"), Constant("text"), Constant(None)))),
            (
                "rows",
                Each(
                    (parse_each("r in rows if r.n > 2"),), Mapping((("id", parse("r.id")), ("a", parse("a"))))
                ),
            ),
            ("a.b 'c'", Constant(1.5)),
        )
    )
    assert value(tree, {"a": 1, "rows": ROWS}) == {
        "list": [1, "text", None],
        "rows": [{"id": 2, "a": 1}],
        "a.b 'c'": 1.5,
    }


def test_a_page_may_be_a_list():
    assert value(Each((parse_each("r in rows"),), parse("r.id")), {"rows": ROWS}) == [1, 2]


def test_a_clause_gives_the_items_that_it_selects():
    assert value(parse_each("r in rows if r.n == 5"), {"rows": ROWS}) == [ROWS[1]]
    assert value(parse_each("r in (x.id for x in rows)"), {"rows": ROWS}) == [1, 2]
    assert value(parse_each("r in rows"), {"rows": None}) == []


def test_a_path_gives_the_values_of_its_holes():
    assert value(parse_path("/a/{x}/{y.z}"), {"x": 1, "y": {"z": None}}) == [1, None]


def test_a_deep_tree_compiles():
    tree = parse("a")
    for _ in range(150):
        tree = Mapping((("k", Sequence((tree,))),))
    made = value(tree, {"a": 1})
    for _ in range(150):
        made = made["k"][0]
    assert made == 1


def test_the_deepest_expressions_compile():
    for text in ("[" * 59 + "a" + "]" * 59, "(" * 58 + "a + 1" + ")" * 58, "-" * 59 + "1", "not " * 59 + "a"):
        value(f"{text}", {"a": 1})
    calculation = "r.n" + " * r.n + 1" * 28
    assert value(f"[{calculation} for r in rows]", {"rows": [{"n": 1}]}) == [29]
    assert value("[" + "(" * 50 + "r.n" + " == 1)" * 50 + " for r in rows]", {"rows": [{"n": 1}]}) == [False]


def test_a_missing_name_is_a_mistake_of_the_engine():
    with pytest.raises(KeyError):
        compile_tree(parse("a"))({}, Evaluation())


def test_an_unknown_function_is_a_mistake_of_the_engine():
    with pytest.raises(LookupError, match="no function is named ours"):
        compile_tree(parse("ours(1)"))


def test_a_function_of_the_project_hides_one_of_the_library():
    assert value("count(r for r in rows)", {"rows": ROWS}, functions={"count": lambda rows: "ours"}) == "ours"


def test_quotes_get_the_text_of_a_value():
    quotes = {"quote": lambda text: f"<{text}>", "quote_like": lambda text: f"%{text}%"}
    assert value("[quote(x) for x in ['a', 1, true, null, []]]", quotes=quotes) == [
        "<a>",
        "<1>",
        "<true>",
        "<>",
        "<>",
    ]
    assert value("quote_like('a')", quotes=quotes) == "%a%"


# How it is written


def test_no_name_of_the_author_gets_into_the_function():
    text = generate(parse("[x.secret_key + other.thing for x in rows if ours(x)]"), {"ours"}, (), True)
    code = compile(text, "", "exec").co_consts[0]
    names = {*code.co_names, *code.co_varnames, *code.co_cellvars}
    assert all(name.startswith("_") or name in {"loop", "kept", "get", "collect", "text"} for name in names)


def test_what_does_not_depend_on_the_loop_is_computed_once():
    calls = []

    class Counted(dict):
        def get(self, key, default=None):
            calls.append(key)
            return super().get(key, default)

    scope = {"rows": ROWS * 10, "q": Counted(status=5)}
    compile_tree(parse("[r for r in rows if r.n == q.status]"))(scope, Evaluation())
    assert calls == ["status"]


def test_the_text_of_an_author_cannot_end_a_text_of_the_function():
    for key in ("'", '"', "\\", "\n", "'''", "{", "\u2028", "');import os;('"):
        tree = Mapping(((key, Constant(key)),))
        assert value(tree) == {key: key}
        assert value(f"{{{key!r}: x[{key!r}]}}", {"x": {key: 1}}) == {key: 1}


# Budgets


def test_a_loop_is_paid_for_when_it_starts():
    evaluation = Evaluation(work=100)
    with pytest.raises(BoundError) as caught:
        compile_tree(parse("[r.n for r in rows]"))({"rows": [{}] * 101}, evaluation)
    assert caught.value.log == "over the bound: work of a page's expressions (BFF_MAX_WORK)"


def test_a_text_is_paid_for_before_it_is_built():
    evaluation = Evaluation(memory=1_000)
    with pytest.raises(BoundError) as caught:
        compile_tree(parse("a + a"))({"a": "x" * 600}, evaluation)
    assert caught.value.log == "over the bound: memory of a page's expressions (BFF_MAX_MEMORY)"


def test_a_page_has_one_budget_for_all_its_expressions():
    evaluation = Evaluation(work=1_000)
    compiled = compile_tree(parse("[r for r in rows]"))
    with pytest.raises(BoundError):
        for _ in range(100):
            compiled({"rows": [{}] * 10}, evaluation)


def test_items_that_a_condition_leaves_out_take_no_memory():
    rows = [{"id": number} for number in range(1_000)]
    few, all_ = Evaluation(), Evaluation()
    compile_tree(parse("[{'id': r.id} for r in rows if r.id < 10]"))({"rows": rows}, few)
    compile_tree(parse("[{'id': r.id} for r in rows]"))({"rows": rows}, all_)
    spent = [Evaluation().memory - evaluation.memory for evaluation in (few, all_)]
    assert spent[0] * 50 < spent[1]


def test_several_loops_with_a_condition_pay_for_what_they_select():
    scope = {"rows": [{"id": number} for number in range(1_000)]}
    evaluation = Evaluation()
    made = compile_tree(parse("[{'a': a, 'b': b} for a in rows for b in rows if a.id == b.id]"))(
        scope, evaluation := Evaluation(work=50_000_000)
    )
    assert len(made) == 1_000
    assert Evaluation().memory - evaluation.memory < 1_000_000


def test_the_safe_version_starts_with_the_same_budget():
    rows = [{"n": 1}] * 99
    compiled = compile_tree(parse("[r.a.b for r in rows]"))
    straight, again = Evaluation(), Evaluation()
    compiled.safely({"rows": [*rows, "text"]}, straight)
    compiled({"rows": [*rows, "text"]}, again)
    assert (again.work, again.memory) == (straight.work, straight.memory)


def test_one_odd_value_costs_only_time():
    compiled = compile_tree(parse("[r.n + 1 for r in rows]"))
    assert compiled({"rows": [{"n": 1}, "text", None, 5, [], {"n": "x"}]}, Evaluation()) == [
        2,
        None,
        None,
        None,
        None,
        None,
    ]
    assert compiled({"rows": [{"n": 1}]}, Evaluation()) == [2]


def each(*clauses: str, item: Tree | str, **lets: Tree | str) -> Each:
    def tree(value: Tree | str) -> Tree:
        return parse(value) if isinstance(value, str) else value

    named = tuple(Let(name, tree(value)) for name, value in lets.items())
    return Each(tuple(map(parse_each, clauses)), tree(item), named)


ORDERS = [{"id": 1, "lines": [{"n": 2}, {"n": 3}]}, {"id": 2, "lines": None}, {"id": 3, "lines": [{"n": 4}]}]


def test_loops_within_each_other_give_one_flat_list() -> None:
    tree = each("order in orders", "line in order.lines", item="[order.id, line.n]")
    assert value(tree, {"orders": ORDERS}) == [[1, 2], [1, 3], [3, 4]]


def test_each_loop_has_its_condition_and_sees_the_names_before_it() -> None:
    tree = each(
        "order in orders if order.id != 1",
        "line in order.lines if line.n > order.id",
        "x in [order.id, line.n] if x > 3",
        item="x",
    )
    assert value(tree, {"orders": ORDERS}) == [4]


def test_a_let_sees_the_loops_and_the_lets_above_it() -> None:
    tree = each("r in rows", item="[r.id, b]", a="r.n * 2", b="a + k")
    assert value(tree, {"rows": ROWS, "k": 1}) == [[1, 5], [2, 11]]


def test_a_let_may_be_a_tree_whose_members_are_read() -> None:
    inner = Mapping((("n", parse("r.n")), ("all", each("q in rows", item="q.n + d", d="r.n"))))
    tree = Mapping((("list", each("r in rows", item="[m.n, m.all[1]]", m=inner)),))
    assert value(tree, {"rows": ROWS}) == {"list": [[2, 7], [5, 10]]}


def called() -> tuple[list[int], dict[str, Any]]:
    calls: list[int] = []

    def noted(number: int) -> int:
        calls.append(number)
        return number

    return calls, {"noted": noted}


def test_a_let_is_worked_out_once_for_each_item_that_is_selected() -> None:
    calls, functions = called()
    tree = each("r in rows if r.n > 2", item="[x, x, x]", x="noted(r.id)")
    compiled = compile_tree(tree, functions=functions)
    assert compiled({"rows": ROWS}, Evaluation()) == [[2, 2, 2]]
    assert calls == [2]


def test_a_let_of_an_outer_loop_is_worked_out_once_for_its_items() -> None:
    source = generate(each("a in rows", "b in rows", item="[x, b.n]", x="a.n * 1000"), (), (), fast=True)
    let, inner = source.index("* (1000)"), source.index("for _", source.index("for _") + 1)
    assert let < inner


def test_a_let_is_worked_out_before_its_item_whether_or_not_all_of_it_reads_it() -> None:
    calls, functions = called()
    compiled = compile_tree(
        each("r in rows", item="x if r.n > 2 else 0", x="noted(r.id)"), functions=functions
    )
    assert compiled({"rows": ROWS}, Evaluation()) == [0, 2]
    assert calls == [1, 2]


def test_a_let_that_nothing_reads_is_not_worked_out() -> None:
    calls, functions = called()
    compiled = compile_tree(each("r in rows", item="r.n", x="noted(r.id)", y="x"), functions=functions)
    assert compiled({"rows": ROWS}, Evaluation()) == [2, 5]
    assert calls == []


@pytest.mark.parametrize("condition", ["", " if a != b"])
def test_loops_within_each_other_are_paid_for_as_they_turn(condition: str) -> None:
    many = list(range(10_000))
    evaluation = Evaluation()
    tree = each("a in many", f"b in many{condition}", "c in many", item="x", x="[a, b, c]")
    with pytest.raises(BoundError):
        compile_tree(tree)({"many": many}, evaluation)


def test_a_list_stays_in_the_loop_that_only_its_lets_depend_on() -> None:
    inner = each("b in rows", item="x.id", x="a.n == b.n")  # x is a boolean, and has no members
    tree = each("a in rows", item="y", y=inner)
    assert value(tree, {"rows": ROWS}) == [[None, None], [None, None]]


def test_a_list_stays_in_the_loop_that_only_parts_of_it_depend_on() -> None:
    text = "[[[(a.n + b.n < c.n).id for c in rows] for b in rows] for a in rows]"
    assert value(text, {"rows": ROWS}) == [[[None, None]] * 2] * 2
