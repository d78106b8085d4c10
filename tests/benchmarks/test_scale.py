"""The simulation of bursts: known answers of queueing theory, costs by hand, and what was recorded."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks import results, run, scale, scale_chart, scale_report
from benchmarks import scale_prices as prices
from benchmarks.scale_autoscaler import Autoscaler
from benchmarks.scale_bursts import BURSTS, Burst, step
from benchmarks.scale_functions import Limits, Outcome, simulate
from benchmarks.scale_inputs import PEERS, NotMeasured, Software, measured
from benchmarks.scale_servers import Fleet, Server, servers_for

SOFTWARE = Software("ours", 0.25, 0.25, 0.04, 0.044, 500.0, 64, 80.0)
FREE = Limits(concurrency=10**9, scaling=10**9, refill_per_s=0, keep_s=300)


def poisson(rate: float, seconds: float) -> list[float]:
    return Burst("test", "test", ((seconds, rate),)).arrivals()


def waited(outcome: Outcome) -> float:
    """Seconds between coming and being begun with, on average."""
    return sum(begin - asked for _, asked, begin, _ in outcome.visits) / len(outcome.visits)


def erlang_b(servers: int, load: float) -> float:
    """The share that is lost where nobody waits."""
    lost = 1.0
    for number in range(1, servers + 1):
        lost = load * lost / (number + load * lost)
    return lost


@pytest.mark.parametrize("busy", [0.5, 0.8])
def test_one_server_makes_visitors_wait_as_pollaczek_and_khinchin_say(busy: float) -> None:
    """M/D/1: the mean wait is busy × service / 2 (1 - busy)."""
    outcome = Fleet(Server(0.01, 0.0, 1), math.inf, fixed=1).run(poisson(busy / 0.01, 1500), 1500)
    assert waited(outcome) == pytest.approx(busy * 0.01 / (2 * (1 - busy)), rel=0.03)


def test_pages_wait_for_the_core_of_a_server_with_many_threads_as_long() -> None:
    outcome = Fleet(Server(0.01, 0.04, 1000), math.inf, fixed=1).run(poisson(80, 1500), 1500)
    inside = sum(end - asked for _, asked, _, end in outcome.visits) / len(outcome.visits)
    assert inside - 0.05 == pytest.approx(0.8 * 0.01 / (2 * 0.2), rel=0.03)


def test_two_servers_take_turns_by_hand() -> None:
    outcome = Fleet(Server(1.0, 0.0, 1), math.inf, fixed=2).run([0.0, 0.1, 0.2, 0.3, 5.0], 10)
    assert outcome.visits == [
        (0, 0.0, 0.0, 1.0),
        (1, 0.1, 0.1, 1.1),
        (0, 0.2, 1.0, 2.0),
        (1, 0.3, 1.1, 2.1),
        (0, 5.0, 5.0, 6.0),
    ]


def test_threads_hold_pages_while_the_core_is_free() -> None:
    """Two threads, 1 s of the core and 2 s beside it: the third page waits for a thread, not for the core."""
    outcome = Fleet(Server(1.0, 2.0, 2), math.inf, fixed=1).run([0.0, 0.0, 0.0], 10)
    assert [(begin, end) for _, _, begin, end in outcome.visits] == [(0, 3), (0, 4), (3, 6)]


def test_who_waits_too_long_fails_and_takes_no_server() -> None:
    outcome = Fleet(Server(1.0, 0.0, 1), 1.5, fixed=1).run([0.0, 0.1, 0.2, 4.0], 10)
    assert [asked for _, asked, _, _ in outcome.visits] == [0.0, 0.1, 4.0]
    assert outcome.failed == 1


@pytest.mark.parametrize(("most", "load"), [(10, 8.0), (50, 55.0)])
def test_a_function_host_at_its_limit_loses_what_erlang_says(most: int, load: float) -> None:
    """M/D/c/c: Erlang's B formula, whatever the service time is distributed like."""
    limits = Limits(concurrency=most, scaling=10**9, refill_per_s=0, keep_s=10**9)
    arrivals = poisson(load / 0.05, 4000 / load)
    outcome = simulate(arrivals, 0.05, 0.05, 0.0, limits, 1000)
    assert outcome.failed / len(arrivals) == pytest.approx(erlang_b(most, load), rel=0.05)


def test_an_instance_of_a_function_never_has_two_requests() -> None:
    outcome = simulate(poisson(2000, 5), 0.05, 0.4, 0.1, FREE, 1)
    by_instance: dict[int, list[tuple[float, float]]] = {}
    for instance, asked, _, end in outcome.visits:
        by_instance.setdefault(instance, []).append((asked, end))
    assert len(by_instance) == outcome.starts > 100
    for spans in by_instance.values():
        assert all(before[1] <= after[0] for before, after in pairwise(sorted(spans)))


def test_a_function_host_starts_reuses_and_forgets_instances_by_hand() -> None:
    limits = Limits(concurrency=10, scaling=10, refill_per_s=0, keep_s=60)
    outcome = simulate([0.0, 0.1, 1.0, 70.0], 0.05, 0.3, 0.1, limits, 30)
    assert outcome.visits == [
        (0, 0.0, 0.1, 0.4),
        (1, 0.1, 0.2, pytest.approx(0.5)),
        (1, 1.0, 1.0, 1.05),
        (2, 70.0, 70.1, pytest.approx(70.4)),
    ]
    assert outcome.starts == outcome.met == 3
    assert outcome.billed_s == pytest.approx(0.95)
    assert outcome.instances == [2, 2, 1]


def test_new_instances_of_a_function_come_back_at_their_rate() -> None:
    """Two at once, then one a second: of five visitors who come together two are served, after a second one more."""
    limits = Limits(concurrency=10**9, scaling=2, refill_per_s=1, keep_s=60)
    outcome = simulate([0.0] * 5 + [1.0, 1.0], 9.0, 9.0, 0.0, limits, 10)
    assert (len(outcome.visits), outcome.failed) == (3, 4)


@pytest.mark.parametrize("host", scale.HOSTS)
@pytest.mark.parametrize("burst", [step(100, 5), step(3000, 5)], ids=lambda burst: burst.name)
def test_no_visitor_is_lost(host: str, burst: Burst) -> None:
    arrivals = burst.arrivals()
    outcome = scale.HOSTS[host](SOFTWARE, burst, arrivals, 1.0)
    assert len(outcome.visits) + outcome.failed == len(arrivals)
    assert all(asked <= begin < end for _, asked, begin, end in outcome.visits)
    assert max(outcome.instances) <= outcome.most


def test_an_instance_of_a_server_never_holds_more_than_its_threads() -> None:
    outcome = Fleet(Server(0.002, 0.04, 4), 10, fixed=3).run(poisson(400, 5), 1)
    for place in range(3):
        turns = [(begin, 1) for at, _, begin, _ in outcome.visits if at == place]
        turns += [(end, -1) for at, _, _, end in outcome.visits if at == place]
        inside = most = 0
        for _, change in sorted(turns):
            inside += change
            most = max(most, inside)
        assert most == 4


def test_the_autoscaler_wants_what_its_formula_says() -> None:
    """100 under way all the time, 20 wanted in each: 5 instances; ten times as many is a panic, which holds them."""
    scaler = Autoscaler(20, 1000)
    scaler.wake(0, 0)
    assert [scaler.desired(time, 100.0 * time, 5) for time in (2, 4, 6)] == [5, 5, 5]
    assert scaler.desired(8, 600 + 2 * 1000, 5) == math.ceil((2600 - 200) / 6 / 20)
    assert scaler.panic_since == 8
    assert scaler.desired(60, 2600, 20) == 20
    assert scaler.desired(70, 2600, 20) == 10


def test_the_autoscaler_stays_within_its_bound() -> None:
    scaler = Autoscaler(1, 100)
    scaler.wake(0, 0)
    assert scaler.desired(2, 10_000, 1) == 100


def test_knative_starts_at_once_from_nothing_and_goes_back_to_it() -> None:
    scaler = Autoscaler(44.8, 100)
    outcome = Fleet(Server(0.002, 0.04, 64, 2.25), 10, scaler=scaler).run([1.0, 200.0], 10)
    assert outcome.starts == outcome.met == 2
    assert [end - asked for _, asked, _, end in outcome.visits] == pytest.approx([2.292, 2.292])
    assert (outcome.instances[0], outcome.instances[18]) == (1, 0)


def test_servers_are_counted_for_a_rate() -> None:
    assert servers_for(10_000, 719, 0.7) == 20
    assert servers_for(100, 719, 0.7) == 2


def test_costs_are_those_by_hand() -> None:
    """A million pages of 50 ms with 512 MB: 25,000 GB-s; a fleet of two for an hour; an hour of one container."""
    assert prices.lambda_cost(50_000, 1_000_000, 0) == pytest.approx(25_000 * 0.0000166667 + 0.20 + 1.00)
    assert prices.lambda_cost(0, 0, 1_000_000) == pytest.approx(1.00)
    assert prices.run_cost(3600, 1_000_000) == pytest.approx(3600 * (0.000024 + 0.00000125) + 0.40)
    assert prices.fleet_cost(2, 3600, 1_000_000, 10_000) == pytest.approx(
        2 * (0.04048 + 2 * 0.004445) + 0.0225 + 10 * 0.008
    )


@pytest.mark.parametrize(
    ("seconds", "step_s", "billed"),
    [(0.0431, 0.001, 0.044), (0.05, 0.001, 0.05), (0.0431, 0.1, 0.1), (0, 0.1, 0)],
)
def test_billed_time_is_in_whole_steps(seconds: float, step_s: float, billed: float) -> None:
    assert prices.rounded_up(seconds, step_s) == pytest.approx(billed)


def test_an_instance_is_paid_for_while_it_has_a_request() -> None:
    """Two pages at the same time are 100 ms together, a later one is 100 ms more, each start is its own."""
    scaler = Autoscaler(44.8, 100)
    outcome = Fleet(Server(0.0, 0.04, 64, 2.0), 10, scaler=scaler).run([0.0, 0.0, 5.0], 10)
    assert outcome.billed_s == pytest.approx(2.0 + 0.1 + 0.1)


def test_every_constant_has_a_source_and_says_whether_it_was_read() -> None:
    for one in prices.EVERY:
        assert one.source.startswith("https://"), one.what
        assert "2026-11-23" in one.read, one.what


def test_the_same_seed_gives_the_same_visitors() -> None:
    for burst in BURSTS:
        arrivals = burst.arrivals()
        assert arrivals == sorted(arrivals) == burst.arrivals()
        expected = sum(seconds * rate for seconds, rate in burst.pieces)
        assert len(arrivals) == pytest.approx(expected, abs=4 * math.sqrt(expected))
        assert arrivals[-1] < burst.seconds
    assert [burst.peak for burst in BURSTS[:3]] == [100, 1000, 10_000]


def found_by(name: str = "bff", **more: Any) -> dict[str, Any]:
    page = {"name": name, "work": "same", "backend_ms": 20, "p50_ms": 44.0, "memory_mb": 80}
    return {
        "pages": [page | {"users": 1, "pages_per_s": 23}, page | {"users": 50, "pages_per_s": 500}],
        "cold_start": [{"name": name, "first_page_ms": 250.0}],
        "harness": [{"name": "delayed_reply_ms", "value": 20.0}],
        **more,
    }


def test_inputs_are_read_from_the_results() -> None:
    one = measured(found_by(), "bff")
    assert (one.start_s, one.page_s, one.wait_s, one.core_s, one.threads) == (0.25, 0.044, 0.04, 0.002, 128)
    assert one.delay_s == pytest.approx(0.042)
    assert one.function_page_s == pytest.approx(0.04 + 0.004 * 1769 / 512)


def test_starts_that_were_measured_on_lambda_for_everybody_are_taken_for_it() -> None:
    ours, other = ({"name": name, "first_page_ms": 410 + len(name)} for name in PEERS)
    assert measured(found_by(**{"lambda": [ours, other]}), "bff").function_start_s == 0.413
    assert measured(found_by(**{"lambda": [ours, other]}), "bff").start_s == 0.25
    assert measured(found_by(**{"lambda": [ours]}), "bff").function_start_s == 0.25


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pages": []}, "no page of bff with 1 user and 20 ms backends: --only pages"),
        ({"cold_start": []}, "no bff in cold_start: --only cold-start"),
        ({"harness": []}, "no delayed_reply_ms in harness: --only harness"),
    ],
)
def test_what_was_not_measured_is_not_guessed(change: dict[str, Any], message: str) -> None:
    with pytest.raises(NotMeasured) as caught:
        measured(found_by(**change), "bff")
    assert str(caught.value) == message


def test_the_recorded_figures_are_those_of_the_recorded_inputs() -> None:
    found = results.read()
    small = [burst for burst in BURSTS if len(burst.arrivals()) < 50_000]
    names = {burst.name for burst in small}
    recorded = [row for row in found["scale"] if row["burst"] in names]
    for row in recorded:
        row.pop("measured", None)
    assert recorded == scale.rows_of(found, small), (
        "what it starts from has changed: python benchmarks/scale.py"
    )
    assert {row["burst"] for row in found["scale"]} == {burst.name for burst in BURSTS}
    assert {(row["host"], row["name"]) for row in found["scale"]} == {
        (host, name) for host in scale.HOSTS for name in PEERS
    }


def test_the_part_starts_from_its_file_and_keeps_what_was_measured_when(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = found_by()
    for part, rows in found_by("flask-requests").items():
        found[part] = found[part] + rows if part != "harness" else rows
    monkeypatch.setattr(run, "_warn", lambda: None)
    monkeypatch.setattr(scale, "BURSTS", (step(100, 2),))
    monkeypatch.setattr(results, "check", lambda found: None)
    file = tmp_path / "results.json"
    about = {"machine": "measured", "versions": {"python": "3"}, "date": "2026-01-01"}
    results.write(found | about, file)
    assert run.main(["--only", "scale", "--results", str(file)]) == 0
    written = results.read(file)
    assert {key: written[key] for key in about} == about
    assert len(written["scale"]) == 2 * len(scale.HOSTS)
    assert "step-100" in capsys.readouterr().out


def test_results_without_the_inputs_fail_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "_warn", lambda: None)
    file = tmp_path / "results.json"
    results.write({"machine": "any", "versions": {"python": "3"}, "date": "2026-01-01"}, file)
    assert run.main(["--only", "scale", "--results", str(file)]) == 1
    assert capsys.readouterr().err == (
        "FAILED scale: no page of bff with 1 user and 20 ms backends: --only pages\n"
    )


def recorded_row(host: str, name: str, **more: Any) -> dict[str, Any]:
    row = {
        "burst": "step-10000",
        "host": host,
        "name": name,
        "pages": 1000,
        "starts": 100,
        "met_a_start": 150,
    }
    row |= {"p50_ms": 43.2, "p99_ms": 1250.0, "failed": 0, "most_instances": 100}
    row |= {
        "usd_per_million": 1.5,
        "usd_per_million_busy": 0.25,
        "instances": {"every_s": 2, "counts": [1, 90]},
    }
    return row | more


def test_a_cell_of_the_table_holds_ours_and_the_other() -> None:
    rows = [
        recorded_row("aws-lambda", "bff"),
        recorded_row("aws-lambda", "flask-requests", failed=8, starts=120),
    ]
    assert scale_report.bursts_table({"scale": rows}).splitlines()[2] == (
        "| **0 → 10,000 pages/s, 30 s**<br>Lambda | 100 · 120 | 150 · 150 | 43.2 · 43.2 | 1,250 · 1,250 "
        "| 0 · 0.8 % | 100 · 100 | 1.5 · 1.5 | 0.25 · 0.25 |"
    )


def test_one_failed_page_of_a_million_is_not_shown_as_none() -> None:
    assert scale_report.failed_share({"failed": 1, "pages": 1_000_000}) == "0.01 %"


def test_losses_say_where_the_other_is_better() -> None:
    rows = [
        recorded_row("aws-lambda", "bff"),
        recorded_row("aws-lambda", "flask-requests"),
        recorded_row("knative", "bff", p99_ms=2500.0, failed=3),
        recorded_row("knative", "flask-requests"),
    ]
    assert scale_report.losses({"scale": rows}) == (
        "- 0 → 10,000 pages/s, 30 s, Knative, Cloud Run's prices: p99 2.00 ×, failed pages where it has none\n"
    )
    assert scale_report.losses({"scale": rows[:2]}) == "Nowhere among these figures.\n"


def test_the_chart_has_a_line_for_each_host_that_grows_and_a_row_for_each_in_the_others() -> None:
    found = results.read()["scale"]
    drawn = scale_chart.drawn(found)
    root = ElementTree.fromstring(drawn)
    assert drawn.count("<polyline") == 6
    assert drawn.count("<circle") == 8 * 2 + 8
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    ramp = {
        (row["host"], row["name"]): row["instances"]["counts"][-1]
        for row in found
        if row["burst"] == "ramp-10000"
    }
    assert f"Lambda, bff: {ramp['aws-lambda', 'bff']}" in texts
    assert f"fleet, Flask + requests: {ramp['fleet-10000', 'flask-requests']}" in texts


def test_no_two_names_of_lines_cover_each_other() -> None:
    root = ElementTree.fromstring(scale_chart.drawn(results.read()["scale"]))
    named = [
        text
        for text in root.iter("{http://www.w3.org/2000/svg}text")
        if ", bff: " in (text.text or "") or "requests: " in (text.text or "")
    ]
    heights = sorted(float(text.attrib["y"]) for text in named)
    assert len(heights) == 6
    assert all(below - above >= 14.9 for above, below in pairwise(heights))


def test_a_chart_of_no_bursts_says_so() -> None:
    assert ElementTree.fromstring(scale_chart.drawn([])).attrib["aria-label"] == "not measured yet"
