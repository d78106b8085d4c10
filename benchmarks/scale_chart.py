"""The chart of the simulated bursts: instances over time, a page's time, and what a million pages cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.chart import ROW, TOP, WIDTH, framed, text, ticks_over, x_of
from benchmarks.scale_report import BURST_TITLES, HOST_TITLES, failed_share
from benchmarks.tables import figure

_RISING, _AT_ONCE, _HOURLY = "ramp-10000", "step-10000", "step-1000"
_LINES = ("aws-lambda", "knative", "fleet-10000")
_LINES_HEIGHT, _LINES_LEFT, _LINES_RIGHT = 220, 60, 206
_HOSTS = HOST_TITLES | {"knative": "Knative"}
_LABEL_HEIGHT = 15
_NAMES = {"bff": "bff", "flask-requests": "Flask + requests"}

Row = Mapping[str, Any]


def drawn(rows: Sequence[Row]) -> str:
    """The SVG of all panels."""
    if not rows:
        return framed(text(24, 40, "not measured yet", "quiet"), 64, "not measured yet")
    parts, top = [], 16
    panels = (
        (_over_time, _LINES_HEIGHT + 90, [row for row in rows if row["burst"] == _RISING]),
        (_times, 0, [row for row in rows if row["burst"] == _AT_ONCE]),
        (_costs, 0, [row for row in rows if row["burst"] == _HOURLY]),
    )
    for panel, height, inside in panels:
        parts.append(panel(inside, top))
        top += height or TOP + ROW * len(inside) + 18
    summary = "Instances, time of a page and cost per million pages on four kinds of hosts; figures are in the table"
    return framed("".join(parts), top, summary)


def _heads(top: int, head: str, below: str) -> str:
    return text(24, top + 18, head, "ink head") + text(24, top + 35, below, "quiet")


def _over_time(rows: Sequence[Row], top: int) -> str:
    """A line for each host and software, on a logarithmic scale from one instance up."""
    lines = [
        _heads(
            top,
            f"Instances, {BURST_TITLES[_RISING]}",
            "by seconds, logarithmic scale; the fleet is for 10,000 pages/s",
        )
    ]
    shown = [row for row in rows if row["host"] in _LINES]
    if not shown:
        return "".join(lines)
    decades = math.ceil(math.log10(max(max(row["instances"]["counts"]) for row in shown)))
    upper, lower = top + TOP, top + TOP + _LINES_HEIGHT - 20

    def y_of(count: float) -> float:
        return round(lower - math.log10(max(count, 1)) / decades * (lower - upper), 1)

    right = WIDTH - _LINES_RIGHT
    for tick in (10**power for power in range(decades + 1)):
        y = y_of(tick)
        lines.append(f'<line class="rule" x1="{_LINES_LEFT}" y1="{y}" x2="{right}" y2="{y}"/>\n')
        lines.append(text(_LINES_LEFT - 8, y + 4, f"{tick:,}", "quiet", "end"))
    span = shown[0]["instances"]["every_s"] * len(shown[0]["instances"]["counts"])
    for second in range(0, round(span) + 1, 10):
        x = round(_LINES_LEFT + second / span * (right - _LINES_LEFT), 1)
        lines.append(text(x, lower + 18, str(second), "quiet", "middle"))
    # Ours last, so that it is above the others.
    for row in sorted(shown, key=lambda row: row["name"] == "bff"):
        lines.append(_line(row, y_of, span, right))
    return "".join([*lines, *_labels(shown, y_of, right + 8)])


def _line(row: Row, y_of: Callable[[float], float], span: float, right: float) -> str:
    every, counts = row["instances"]["every_s"], row["instances"]["counts"]
    points = " ".join(
        f"{round(_LINES_LEFT + (number + 1) * every / span * (right - _LINES_LEFT), 1)},{y_of(count)}"
        for number, count in enumerate(counts)
    )
    return f'<polyline class="span" fill="none" stroke-width="2" points="{points}"/>'.join(_around(row))


def _labels(rows: Sequence[Row], y_of: Callable[[float], float], x: float) -> list[str]:
    """The names of the lines at their ends, moved down where they would cover each other."""
    labels: list[str] = []
    lowest = 0.0
    for row in sorted(rows, key=lambda row: y_of(row["instances"]["counts"][-1])):
        count = row["instances"]["counts"][-1]
        lowest = max(lowest + _LABEL_HEIGHT, y_of(count) + 4)
        named = f"{_HOSTS[row['host']].partition(' ')[0]}, {_NAMES[row['name']]}: {count}"
        labels.append(text(x, round(lowest, 1), named, "ink").join(_around(row)))
    return labels


def _around(row: Row) -> tuple[str, str]:
    """What is before and after the parts of a row: it marks ours."""
    return '<g class="ours">' if row["name"] == "bff" else "<g>", "</g>\n"


def _times(rows: Sequence[Row], top: int) -> str:
    """From p50 to p99, and how many failed."""
    head = f"Milliseconds of a page, p50 to p99, {BURST_TITLES[_AT_ONCE]}"
    lines = [_heads(top, head, "pages that failed at the right; logarithmic scale, less is better")]
    if not rows:
        return "".join(lines)
    ticks = ticks_over(min(row["p50_ms"] for row in rows), max(row["p99_ms"] for row in rows))
    lines.append(_rules(ticks, top, len(rows)))
    for number, row in enumerate(rows):
        y = top + TOP + ROW * number + 10
        left, right = x_of(row["p50_ms"], ticks), x_of(row["p99_ms"], ticks)
        span = f'<line class="span" x1="{left}" y1="{y}" x2="{right}" y2="{y}" stroke-width="2"/>'
        dots = "".join(f'<circle class="dot" cx="{x}" cy="{y}" r="{r}"/>' for x, r in ((left, 5), (right, 3)))
        failed = text(WIDTH - 16, y + 4, failed_share(row) if row["failed"] else "", "ink", "end")
        lines.append(f"{_name(row, y)}{span}{dots}{failed}".join(_around(row)))
    return "".join(lines)


def _costs(rows: Sequence[Row], top: int) -> str:
    """From the burst that never ends to the one that comes once an hour."""
    head = f"Dollars per million pages, {BURST_TITLES[_HOURLY]}"
    lines = [
        _heads(
            top,
            head,
            "dot: such a burst once an hour, other end: on and on; logarithmic scale, less is better",
        )
    ]
    if not rows:
        return "".join(lines)
    values = [row[column] for row in rows for column in ("usd_per_million", "usd_per_million_busy")]
    ticks = ticks_over(min(values), max(values))
    lines.append(_rules(ticks, top, len(rows)))
    for number, row in enumerate(rows):
        y = top + TOP + ROW * number + 10
        left, right = (x_of(row[column], ticks) for column in ("usd_per_million_busy", "usd_per_million"))
        span = f'<line class="span" x1="{left}" y1="{y}" x2="{right}" y2="{y}" stroke-width="2"/>'
        dot = f'<circle class="dot" cx="{right}" cy="{y}" r="5"/>'
        shown = text(right + 10, y + 4, figure(row["usd_per_million"]), "ink")
        lines.append(f"{_name(row, y)}{span}{dot}{shown}".join(_around(row)))
    return "".join(lines)


def _rules(ticks: Sequence[float], top: int, rows: int) -> str:
    bottom = top + TOP + ROW * rows
    lines: list[str] = []
    for tick in ticks:
        x = x_of(tick, ticks)
        lines.append(f'<line class="rule" x1="{x}" y1="{top + TOP - 8}" x2="{x}" y2="{bottom - 4}"/>\n')
        # 2 and 5 have no room between three or more powers of ten.
        if math.log10(tick).is_integer():
            lines.append(text(x, top + TOP - 13, f"{tick:,g}", "quiet", "middle"))
    return "".join(lines)


def _name(row: Row, y: int) -> str:
    return text(24, y + 4, f"{_HOSTS[row['host']]}, {_NAMES[row['name']]}", "ink")
