"""What expressions are charged for, and the clock that they look at."""

from __future__ import annotations

import time
from typing import Any

import pytest

from bff import clock
from bff.errors import BoundError
from bff.expressions import Evaluation, compile_tree
from bff.expressions.evaluation import GRACE, WORK
from bff.expressions.parse import parse
from bff.expressions.values import plain
from tests.clock import Clock

FULL = 10**12
OVER_TIME = "over the bound: time of a page's expressions (the page's deadline)"
A = "a"
LONG = "a" * 300_000
LONG_AGAIN = "a" * 299_999 + chr(97)
UP_TO_2000 = list(range(2_000))
WIDE = dict.fromkeys(map(str, UP_TO_2000))
EMPTY: dict[str, Any] = {"xs": [{}] * 100}


def spent(text: str, scope: dict[str, Any], **functions: Any) -> int:
    """The work that an expression over `body` is charged for."""
    compiled = compile_tree(parse(text), functions=functions, quotes={"quote": lambda found: found})
    evaluation = Evaluation(FULL, FULL)
    compiled({"body": scope}, evaluation)
    return FULL - evaluation.work


# What each of these takes Python in the worst case, at 250 nanoseconds a unit of work.
@pytest.mark.parametrize(
    ("text", "scope", "least"),
    [
        ("body.w in body.t", {"t": A * 29_999, "w": A * 7_500 + "b" + A * 7_500}, 500_000),
        ("body.w in body.t", {"t": A * 2_499, "w": A * 625 + "b" + A * 625}, 5_000),
        ("body.w in body.t", {"t": A * 35_000, "w": A * 10_000 + "b" + A * 10_000}, 100_000),
        ("body.w in body.t", {"t": A * 400_000, "w": "b" + A * 98}, 10_000),
        ("replace(body.t, body.w, 'x')", {"t": A * 29_999, "w": A * 7_500 + "b" + A * 7_500}, 1_500_000),
        ("replace(body.t, body.w, 'x')", {"t": A * 400_000, "w": A * 7_500 + "b" + A * 7_500}, 1_500_000),
        ("split(body.t, body.w)", {"t": A * 29_999, "w": A * 7_500 + "b" + A * 7_500}, 1_000_000),
        ("split(body.t, body.w)", {"t": A * 2_499, "w": A * 625 + "b" + A * 625}, 10_000),
        ("round(body.x, 20)", {"x": 1.2345678901234567e308}, 8),
        ("round(body.x, -2)", {"x": -1.2345678901234567e300}, 8),
        ("body.x * body.y", {"x": 1.23456e308, "y": 5e-324}, 40),
        ("body.x % body.y", {"x": 1.23456e308, "y": 5e-324}, 40),
        ("body.x + 0.1", {"x": 0.0123456789}, 8),
        ("sum(body.xs)", {"xs": [1.7e308, 5e-324] * 500}, 4_000),
        ("f'{body.x}'", {"x": 10**999}, 100),
        ("str(body.x)", {"x": 10**999}, 100),
        ("join(body.xs)", {"xs": [10**999] * 10}, 1_000),
        ("{body.x: 1}", {"x": 10**999}, 100),
        ("body.m[body.x]", {"m": {}, "x": 10**999}, 100),
        ("body.x in body.m", {"m": {}, "x": 10**999}, 100),
        ("index(body.xs, 'id')", {"xs": [{"id": 10**999}] * 10}, 1_000),
        ("unique(body.xs)", {"xs": [10**999 + 7] * 10}, 1_000),
        ("pick(body.m, body.x)", {"m": {}, "x": 10**999}, 100),
        ("f'{body.x:,.99f}'", {"x": 10**999}, 700),
        ("f'{body.x:.99f}'", {"x": 1.2345678901234567e308}, 200),
        ("f'{body.x:,d}'", {"x": 10**300}, 150),
        ("float(body.x)", {"x": "1" * 390 + "." + "7" * 390}, 48),
        ("float(body.x)", {"x": "1" * 390 + "." + "7" * 390 + "x"}, 48),
        ("body.t == body.u", {"t": LONG, "u": LONG_AGAIN}, 1_000),
        ("body.t < body.u", {"t": LONG, "u": LONG_AGAIN}, 1_000),
        ("[x for x in body.xs if default(x.k, body.t) in body.ts]", EMPTY | {"t": LONG, "ts": [LONG_AGAIN]}, 100_000),
        ("{'a': body.t} == {'a': body.u}", {"t": LONG, "u": LONG_AGAIN}, 1_000),
        ("body.m == body.n", {"m": {LONG: 1}, "n": {LONG_AGAIN: 1}}, 2_000),
        ("unique([body.m, body.n])", {"m": {LONG: 1}, "n": {LONG_AGAIN: 1}}, 4_000),
        ("unique([body.t, body.u])", {"t": LONG, "u": LONG_AGAIN}, 2_000),
        ("sort(body.ts)", {"ts": [LONG, LONG_AGAIN] * 4}, 100_000),
        ("max(body.ts)", {"ts": [LONG, LONG_AGAIN] * 4}, 8_000),
        ("[merge(body.m, {'a': x}) for x in body.xs]", {"m": WIDE, "xs": [1] * 50}, 100_000),
        ("[body.ts[x:] for x in body.xs]", {"ts": UP_TO_2000, "xs": [0] * 100}, 12_000),
        ("digest(body.t)", {"t": LONG}, 18_000),
        ("[w[k] for w in body.ws for k in body.ks]", {"ws": [WIDE] * 9, "ks": ["1"]}, 2_000),
        ("quote(body.t)", {"t": LONG}, 18_000),
        ("[ours(body.xs) for x in body.xs]", {"xs": [1.5] * 1_000}, 4_000_000),
    ],
)  # fmt: skip
def test_what_takes_long_is_charged_for(text: str, scope: dict[str, Any], least: int) -> None:
    assert spent(text, scope, ours=lambda found: found) >= least


@pytest.mark.parametrize(
    ("text", "scope", "most"),
    [
        ("body.w in body.t", {"t": "Buy milk and bread, and call the plumber", "w": "milk"}, 5),
        ("body.w in body.t", {"t": A * 2_000, "w": "a word of twenty chr"}, 250),
        ("replace(body.t, ' ', '-')", {"t": "Buy milk and bread, and call the plumber"}, 20),
        ("split(body.t, ',')", {"t": "Buy milk and bread, and call the plumber"}, 20),
        ("round(body.x, 2)", {"x": 1234.567}, 0),
        ("f'{body.x:.2f}'", {"x": 1234.567}, 5),
        ("float('1.5')", {}, 0),
        ("body.t == body.u", {"t": LONG, "u": "a"}, 0),
    ],
)
def test_what_pages_do_every_day_costs_next_to_nothing(text: str, scope: dict[str, Any], most: int) -> None:
    assert spent(text, scope) <= most


@pytest.mark.parametrize(
    "text",
    ["body.m[body.t]", "[body.m[x] for x in body.ts][0]", "pick(body.m, body.t)[body.t]"],
)
def test_a_text_that_is_too_long_for_a_key_finds_none(text: str) -> None:
    compiled = compile_tree(parse(text))
    scope = {"body": {"m": {LONG: 1}, "t": LONG_AGAIN, "ts": [LONG_AGAIN]}}
    assert compiled(scope, Evaluation()) is None
    assert compiled.safely(scope, Evaluation()) is None


def test_numbers_that_share_a_hash_are_told_apart_in_the_same_time() -> None:
    numbers = [at * (2**61 - 1) for at in range(2, 60_000)]
    assert len(set(map(hash, numbers))) == 1
    compiled = compile_tree(parse("len(unique(body))"))
    assert compiled({"body": numbers}, Evaluation()) == len(numbers)


def test_equal_numbers_of_two_kinds_are_one() -> None:
    compiled = compile_tree(parse("unique(body)"))
    large = [2**64, float(2**64), 2**64 + 1, [1, 2**80], [1.0, float(2**80)], 1, 1.0, True]
    assert compiled({"body": large}, Evaluation()) == [2**64, 2**64 + 1, [1, 2**80], 1, True]


@pytest.fixture
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that has computed behind its deadline for as long as it may."""
    monkeypatch.setattr("bff.expressions.evaluation.GRACE", 0.0)


class TestDeadline:
    def test_a_page_that_is_late_may_still_be_made(self) -> None:
        """Its process may have been stopped: what it takes behind its deadline is told by the processor."""
        called = []
        compiled = compile_tree(parse("[ours(x) for x in body]"), functions={"ours": called.append})
        late = Evaluation(deadline=time.monotonic() - 1)
        assert compiled({"body": [1, 2]}, late) == [None, None]
        assert called == [1, 2]
        late.charge(100_000)

    def test_it_may_compute_for_a_moment_and_no_longer(self, clock: Clock) -> None:
        late = Evaluation(deadline=clock.monotonic - 1)
        late.look()
        clock.thread_time += GRACE / 2
        late.look()
        clock.thread_time += GRACE / 2
        with pytest.raises(BoundError) as caught:
            late.look()
        assert caught.value.log == OVER_TIME

    @pytest.mark.parametrize(
        "text",
        [
            "[x + y for x in body for y in body]",
            "[x.a.b for x in body for y in body]",  # in the safe version too
            "[f'{x}{y}' for x in body for y in body]",
            "[join(body + [x]) for x in body]",
            "[[x] * 2 for x in body for y in body if x in body]",
        ],
    )
    @pytest.mark.usefixtures("no_grace")
    def test_expressions_stop_at_it_long_before_their_budget_is_spent(self, text: str) -> None:
        late = Evaluation(deadline=time.monotonic() - 1)
        with pytest.raises(BoundError) as caught:
            compile_tree(parse(text))({"body": list(range(1_000))}, late)
        assert caught.value.log == OVER_TIME
        assert WORK - late.work < 200_000

    @pytest.mark.usefixtures("no_grace")
    def test_texts_and_lists_that_grow_look_at_it_as_well(self) -> None:
        late = Evaluation(deadline=time.monotonic() - 1)
        with pytest.raises(BoundError) as caught:
            for _ in range(100):
                late.take(100_000)
        assert caught.value.log == OVER_TIME

    def test_what_would_take_longer_than_is_left_is_not_begun(self) -> None:
        soon = Evaluation(deadline=time.monotonic() + GRACE)
        with pytest.raises(BoundError) as caught:
            compile_tree(parse("[x for x in body]"))({"body": [0] * 1_900_000}, soon)
        assert caught.value.log == OVER_TIME

    def test_the_clock_is_not_read_for_every_charge(self, monkeypatch: pytest.MonkeyPatch) -> None:
        read = []
        monkeypatch.setattr(clock, "monotonic", lambda: float(len(read.append(1) or read)))
        evaluation = Evaluation(deadline=10**9)
        for _ in range(100_000):
            evaluation.charge(10)
        assert 10 <= len(read) <= 20

    @pytest.mark.usefixtures("no_grace")
    def test_a_function_of_the_project_is_not_called_after_it(self) -> None:
        called = []
        compiled = compile_tree(parse("[ours(x) for x in body]"), functions={"ours": called.append})
        with pytest.raises(BoundError) as caught:
            compiled({"body": [1, 2]}, Evaluation(deadline=time.monotonic() - 1))
        assert caught.value.log == OVER_TIME
        assert called == []


class TestWalk:
    def test_what_is_shared_is_paid_for_each_time(self) -> None:
        evaluation = Evaluation()
        part = list(range(100))
        evaluation.walk([part] * 50)
        assert WORK - evaluation.work == 1 + 50 * 101

    def test_what_is_met_too_often_is_over_the_bound(self) -> None:
        value: Any = ["text"]
        for _ in range(60):
            value = [value, value]
        with pytest.raises(BoundError):
            Evaluation().walk(value)

    def test_a_scalar_costs_nothing(self) -> None:
        evaluation = Evaluation()
        evaluation.walk("a" * 1_000)
        assert evaluation.work == WORK


def test_what_a_function_gives_is_charged_before_it_is_copied() -> None:
    with pytest.raises(BoundError):
        plain([[0] * 1_000] * 3 + [list(range(1_000)) for _ in range(10)], Evaluation(work=10_000).charge)


def test_an_integer_that_json_cannot_hand_on_is_no_result() -> None:
    assert plain([2**64, -(10**999)]) == [2**64, -(10**999)]
    with pytest.raises(ValueError, match="an integer of over 1000 digits"):
        plain(10**1_000)
