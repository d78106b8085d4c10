"""One page goes on at a time, in the order in which they came to be able to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from bff import turns
from bff.turns import NoTurns, Turns

PATIENCE = 10


@contextmanager
def threads(*work: Callable[[], object]) -> Iterator[list[threading.Thread]]:
    started = [threading.Thread(target=one, daemon=True) for one in work]
    yield started
    for thread in started:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.001)


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is, nobody counts as stuck."""
    monkeypatch.setattr(turns, "STUCK", 10 * PATIENCE)


@pytest.mark.usefixtures("unhurried")
def test_who_waits_goes_on_in_the_order_of_coming() -> None:
    mine, order = Turns(), []
    with threads(*(lambda n=n: mine.within(lambda: order.append(n)) for n in range(20))) as waiting:
        assert mine.take()
        for at, thread in enumerate(waiting):
            thread.start()
            until(lambda: len(mine._queue) == at + 1)  # noqa: B023
        assert order == []
        assert mine.give()
    assert order == list(range(20))


@pytest.mark.usefixtures("unhurried")
def test_one_at_a_time_goes_on() -> None:
    mine, inside, most = Turns(), [], []

    def work() -> None:
        inside.append(None)
        most.append(len(inside))
        time.sleep(0)
        inside.pop()

    with threads(*[lambda: [mine.within(work) for _ in range(50)]] * 8) as workers:
        for thread in workers:
            thread.start()
    assert set(most) == {1} and len(most) == 400


@pytest.mark.usefixtures("unhurried")
def test_while_one_waits_for_something_else_another_goes_on() -> None:
    mine, both = Turns(), threading.Barrier(2, timeout=PATIENCE)
    with threads(*[lambda: mine.within(lambda: mine.outside(both.wait))] * 2) as workers:
        for thread in workers:
            thread.start()
    assert not both.broken


@pytest.mark.usefixtures("unhurried")
def test_a_turn_within_a_turn_is_the_same_one() -> None:
    mine = Turns()
    assert mine.within(lambda: mine.within(lambda: mine.take())) is False
    assert mine.give() is False
    assert mine.take() is True


def test_a_wait_without_a_turn_takes_none() -> None:
    mine = Turns()
    assert mine.outside(lambda: "waited") == "waited"
    assert mine.give() is False


def test_a_turn_ends_with_what_is_raised() -> None:
    mine = Turns()
    with pytest.raises(ZeroDivisionError):
        mine.within(lambda: mine.outside(lambda: 1 // 0))
    assert mine.take() is True


def test_who_does_not_go_on_keeps_nobody_back_for_long() -> None:
    mine, done = Turns(), threading.Event()
    with threads(lambda: mine.within(done.set)) as (other,):
        assert mine.take()
        other.start()
        assert done.wait(PATIENCE)  # though nobody gave the turn
    assert mine.give() is True
    assert mine.take() is True


def test_who_was_passed_over_takes_no_turn_from_others(monkeypatch: pytest.MonkeyPatch) -> None:
    mine, has_it, may_end = Turns(), threading.Event(), threading.Event()

    def other() -> None:
        mine.take()
        monkeypatch.setattr(turns, "STUCK", 10 * PATIENCE)
        has_it.set()
        may_end.wait(PATIENCE)
        mine.give()

    with threads(other) as (thread,):
        mine.take()
        thread.start()
        assert has_it.wait(PATIENCE)
        holder = mine._turn
        assert mine.give()
        assert mine._turn is holder
        may_end.set()


def test_a_child_begins_with_nobody_waiting() -> None:
    mine = Turns()
    mine.take()
    mine.forget()
    assert mine.take() is True


@pytest.mark.usefixtures("unhurried")
def test_where_threads_run_side_by_side_there_are_no_turns() -> None:
    both, none = threading.Barrier(2, timeout=PATIENCE), NoTurns()
    with threads(*[lambda: none.within(both.wait)] * 2) as workers:
        for thread in workers:
            thread.start()
    assert not both.broken
