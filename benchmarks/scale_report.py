"""The tables of the simulated bursts: ours and what is written by hand in one cell, beside what went in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from benchmarks import scale_prices as prices
from benchmarks.scale_bursts import BURSTS
from benchmarks.scale_inputs import PEERS, measured
from benchmarks.tables import figure, table, title

BURST_TITLES = {burst.name: burst.title for burst in BURSTS}
HOST_TITLES = {
    "aws-lambda": "Lambda",
    "knative": "Knative, Cloud Run's prices",
    "fleet-1000": "fleet for 1,000 pages/s",
    "fleet-10000": "fleet for 10,000 pages/s",
}

Row = Mapping[str, Any]


def failed_share(row: Row) -> str:
    """Of the pages that were asked for; a share that is above nothing is never shown as nothing."""
    return f"{max(100 * row['failed'] / row['pages'], 0.01):.3g} %" if row["failed"] else "0"


_COLUMNS: Mapping[str, Callable[[Row], str]] = {
    "starts": lambda row: f"{row['starts']:,}",
    "visitors who met one": lambda row: f"{row['met_a_start']:,}",
    "p50, ms": lambda row: figure(row["p50_ms"]),
    "p99, ms": lambda row: figure(row["p99_ms"]),
    "failed": failed_share,
    "instances at most": lambda row: f"{row['most_instances']:,}",
    "$ per million, once an hour": lambda row: figure(row["usd_per_million"]),
    "$ per million, on and on": lambda row: figure(row["usd_per_million_busy"]),
}


def bursts_table(found: Mapping[str, Any]) -> str:
    """A row for each burst and host; a cell holds ours · by hand."""
    cells = {(row["burst"], row["host"], row["name"]): row for row in found["scale"]}
    places = list(dict.fromkeys((burst, host) for burst, host, _ in cells))
    body: list[list[str]] = []
    for burst, host in places:
        first = (burst, host) == next(place for place in places if place[0] == burst)
        both = [cells[burst, host, name] for name in PEERS if (burst, host, name) in cells]
        name = f"**{BURST_TITLES.get(burst, burst)}**<br>" if first else ""
        body.append(
            [
                f"{name}{HOST_TITLES.get(host, host)}",
                *(" · ".join(shown(row) for row in both) for shown in _COLUMNS.values()),
            ]
        )
    return table([" · ".join(title(name) for name in PEERS), *_COLUMNS], body)


_COMPARED: Mapping[str, Callable[[Row], float]] = {
    "starts": lambda row: row["starts"],
    "p50": lambda row: row["p50_ms"],
    "p99": lambda row: row["p99_ms"],
    "failed pages": lambda row: row["failed"],
    "instances": lambda row: row["most_instances"],
    "cost, once an hour": lambda row: row["usd_per_million"],
    "cost, on and on": lambda row: row["usd_per_million_busy"],
}


def losses(found: Mapping[str, Any]) -> str:
    """A line for each burst and host in which what is written by hand is better than ours, and by how many times."""
    cells = {(row["burst"], row["host"], row["name"]): row for row in found["scale"]}
    lines: list[str] = []
    for (burst, host, name), ours in cells.items():
        other = cells.get((burst, host, "flask-requests"))
        if name != "bff" or other is None:
            continue
        better = [
            f"{said} {of(ours) / of(other):.2f} ×" if of(other) else f"{said} where it has none"
            for said, of in _COMPARED.items()
            if of(ours) > 1.01 * of(other)
        ]
        if better:
            lines.append(f"- {BURST_TITLES.get(burst, burst)}, {HOST_TITLES[host]}: {', '.join(better)}\n")
    return "".join(lines) or "Nowhere among these figures.\n"


def inputs_table(found: Mapping[str, Any]) -> str:
    """What was measured, as the simulation takes it."""
    peers = [measured(found, name) for name in PEERS]
    rows: list[tuple[str, list[float]]] = [
        ("process start to first page, backends at once, ms", [one.start_s * 1000 for one in peers]),
        ("… that Lambda is given, ms", [one.function_start_s * 1000 for one in peers]),
        ("waiting for backends in a page, ms", [one.wait_s * 1000 for one in peers]),
        ("a warm page of one visitor, ms", [one.page_s * 1000 for one in peers]),
        ("… with the core that Lambda's 512 MB bring, ms", [one.function_page_s * 1000 for one in peers]),
        ("pages per second of one core, at most", [one.pages_per_s for one in peers]),
        ("threads of a server", [one.threads for one in peers]),
        ("memory under load, MB", [one.memory_mb for one in peers]),
    ]
    head = ["", *(title(one.name) for one in peers)]
    return table(head, [[what, *(figure(value) for value in values)] for what, values in rows])


def constants_table(found: Mapping[str, Any]) -> str:
    """What hosts publish, and where it was read."""
    return "".join(
        f"- {one.what}: {_plain(one.value)} ([{urlsplit(one.source).hostname}]({one.source}); {one.read})\n"
        for one in prices.EVERY
    )


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.10f}".rstrip("0").rstrip(".")
