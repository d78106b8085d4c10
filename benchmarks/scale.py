"""The part `scale`: bursts from 0 to 10,000 pages a second on hosts of three kinds, simulated from measured figures.

`python benchmarks/scale.py` or `make bench ARGS="--only scale"`. Nothing is served: start, page and pages per second of
a core are read from `benchmarks/results.json`, limits and prices are published ones, and the seed is fixed, so the same
results give the same figures.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import fixtures, results
from benchmarks import scale_prices as prices
from benchmarks.lineup import HOME
from benchmarks.measuring import percentile, rounded
from benchmarks.parts import Rows, Run
from benchmarks.scale_autoscaler import TARGET_SHARE, Autoscaler
from benchmarks.scale_bursts import BURSTS, Burst
from benchmarks.scale_functions import Limits, Outcome, simulate
from benchmarks.scale_inputs import PEERS, NotMeasured, Software, measured
from benchmarks.scale_servers import Fleet, Server, servers_for

# What nobody publishes, assumed for every software alike.
CONTAINER_BOOT_S = 2.0
KEEP_S = 300.0
FLEET_BUSY = 0.7
FLEETS = (1000, 10_000)
SAMPLES = 20

PAGE_BYTES = len(fixtures.encode(HOME.expected))


def on_functions(software: Software, burst: Burst, arrivals: Sequence[float], every: float) -> Outcome:
    scaling = prices.LAMBDA_SCALING.value
    limits = Limits(int(prices.LAMBDA_CONCURRENCY.value), scaling, scaling / 10, KEEP_S)
    first_s = software.function_start_s + software.wait_s
    return simulate(arrivals, software.function_page_s, first_s, prices.FIRECRACKER_S.value, limits, every)


def on_knative(software: Software, burst: Burst, arrivals: Sequence[float], every: float) -> Outcome:
    start_s = CONTAINER_BOOT_S + software.start_s
    server = Server(software.core_s, software.delay_s, software.threads, start_s)
    scaler = Autoscaler(software.threads * TARGET_SHARE, int(prices.RUN_INSTANCES.value))
    return Fleet(server, prices.RUN_PENDING_S.value, scaler=scaler).run(arrivals, every)


def on_fleet(rate: int) -> Callable[[Software, Burst, Sequence[float], float], Outcome]:
    """Servers that always run, enough for this rate."""

    def host(software: Software, burst: Burst, arrivals: Sequence[float], every: float) -> Outcome:
        server = Server(software.core_s, software.delay_s, software.threads)
        count = servers_for(rate, software.pages_per_s, FLEET_BUSY)
        return Fleet(server, prices.RUN_PENDING_S.value, fixed=count).run(arrivals, every)

    return host


HOSTS: Mapping[str, Callable[[Software, Burst, Sequence[float], float], Outcome]] = {
    "aws-lambda": on_functions,
    "knative": on_knative,
    **{f"fleet-{rate}": on_fleet(rate) for rate in FLEETS},
}


def cost(host: str, outcome: Outcome, seconds: float) -> float:
    """Dollars of one burst, with the fleet paid for so many seconds."""
    served = len(outcome.visits)
    if host == "aws-lambda":
        return prices.lambda_cost(outcome.billed_s, served, outcome.failed)
    if host == "knative":
        return prices.run_cost(outcome.billed_s, served)
    return prices.fleet_cost(outcome.most, seconds, served, PAGE_BYTES)


def row_of(burst: Burst, host: str, software: Software, arrivals: Sequence[float]) -> dict[str, Any]:
    """The figures of one burst on one host."""
    every = burst.seconds / SAMPLES
    outcome = HOSTS[host](software, burst, arrivals, every)
    times = sorted((end - asked) * 1000 for _, asked, _, end in outcome.visits)
    million = 1e6 / len(times)
    return {
        "burst": burst.name,
        "host": host,
        "name": software.name,
        "pages": len(arrivals),
        "starts": outcome.starts,
        "met_a_start": outcome.met,
        "p50_ms": rounded(percentile(times, 0.5)),
        "p99_ms": rounded(percentile(times, 0.99)),
        "failed": outcome.failed,
        "most_instances": outcome.most,
        "usd_per_million": rounded(cost(host, outcome, burst.billed_s) * million),
        "usd_per_million_busy": rounded(cost(host, outcome, burst.seconds) * million),
        "instances": {"every_s": round(every, 3), "counts": outcome.instances[:SAMPLES]},
    }


def rows_of(found: Mapping[str, Any], bursts: Iterable[Burst]) -> Rows:
    """Every burst on every host with every software; raises NotMeasured for results without their figures."""
    peers = [measured(found, name) for name in PEERS]
    rows: Rows = []
    for burst in bursts:
        arrivals = burst.arrivals()
        rows += [row_of(burst, host, software, arrivals) for host in HOSTS for software in peers]
    return rows


def run(this: Run) -> Rows:
    """Simulate from the results so far, and print a table."""
    try:
        rows = rows_of(results.read(this.results), BURSTS)
    except NotMeasured as error:
        this.fail(f"scale: {error}")
        return []
    this.say(_table(rows))
    return rows


def _table(rows: Rows) -> str:
    head = f"  {'':11}{'':12}{'':15}{'starts':>7}{'met':>7}{'p50 ms':>8}{'p99 ms':>8}{'failed':>8}{'most':>6}"
    lines = [f"{head}{'$/million':>11}{'busy':>8}"]
    for row in rows:
        lines.append(
            f"  {row['burst']:11}{row['host']:12}{row['name']:15}{row['starts']:>7,}{row['met_a_start']:>7,}"
            f"{row['p50_ms']:>8,.0f}{row['p99_ms']:>8,.0f}{row['failed']:>8,}{row['most_instances']:>6,}"
            f"{row['usd_per_million']:>11,.2f}{row['usd_per_million_busy']:>8,.2f}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    from benchmarks.run import main

    sys.exit(main(["--only", "scale", *sys.argv[1:]]))
