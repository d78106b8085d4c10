"""The chart of the pages: a dot for each peer on a logarithmic scale, with a line from its worst to its best round."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from benchmarks.lineup import PEERS

WIDTH, ROW, TOP, LEFT, RIGHT = 760, 26, 62, 264, 70
_TITLES = {peer.name: peer.title for peer in PEERS}
# Ground and ink change together, so that the chart can be read on a page of either kind.
STYLE = """
  .ground { fill: #ffffff; stroke: #d0d7de } .ink { fill: #1f2328 } .quiet { fill: #59636e }
  .rule { stroke: #e2e6ea } .span { stroke: #8c959f } .dot { fill: #59636e }
  .ours .dot { fill: #0969da } .ours .span { stroke: #0969da } .ours .ink { fill: #0969da; font-weight: 600 }
  text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif } .head { font-size: 14px; font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117; stroke: #30363d } .ink { fill: #e6edf3 } .quiet { fill: #9198a1 }
    .rule { stroke: #262c34 } .span { stroke: #6e7681 } .dot { fill: #9198a1 }
    .ours .dot { fill: #58a6ff } .ours .span { stroke: #58a6ff } .ours .ink { fill: #58a6ff }
  }
"""


@dataclass(frozen=True)
class Panel:
    """One figure of one load; `more` says whether more is better."""

    head: str
    column: str
    users: int
    backend_ms: int
    more: bool


PANELS = (
    Panel("CPU seconds per 1000 pages, 50 users, instant backends", "cpu_s_per_1000", 50, 0, False),
    Panel("Pages per second, 200 users, 20 ms backends", "pages_per_s", 200, 20, True),
    Panel("p99 in ms, 200 users, 20 ms backends", "p99_ms", 200, 20, False),
)


def drawn(rows: Sequence[Mapping[str, Any]]) -> str:
    """The SVG of all panels, with the rows of the form `same`."""
    parts: list[str] = []
    top = 16
    for panel in PANELS:
        inside = [
            row
            for row in rows
            if (row["work"], row["users"], row["backend_ms"]) == ("same", panel.users, panel.backend_ms)
            and row[panel.column]
        ]
        parts.append(_panel(panel, inside, top))
        top += _height(len(inside))
    return framed("".join(parts), top, _summary(rows))


def framed(inside: str, height: int, summary: str) -> str:
    """A whole SVG with its ground, for parts drawn on it; the summary is for who cannot see it."""
    label = escape(summary, {'"': "&quot;"})
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        f'role="img" aria-label="{label}">\n<style>{STYLE}</style>\n'
        f'<rect class="ground" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>\n'
        f"{inside}</svg>\n"
    )


def _height(rows: int) -> int:
    return TOP + ROW * max(1, rows) + 18


def _summary(rows: Sequence[Mapping[str, Any]]) -> str:
    heads = "; ".join(panel.head for panel in PANELS)
    return f"{heads}; every peer with the same work" if rows else "not measured yet"


def _panel(panel: Panel, rows: Sequence[Mapping[str, Any]], top: int) -> str:
    better = "more is better" if panel.more else "less is better"
    lines = [
        text(24, top + 18, panel.head, "ink head"),
        text(
            24, top + 35, f"same work, logarithmic scale, {better}" if rows else "not measured yet", "quiet"
        ),
    ]
    if not rows:
        return "".join(lines)
    ordered = sorted(rows, key=lambda row: row[panel.column], reverse=panel.more)
    ends = [end for row in ordered for end in (row["spread"][panel.column] or [row[panel.column]]) if end]
    ticks = ticks_over(min(ends), max(ends))
    bottom = top + TOP + ROW * len(ordered)
    for tick in ticks:
        x = x_of(tick, ticks)
        lines.append(f'<line class="rule" x1="{x}" y1="{top + TOP - 8}" x2="{x}" y2="{bottom - 4}"/>\n')
        lines.append(text(x, top + TOP - 13, f"{tick:,g}", "quiet", "middle"))
    for number, row in enumerate(ordered):
        lines.append(_row(row, panel.column, ticks, top + TOP + ROW * number + 10))
    return "".join(lines)


def _row(row: Mapping[str, Any], column: str, ticks: Sequence[float], y: int) -> str:
    least, most = row["spread"][column] or (row[column], row[column])
    left, at, right = (x_of(max(value, ticks[0]), ticks) for value in (least, row[column], most))
    ours = ' class="ours"' if row["name"] == "bff" else ""
    value = row[column]
    shown = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return (
        f"<g{ours}>{text(24, y + 4, _TITLES.get(row['name'], row['name']), 'ink')}"
        f'<line class="span" x1="{left}" y1="{y}" x2="{right}" y2="{y}" stroke-width="2"/>'
        f'<circle class="dot" cx="{at}" cy="{y}" r="5"/>'
        f"{text(right + 10, y + 4, shown, 'ink')}</g>\n"
    )


def ticks_over(least: float, most: float) -> list[float]:
    """1, 2 and 5 of each power of ten, from the last below `least` to the first above `most`."""
    powers = range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
    steps = [float(f"{digit}e{power}") for power in powers for digit in (1, 2, 5)]
    below = max((step for step in steps if step <= least), default=steps[0])
    above = min((step for step in steps if step >= most and step > below), default=steps[-1])
    return [step for step in steps if below <= step <= above]


def x_of(value: float, ticks: Sequence[float]) -> float:
    """Where a value is from left to right, between the first tick and the last."""
    share = math.log(value / ticks[0]) / math.log(ticks[-1] / ticks[0])
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


def text(x: float, y: float, words: str, kind: str, anchor: str = "start") -> str:
    """Words at a place, of the class `kind`."""
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{escape(words)}</text>\n'
