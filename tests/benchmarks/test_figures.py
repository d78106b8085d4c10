"""Medians, spread, percentiles, and what of a machine is read."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from benchmarks import machine
from benchmarks.load import Window
from benchmarks.measuring import Sample, middle, note_of, percentile, rounded, summed_up
from benchmarks.static import AbFailed, figures_of


@pytest.mark.parametrize(
    ("values", "share", "found"),
    [
        ([5.0], 0.99, 5.0),
        ([1.0, 2.0, 3.0, 4.0], 0.5, 2.0),
        ([1.0, 2.0, 3.0], 0.5, 2.0),
        ([float(number) for number in range(1, 101)], 0.99, 99.0),
        ([float(number) for number in range(1, 201)], 0.99, 198.0),
    ],
)
def test_a_percentile_is_a_value_that_was_seen(values: list[float], share: float, found: float) -> None:
    assert percentile(values, share) == found


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


@pytest.mark.parametrize(
    ("value", "found"), [(0.0, 0.0), (0.123456, 0.123), (12.345, 12.3), (123.45, 123), (12345.6, 12346)]
)
def test_three_digits_are_kept_and_no_whole_number_is_cut(value: float, found: float) -> None:
    assert rounded(value) == found


def test_the_middle_of_rounds_has_its_spread() -> None:
    rounds = [{"p50_ms": 3.0, "cpu": None}, {"p50_ms": 1.0, "cpu": 2.0}, {"p50_ms": 7.0, "cpu": None}]
    assert middle(rounds, ["p50_ms", "cpu"]) == {
        "p50_ms": 3.0,
        "cpu": 2.0,
        "spread": {"p50_ms": [1.0, 7.0], "cpu": [2.0, 2.0]},
        "rounds": 3,
    }


def test_what_no_round_could_tell_is_none() -> None:
    assert middle([{"p50_ms": None}], ["p50_ms"]) == {"p50_ms": None, "spread": {"p50_ms": None}, "rounds": 1}


def test_a_window_is_summed_up() -> None:
    latencies = [0.001 * number for number in range(100, 0, -1)]
    window = Window(Sample(1.0, 5.0), Sample(1.5, 6.0), 2.0, latencies, {"status 503": 2, "no connection": 1})
    found = summed_up(window, 64.0)
    assert found.pages_per_s == 50
    assert found.cpu_s_per_1000 == 5
    assert found.p50_ms == pytest.approx(50)
    assert found.p99_ms == pytest.approx(99)
    assert found.memory_mb == 64
    assert found.errors == 3
    assert found.load_core == 0.5
    assert note_of(found) == "1 × no connection, 2 × status 503"


def test_a_window_without_a_page_has_no_times() -> None:
    found = summed_up(Window(Sample(0, 0), Sample(1, 1.9), 2.0), 64.0)
    assert (found.pages_per_s, found.cpu_s_per_1000, found.p50_ms, found.p99_ms) == (0, None, None, None)


def test_a_busy_load_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda number: {0, 1})
    found = summed_up(Window(Sample(0, 0), Sample(1, 1.9), 2.0), 64.0)
    assert note_of(found) == "the load's core was 95% busy"


def test_children_count_to_a_server() -> None:
    """The sum of a tree has the processor time and the memory of what its root has started."""
    burns = "import time\nwhile time.process_time() < 0.2: pass\nprint('burnt', flush=True)\ninput()"
    starts = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burns!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", starts], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == b"burnt\n"
        assert len(machine.tree(process.pid)) == 2
        assert machine.cpu_seconds(process.pid) >= 0.2
        assert 4 < machine.memory_mb(process.pid) < 100
        process.stdin.close()


def test_pinned_threads_go_back_where_they_were() -> None:
    before = os.sched_getaffinity(0)
    with machine.pinned(machine.cores().server):
        assert os.sched_getaffinity(0) == machine.cores().server
    assert os.sched_getaffinity(0) == before


def test_load_and_server_have_different_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda number: {2, 0, 5})
    assert machine.cores() == machine.Cores(frozenset([0]), frozenset([2, 5]))
    monkeypatch.setattr(os, "sched_getaffinity", lambda number: {3})
    assert machine.cores().shared


AB = """
Concurrency Level:      200
Complete requests:      1000
Failed requests:        {failed}
{more}Requests per second:    4711.07 [#/sec] (mean)
Time per request:       42.453 [ms] (mean)
"""


def test_figures_of_ab_are_read() -> None:
    assert figures_of(AB.format(failed=0, more="")) == (4711.07, 0)
    assert figures_of(AB.format(failed=3, more="Non-2xx responses:      4\n")) == (4711.07, 7)


def test_ab_without_figures_is_told() -> None:
    with pytest.raises(AbFailed, match="ab printed no figures: 'Benchmarking'"):
        figures_of("Benchmarking")
