"""Faults are drawn from a seed, leave quiet stretches, and end before the run does."""

from __future__ import annotations

from itertools import pairwise

from tests.soak.faults import TARGETS, Fault, carry_out, schedule


def test_the_same_seed_draws_the_same_faults() -> None:
    assert schedule(7, 300) == schedule(7, 300) != schedule(8, 300)


def test_each_part_is_struck_in_each_way() -> None:
    found = {(fault.target, fault.blow) for fault in schedule(7, 300)}
    assert found == {(target, blow) for target in TARGETS for blow in ("kill", "pause", "restart")}


def test_one_part_is_away_at_a_time_and_the_ends_are_quiet() -> None:
    faults = schedule(7, 300)
    assert faults[0].at == 30
    assert faults[-1].at + faults[-1].seconds <= 270
    assert all(one.at + one.seconds + 1 <= next_one.at for one, next_one in pairwise(faults))


class Struck:
    """A part that writes down what happens to it, and a clock that only waiting moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.happened: list[tuple[float, str]] = []

    def __getattr__(self, name: str) -> object:
        return lambda: self.happened.append((self.now, name))

    def clock(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


def test_what_is_struck_comes_back_in_time() -> None:
    part = Struck()
    faults = [
        Fault(5, "redis", "kill", 2),
        Fault(10, "redis", "pause", 3),
        Fault(20, "redis", "restart", 1),
    ]
    told: list[str] = []
    counts = carry_out(faults, {"redis": part}, told.append, part.clock, part.wait)  # type: ignore[dict-item]
    assert part.happened == [
        (105, "kill"),
        (107, "start"),
        (110, "pause"),
        (113, "resume"),
        (120, "stop"),
        (121, "start"),
    ]
    assert counts == {"kill redis": 1, "pause redis": 1, "restart redis": 1}
    assert told[0] == "  5.0 s  kill redis for 2.0 s"
