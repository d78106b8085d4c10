"""Patterns: linear whatever the text, bounded in memory, loaded only by what has one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bff.errors import BoundError
from bff.expressions import Evaluation, ExpressionError, compile_tree
from bff.expressions.evaluation import PER_SECOND, WORK
from bff.expressions.parse import parse
from bff.expressions.patterns import MAX_STEPS, NoPattern, Pattern

ROOT = Path(__file__).parents[2]
CATASTROPHIC = (r"(a*)*b", r"(a+)+$b", r"(a|aa)+b", r"(x+x+)+y", r"^(([a-z])+.)+[A-Z]([a-z])+$")


@pytest.mark.parametrize("pattern", CATASTROPHIC)
def test_what_is_paid_grows_with_the_text_and_the_steps_alone(pattern: str) -> None:
    paid = []
    for length in (1_000, 10_000, 100_000):
        evaluation = Evaluation()
        assert not Pattern(pattern).matches(evaluation, "a" * length)
        paid.append(WORK - evaluation.work)
    assert 9 < paid[1] / paid[0] < 11
    assert 9 < paid[2] / paid[1] < 11


def test_a_search_that_the_budget_cannot_pay_is_not_begun() -> None:
    evaluation = Evaluation(work=1_000)
    with pytest.raises(BoundError):
        Pattern(r"[a-z]{500}([a-z]{400}).(z)").find(evaluation, "a" * 100_000)


def test_hits_that_each_look_to_the_end_are_paid_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter(range(1_000))
    monkeypatch.setattr("bff.clock.thread_time", lambda: next(times) / 100)
    evaluation = Evaluation()
    assert Pattern("a.*z|a").sub(evaluation, "aaaa", "b") == "bbbb"
    assert WORK - evaluation.work >= 4 * PER_SECOND // 100
    evaluation = Evaluation(work=PER_SECOND // 50)
    with pytest.raises(BoundError):
        Pattern("a.*z|a").sub(evaluation, "aaaa", "b")


def test_many_hits_take_memory_before_they_are_made() -> None:
    evaluation = Evaluation(memory=1_000_000)
    with pytest.raises(BoundError) as raised:
        Pattern("a").sub(evaluation, "a" * 1_000, "b" * 1_000)
    assert raised.value.log == "over the bound: memory of a page's expressions (BFF_MAX_MEMORY)"


def test_a_pattern_is_as_large_as_steps_and_memory_allow() -> None:
    assert Pattern(".{1,500}").steps < MAX_STEPS
    for text in ("(.{1,300})(.{1,300})(.{1,300})", "((a{1,30}){1,30}){1,30}x", r"(?i)(\pL{1,30}){1,10}"):
        with pytest.raises(NoPattern):
            Pattern(text)


def test_each_pattern_of_an_expression_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    class Counted(Pattern):
        def __init__(self, text: str) -> None:
            made.append(text)
            super().__init__(text)

    compiled = compile_tree(parse("[matches(x, 'a') and matches(x, 'a') and find(x, 'b') for x in xs]"))
    assert compiled.patterns == ("a", "b")
    monkeypatch.setattr("bff.expressions.patterns.Pattern", Counted)
    compiled.prepare()
    for _ in range(3):
        assert compiled({"xs": ["ab", "b"]}, Evaluation()) == [["b"], False]
    assert made == ["a", "b"]


def test_an_expression_without_a_pattern_does_not_load_re2() -> None:
    run = (
        "import sys; from bff.expressions import compile_tree; from bff.expressions.parse import parse;"
        "compile_tree(parse('replace(x, \\'a\\', url_encode(y))')); print('re2' in sys.modules, end=' ');"
        "compile_tree(parse('matches(x, \\'a\\')')); print('re2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", run], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False True\n"


def test_where_re2_is_missing_the_call_says_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "re2", None)
    monkeypatch.delitem(sys.modules, "bff.expressions.patterns", raising=False)
    with pytest.raises(ExpressionError) as raised:
        parse("1 + find(x, 'a')")
    error = raised.value
    assert (str(error), error.offset, error.length) == (
        "find() needs the package re2: pip install 'bff-recipes[patterns]'",
        4,
        4,
    )
