"""When a call is tried again."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

import pytest

from bff import clock
from bff.http import Broken, Reply
from bff.http.budget import Budget
from bff.http.layers.retry import Retries, retry_after
from bff.http.messages import is_transient
from tests.clock import Clock

pytestmark = pytest.mark.usefixtures("clock")


def spent(budget: Budget) -> int:
    count = 0
    while budget.spend():
        count += 1
    return count


def test_a_budget_holds_ten_retries_and_no_more() -> None:
    budget = Budget()
    for _ in range(1000):
        budget.earn()
    assert spent(budget) == 10


def test_ten_calls_earn_one_retry() -> None:
    budget = Budget()
    spent(budget)
    for _ in range(25):
        budget.earn()
    assert spent(budget) == 2


def test_a_second_earns_one_retry(clock: Clock) -> None:
    budget = Budget()
    spent(budget)
    clock.go_on(3.5)
    assert spent(budget) == 3
    clock.go_on(1000.0)
    assert spent(budget) == 10


def test_back_offs_are_jittered_and_grow_to_a_second() -> None:
    delays: list[list[float]] = [[], [], [], [], [], []]
    for _ in range(40):
        retries = Retries(6, clock.monotonic() + 60, 0.02, Budget())
        for at in range(6):
            delay = retries.delay_after(Broken("refused"))
            assert delay is not None
            delays[at].append(delay)
    highest = [0.05, 0.1, 0.2, 0.4, 0.8, 1.0]
    assert all(0 <= delay <= most for row, most in zip(delays, highest, strict=True) for delay in row)
    assert all(len(set(row)) > 20 for row in delays)
    assert max(delays[5]) > 0.4


def test_retries_end_with_their_number_the_deadline_or_the_budget() -> None:
    far = clock.monotonic() + 60
    assert Retries(0, far, 0.02, Budget()).delay_after(Broken("refused")) is None
    assert Retries(1, clock.monotonic(), 0.02, Budget()).delay_after(Broken("refused")) is None
    empty = Budget()
    spent(empty)
    assert Retries(1, far, 0.02, empty).delay_after(Broken("refused")) is None


def test_a_call_that_may_not_be_retried_costs_no_budget() -> None:
    budget = Budget()
    Retries(0, clock.monotonic() + 60, 0.02, budget).delay_after(Broken("refused"))
    Retries(9, clock.monotonic(), 0.02, budget).delay_after(Broken("refused"))
    Retries(9, clock.monotonic() + 60, 0.02, budget).delay_after(Reply(500))
    assert spent(budget) == 10


def test_the_longer_of_back_off_and_retry_after_is_waited() -> None:
    retries = Retries(2, clock.monotonic() + 60, 0.02, Budget())
    assert retries.delay_after(Reply(503, {"retry-after": "7"})) == 7.0
    second = retries.delay_after(Reply(503, {"retry-after": "0"}))
    assert second is not None and second <= 0.1


def test_retry_after_is_seconds_or_a_date() -> None:
    in_a_minute = format_datetime(clock.now() + timedelta(seconds=60), usegmt=True)
    assert retry_after(Reply(503, {"retry-after": "12"})) == 12.0
    assert retry_after(Reply(503, {"retry-after": in_a_minute})) == 60.0
    assert retry_after(Reply(503, {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"})) == 0.0


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_date_is_compared_with_the_backends_own_clock(hours: int) -> None:
    now = clock.now() + timedelta(hours=hours)
    headers = {"date": format_datetime(now, usegmt=True)}
    headers["retry-after"] = format_datetime(now + timedelta(minutes=1), usegmt=True)
    assert retry_after(Reply(503, headers)) == 60.0


@pytest.mark.parametrize(
    "text", ["", "soon", "-1", "1.5", "٣", "1" * 400 + "x", "Wed, 99 Oct 2015 07:28:00 GMT"]
)
def test_an_unclear_retry_after_asks_for_nothing(text: str) -> None:
    assert retry_after(Reply(503, {"retry-after": text})) is None


def test_a_time_out_is_not_transient() -> None:
    assert not is_transient(Broken("timeout"))
    assert not is_transient(Reply(500))
    assert is_transient(Reply(429))
