"""Type hints of the project's functions: what they say, and that what a function gives is held to them."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

import pytest

from bff.errors import FunctionError
from bff.expressions import Evaluation, compile_tree
from bff.expressions.hints import check_of
from bff.expressions.parse import parse
from bff.expressions.types.hinted import types_of
from bff.types.model import Unknown
from bff.types.text import definitions_of, text_of

HERE = Path(__file__).parent


class Row(TypedDict):
    id: str
    n: NotRequired[int | None]


class Node(TypedDict):
    name: str
    children: list[Node]


class Other(TypedDict):
    other: int


def text() -> str: ...
def rows() -> list[Row]: ...
def either() -> Literal["a", 1] | None: ...
def mapping() -> dict[str, float | bool]: ...
def node() -> Node: ...
def loose() -> dict[str, Any] | list: ...  # type: ignore[type-arg]
def silent(): ...  # type: ignore[no-untyped-def]
def day() -> datetime.date: ...
def by_number() -> dict[int, str]: ...
def several() -> Row | Other: ...
def nowhere() -> Missing: ...  # type: ignore[name-defined]  # noqa: F821


FUNCTIONS = (text, rows, either, mapping, node, loose, silent, day, by_number, several, nowhere)
TYPES = types_of({one.__name__: one for one in FUNCTIONS}, HERE)
CURE = (
    "say it of JSON: a TypedDict, Literal, list, dict, str, int, float, bool, None, or several of them with |"
)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("text", "string"),
        ("rows", "{id: string, n?: integer | null}[]"),
        ("either", '"a" | 1 | null'),
        ("mapping", "{[key]: number | boolean}"),
        ("node", "Node"),
        ("loose", "{[key]: unknown} | unknown[]"),
    ],
)
def test_hints_are_types(name: str, written: str) -> None:
    assert text_of(TYPES[name]) == written


def test_a_mapping_that_holds_itself_keeps_its_name() -> None:
    assert {name: text_of(one) for name, one in definitions_of(TYPES["node"]).items()} == {
        "Node": "{name: string, children: Node[]}"
    }


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("day", "the hint of what function 'day' gives cannot be read: it is more than JSON"),
        ("by_number", "the hint of what function 'by_number' gives cannot be read: it is more than JSON"),
        (
            "nowhere",
            "the hint of what function 'nowhere' gives cannot be read: the hints name what is not there: NameError",
        ),
    ],
)
def test_what_cannot_be_read_is_unknown(name: str, cause: str) -> None:
    assert TYPES[name] == Unknown(cause, CURE)
    assert check_of(globals()[name]) is None


def test_mappings_that_cannot_be_told_apart_are_unknown() -> None:
    found = TYPES["several"]
    assert isinstance(found, Unknown) and found.cure == CURE


def test_a_function_without_a_hint_is_unknown() -> None:
    cause, cure = "function 'silent' does not say what it gives", "def silent(…) -> …: a hint says it"
    assert TYPES["silent"] == Unknown(cause, cure)
    assert check_of(silent) is None


def call(function: Callable[..., Any], value: Any) -> Any:
    compiled = compile_tree(parse("f(x)"), functions={"f": function})
    return compiled({"x": value}, Evaluation())


def given_rows(x: Any) -> list[Row]:
    return x  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "value", [[], [{"id": "a"}], [{"id": "a", "n": None, "more": 1}], [{"id": "a", "n": 7}]]
)
def test_what_keeps_the_hint_is_given(value: Any) -> None:
    assert call(given_rows, value) == value


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (None, "$"),
        ("private", "$"),
        ([{}], "$[0]"),
        ([{"id": "a"}, {"id": 5}], "$[1].id"),
        ([{"id": "a", "n": "private"}], "$[0].n"),
    ],
)
def test_what_does_not_keep_the_hint_is_the_functions_failure(value: Any, place: str) -> None:
    with pytest.raises(FunctionError) as caught:
        call(given_rows, value)
    line = given_rows.__code__.co_firstlineno
    assert caught.value.log == (
        f"function f: returned what its type hint does not say, at {place}, at {__file__}:{line}"
    )


def given_literal(x: Any) -> Literal["a"]:
    return x  # type: ignore[no-any-return]


def test_the_log_never_holds_what_was_given() -> None:
    with pytest.raises(FunctionError) as caught:
        call(given_literal, "private")
    assert "private" not in str(caught.value.log)


def test_a_day_is_still_made_a_text() -> None:
    def today(x: Any) -> datetime.date:
        return datetime.date(2026, 11, 30)

    assert call(today, 1) == "2026-11-30"
