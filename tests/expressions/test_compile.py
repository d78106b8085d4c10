"""Compiled trees: their forms, the project's functions, what is computed once, and the budgets of a page."""

import enum
import io
import itertools
import json
from asyncio import CancelledError
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType
from uuid import UUID

import pytest

from bff.errors import BoundError, FunctionError
from bff.expressions import Evaluation, compile_tree
from bff.expressions.generate import generate
from bff.expressions.parse import parse, parse_each, parse_path
from bff.expressions.tree import Constant, Each, Mapping, Sequence
from bff.expressions.values import key_text, plain, to_text

ROWS = [{"id": 1, "n": 2}, {"id": 2, "n": 5}]


def value(tree, scope=None, **names):
    compiled = compile_tree(parse(tree) if isinstance(tree, str) else tree, **names)
    made = compiled(scope or {}, Evaluation())
    assert made == compiled.safely(scope or {}, Evaluation())
    return made


def test_a_tree_keeps_its_structure():
    tree = Mapping(
        (
            ("list", Sequence((parse("a"), Constant("text"), Constant(None)))),
            (
                "rows",
                Each(parse_each("r in rows if r.n > 2"), Mapping((("id", parse("r.id")), ("a", parse("a"))))),
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
    assert value(Each(parse_each("r in rows"), parse("r.id")), {"rows": ROWS}) == [1, 2]


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


# What the project brings


def test_a_function_of_the_project_gets_and_gives_plain_json():
    class Colour(enum.StrEnum):
        RED = "red"

    def ours(rows, text):
        assert (rows, text) == (ROWS, "x")
        return OrderedDict(
            {1: (1, 2), "c": Colour.RED, "nan": float("nan"), "big": 2**70, None: 1, "half": "\ud800"}
        )

    made = value("ours(rows, 'x')", {"rows": ROWS}, functions={"ours": ours})
    assert made == {"1": [1, 2], "c": "red", "nan": None, "big": 2**70, "half": "\ufffd"}
    assert type(made) is dict and type(made["c"]) is str and type(made["1"]) is list


def test_a_function_that_raises_ends_the_page_with_its_place():
    def ours(x):
        raise ValueError("secret")

    with pytest.raises(FunctionError) as caught:
        compile_tree(parse("ours(1)"), functions={"ours": ours})({}, Evaluation())
    line = ours.__code__.co_firstlineno + 1
    assert caught.value.log == f"function ours: ValueError at {__file__}:{line}"
    assert "secret" not in str(caught.value)


@dataclass
class Row:
    due: date
    tags: tuple[str, ...]


def rows():
    yield from ROWS


class Level(enum.Enum):
    HIGH = 3


@pytest.mark.parametrize(
    ("result", "made"),
    [
        (date(2026, 11, 15), "2026-11-15"),
        (datetime(2026, 11, 15, 8, tzinfo=timezone(timedelta(hours=8))), "2026-11-15T00:00:00Z"),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (Row(date(2026, 1, 2), ("a",)), {"due": "2026-01-02", "tags": ["a"]}),
        (Level.HIGH, 3),
        (MappingProxyType({"a": UUID(int=7)}), {"a": "00000000-0000-0000-0000-000000000007"}),
        (rows(), ROWS),
        (map(str, [1, 2]), ["1", "2"]),
        (iter({"a": 1}.items()), [["a", 1]]),
        ({"a": 1}.keys(), ["a"]),
        (range(3), [0, 1, 2]),
        ([(row for row in (1, 2)), (row for row in (3, 4))], [[1, 2], [3, 4]]),
        ({date(2026, 11, 15): 1}, {"2026-11-15": 1}),
    ],
)
def test_what_a_function_gives_becomes_json_where_its_meaning_is_plain(result, made):
    def ours():
        return result

    assert compile_tree(parse("ours()"), functions={"ours": ours})({}, Evaluation()) == made


@pytest.mark.parametrize(
    ("result", "kind", "cure"),
    [
        (Decimal("1.10"), "Decimal", "return float(…) for a number or str(…) for a text"),
        ({1, 2}, "set", "it has no order: return sorted(…)"),
        (b"a", "bytes", "return a text: ….decode()"),
        (datetime(2026, 11, 15), "datetime", "it has no time zone: return ….astimezone(zone)"),
        (timedelta(1), "timedelta", "return ….isoformat(), or ….total_seconds()"),
        (io.StringIO("a"), "StringIO", "return a dict, a list, a text, a number, a boolean or None"),
        (object(), "object", "return a dict, a list, a text, a number, a boolean or None"),
        (Row, "type", "return a dict, a list, a text, a number, a boolean or None"),
    ],
)
def test_a_function_that_gives_no_json_is_told_with_its_cure(result, kind, cure):
    def ours():
        return [{"total": result}]

    with pytest.raises(FunctionError) as caught:
        compile_tree(parse("ours()"), functions={"ours": ours})({}, Evaluation())
    place = f"{__file__}:{ours.__code__.co_firstlineno}"
    assert caught.value.log == f"function ours: returned {kind} at {place}; {cure}"


def test_a_wrong_call_is_told_at_the_function():
    def ours():
        return 1

    with pytest.raises(FunctionError) as caught:
        compile_tree(parse("ours(1)"), functions={"ours": ours})({}, Evaluation())
    place = f"{__file__}:{ours.__code__.co_firstlineno}"
    assert caught.value.log == f"function ours: TypeError at {place}"


def test_the_place_of_what_a_library_raises_is_the_line_that_called_it():
    def ours(text):
        return json.loads(text)

    with pytest.raises(FunctionError) as caught:
        compile_tree(parse("ours('x')"), functions={"ours": ours})({}, Evaluation())
    place = f"{__file__}:{ours.__code__.co_firstlineno + 1}"
    assert caught.value.log == f"function ours: JSONDecodeError at {place}"


def test_a_generator_is_run_to_its_end_where_it_may_raise_or_be_endless():
    def broken():
        yield 1
        raise ValueError("secret")

    def endless():
        yield from itertools.count()

    def value_of(function):
        with pytest.raises(FunctionError) as caught:
            compile_tree(parse("ours()"), functions={"ours": function})({}, Evaluation())
        return caught.value.log

    assert value_of(broken) == f"function ours: ValueError at {__file__}:{broken.__code__.co_firstlineno + 2}"
    place = f"{__file__}:{endless.__code__.co_firstlineno}"
    assert value_of(endless) == f"function ours: returned over 1,000,000 values at {place}; return less of it"


def test_what_is_too_deep_or_holds_itself_is_told_and_what_is_shared_is_copied_once():
    def inside_itself():
        row = Row(date(2026, 1, 2), ())
        row.tags = (row, row)
        return row

    def shared():
        row = Row(date(2026, 1, 2), ())
        for _ in range(40):
            row = Row(date(2026, 1, 2), (row, row))
        return row

    with pytest.raises(FunctionError) as caught:
        compile_tree(parse("ours()"), functions={"ours": inside_itself})({}, Evaluation())
    place = f"{__file__}:{inside_itself.__code__.co_firstlineno}"
    assert caught.value.log == (
        f"function ours: returned what is nested over 100 deep at {place}; return less of it"
    )
    made = compile_tree(parse("ours()"), functions={"ours": shared})({}, Evaluation())
    assert made["tags"][0] is made["tags"][1]


@pytest.mark.parametrize("raised", [SystemExit, KeyboardInterrupt, GeneratorExit, CancelledError])
def test_what_a_function_raises_never_ends_more_than_its_page(raised):
    def ours():
        raise raised

    with pytest.raises(FunctionError) as caught:
        compile_tree(parse("ours()"), functions={"ours": ours})({}, Evaluation())
    assert (
        caught.value.log
        == f"function ours: {raised.__name__} at {__file__}:{ours.__code__.co_firstlineno + 1}"
    )


def test_a_function_is_called_only_where_it_is_needed():
    calls = []

    def ours(x):
        calls.append(x)
        return x

    scope = {"rows": ROWS, "none": []}
    value("[ours(1) for r in none]", scope, functions={"ours": ours})
    value("[r.n > 3 and ours(r.n) for r in rows]", scope, functions={"ours": ours})
    assert calls == [5, 5]
    value("count(ours(r.id) for r in rows)", scope, functions={"ours": ours})
    assert calls[2:] == [1, 2, 1, 2]


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


# Values


@pytest.mark.parametrize(
    "given, text",
    [
        ("a", "a"),
        (True, "true"),
        (False, "false"),
        (1, "1"),
        (1.0, "1.0"),
        (None, None),
        ([], None),
        ({}, None),
    ],
)
def test_the_text_of_a_value(given, text):
    assert to_text(given) == text
    assert key_text(given) == text


def test_a_long_text_is_no_key():
    assert key_text("a" * 4_096) is not None
    assert key_text("a" * 4_097) is None


def test_a_value_that_holds_itself_is_not_json():
    value: list = []
    value.append(value)
    with pytest.raises(ValueError, match="nested over 100 deep"):
        plain(value)


def test_what_occurs_twice_is_copied_once():
    inner = (1, 2)
    value = inner
    for _ in range(60):
        value = [value, value]
    made = plain(value)
    assert made[0] is made[1]
