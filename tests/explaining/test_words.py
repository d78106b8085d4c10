"""How lines are laid out, and times, trees and paths written."""

from __future__ import annotations

import pytest

from bff.explaining.words import duration, paths_text, table, tree_text, wrapped
from bff.expressions.parse import parse, parse_each
from bff.expressions.paths import ANY, Path
from bff.expressions.tree import Constant, Each, Let, Mapping, Sequence, Tree


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0s"),
        (0.3, "300ms"),
        (1.0, "1s"),
        (2.5, "2.5s"),
        (0.1 + 0.2 + 3, "3.3s"),
        (60.0, "1m"),
        (65.0, "65s"),
        (3600.0, "1h"),
        (5400.0, "90m"),
        (86400.0, "24h"),
    ],
)
def test_times_are_written_as_in_recipes(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_columns_are_aligned_and_the_last_goes_on_below_itself() -> None:
    rows = [("a", "1", "short"), ("longer", "22", "word " * 30), ("中文", "3", "")]
    assert list(table(rows)) == [
        "  a       1   short",
        "  longer  22  word word word word word word word word word word word word word word word word word",
        "              word word word word word word word word word word word word word",
        "  中文    3",
    ]


def test_a_word_that_is_too_long_for_a_line_stays_whole() -> None:
    assert list(wrapped("x" * 120 + " y")) == ["  " + "x" * 120, "  y"]


@pytest.mark.parametrize(
    ("paths", "text"),
    [
        ([("a",)], "a"),
        ([("items", ANY, "id"), ("items", ANY, "title"), ("total",)], "items[*].{id, title}, total"),
        ([(ANY, "id")], "[*].id"),
        ([("a", "b", "c"), ("a", "b", "d"), ("a", "e")], "a.{b.{c, d}, e}"),
        ([("a", "x y")], "a['x y']"),
        ([("a", ANY), ("a", "n")], "a.{[*], n}"),
        ([("a", ANY, "id"), ("a",), ("b",)], "a, b"),
    ],
)
def test_what_paths_begin_with_is_written_once(paths: list[Path], text: str) -> None:
    assert paths_text(paths) == text


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (Constant(None), "null"),
        (Constant("写"), '"写"'),
        (parse("a +\n  b"), "a + b"),
        (Mapping((("a", Constant(True)), ("b", parse("x.y")))), "{a: true, b: x.y}"),
        (Sequence((Constant(1), Constant(2))), "[1, 2]"),
        (Each((parse_each("x in xs"),), parse("x.id")), "[x.id for each x in xs]"),
        (
            Each(
                (parse_each("x in xs"), parse_each("y in x.ys if y")), parse("n"), (Let("n", parse("y.n")),)
            ),
            "[n for each x in xs, y in x.ys if y wit…",
        ),
        (parse(f"'{'x' * 50}'"), f"'{'x' * 38}…"),
    ],
)
def test_a_tree_is_one_short_line(tree: Tree, text: str) -> None:
    assert tree_text(tree) == text
