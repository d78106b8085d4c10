"""Growth is told from noise, and where children are counted."""

from __future__ import annotations

import os
import random
import time

from tests.soak.gauges import MIB, Sample, growing, growth_per_minute, sample


def samples(seconds: int, memory_a_minute: float = 0.0, files_a_minute: float = 0.0) -> list[Sample]:
    """One a second, with noise, after a warm-up in which both rise steeply."""
    chance = random.Random(7)

    def one(second: int) -> Sample:
        cold = max(0, 60 - second) / 60
        memory = (100 - 40 * cold + chance.uniform(-2, 2)) * MIB + second / 60 * memory_a_minute
        return Sample(
            1000.0 + second, memory, 50 - 30 * cold + chance.uniform(-3, 3) + second / 60 * files_a_minute
        )

    return [one(second) for second in range(seconds)]


def test_what_rises_only_while_it_warms_up_does_not_grow() -> None:
    assert growing(samples(300)) == []


def test_what_rises_until_the_middle_and_then_stands_does_not_grow() -> None:
    rising = [Sample(float(at), min(at, 150) * MIB, 50.0) for at in range(301)]
    assert growth_per_minute(rising, "memory") == 0.0


def test_growing_memory_is_found() -> None:
    (found,) = growing(samples(300, memory_a_minute=4 * MIB))
    assert found.startswith("memory grows by 4.")
    assert found.endswith(" a minute, at most 1.5 may be")


def test_growing_files_are_found() -> None:
    (found,) = growing(samples(300, files_a_minute=12))
    assert found.startswith("descriptors grows by 1")


def test_the_slope_is_that_of_the_line() -> None:
    line = [Sample(60.0 * minute, 5.0 * minute, 0.0) for minute in range(10)]
    assert growth_per_minute(line, "memory") == 5.0


def test_a_short_run_tells_nothing() -> None:
    assert growth_per_minute(samples(119, memory_a_minute=100 * MIB), "memory") is None
    assert growing(samples(119, memory_a_minute=100 * MIB)) == []
    assert growth_per_minute([], "memory") is None


def test_this_process_has_memory_and_files() -> None:
    found = sample(os.getpid())
    assert found.memory > MIB
    assert found.descriptors >= 3
    assert found.at <= time.monotonic()
