"""Functions of the project: what they get, what their results become, and what is told when they fail."""

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

from bff.errors import FunctionError
from bff.expressions import Evaluation, compile_tree
from bff.expressions.parse import parse
from tests.expressions.compiling import ROWS, value

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
