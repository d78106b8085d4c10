"""A page's drawing as SVG, which every browser shows and no program is needed for."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from bff.explaining.layout import CHARACTER, LINE, MARGIN, PADDING, Box, Layout, Point, Route, laid_out
from bff.explaining.nodes import Drawing, Node
from bff.text import width

_STYLE = """
  text { font: 12px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #1d2430 }
  .title { font-weight: bold; font-size: 14px }
  .name { font-weight: bold }
  .detail { fill: #4a5568 }
  .box { fill: #f7f9fc; stroke: #4a5568; stroke-width: 1.2 }
  .write { fill: #fff3dc }
  .value { fill: #eef6ee }
  .guard { fill: #f2eefb }
  .page { fill: #e8f0fe; stroke-width: 1.8 }
  .optional { stroke-dasharray: 5 3 }
  .critical { stroke: #b3261e; stroke-width: 2.2 }
  .late { fill: #b3261e }
  .edge { fill: none; stroke: #4a5568; stroke-width: 1.2 }
  .barrier { stroke-dasharray: 2 4 }
  .edge.critical { stroke: #b3261e; stroke-width: 2.2 }
"""
_TITLE = 34.0
_LEGEND_ROW = 24.0
_SAMPLE = 26.0


def svg(drawing: Drawing) -> str:
    """The whole file."""
    layout = laid_out(drawing)
    legend = list(_legend(drawing))
    title = 2 * MARGIN + width(drawing.title) * CHARACTER * 14 / 12
    across = max(layout.width, title, _legend_width(legend))
    down = _TITLE + layout.height + len(legend) * _LEGEND_ROW + (MARGIN if legend else 0)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{across:.0f}" height="{down:.0f}"'
        f' viewBox="0 0 {across:.0f} {down:.0f}" role="img">',
        f"<title>{escape(drawing.title)}</title>",
        f"<style>{_STYLE}</style>",
        f"<defs>{_marker('end', '#4a5568')}{_marker('critical-end', '#b3261e')}</defs>",
        f'<rect width="{across:.0f}" height="{down:.0f}" fill="#ffffff"/>',
        f'<text class="title" x="{MARGIN:.0f}" y="{_TITLE - 6:.0f}">{escape(drawing.title)}</text>',
        f'<g class="steps" transform="translate(0 {_TITLE:.0f})">',
        *_body(layout),
        "</g>",
        f'<g transform="translate({MARGIN:.0f} {_TITLE + layout.height:.0f})">',
        *(_legend_line(row, *entry) for row, entry in enumerate(legend)),
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _body(layout: Layout) -> Iterator[str]:
    for route in sorted(layout.routes, key=lambda one: one.edge.critical):
        yield _arrow(route)
    for box in layout.boxes:
        yield from _box(box)


def _marker(name: str, colour: str) -> str:
    """The point of an arrow, of one size for lines of any width."""
    size = 'markerUnits="userSpaceOnUse" markerWidth="9" markerHeight="9" orient="auto"'
    return (
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7.5" refY="4" {size}>'
        f'<path d="M0 0L8 4L0 8z" fill="{colour}"/></marker>'
    )


def _arrow(route: Route) -> str:
    names = [name for name in ("barrier", "critical") if getattr(route.edge, name)]
    marker = "critical-end" if route.edge.critical else "end"
    return (
        f'<path class="{" ".join(["edge", *names])}" marker-end="url(#{marker})" d="{_curve(route.points)}"/>'
    )


def _curve(points: tuple[Point, ...]) -> str:
    """The arrow's way: along its lanes, and in a bow from each to the next."""
    parts = [f"M{_at(points[0])}"]
    for at in range(1, len(points), 2):
        parts.append(f"L{_at(points[at])}")
        if at + 1 < len(points):
            (x, y), (next_x, next_y) = points[at], points[at + 1]
            middle = (x + next_x) / 2
            parts.append(f"C{_at((middle, y))} {_at((middle, next_y))} {_at((next_x, next_y))}")
    return "".join(parts)


def _at(point: Point) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"


def _box(box: Box) -> Iterator[str]:
    yield _outline(box.node, box.x, box.y, box.width, box.height)
    for at, line in enumerate(box.node.lines):
        names = ["name" if at == 0 else "detail", *(["late"] if box.node.late and at == 1 else [])]
        x, y = box.x + PADDING, box.y + PADDING + LINE * at + 10
        yield f'<text class="{" ".join(names)}" x="{x:.1f}" y="{y:.1f}">{escape(line)}</text>'


def _outline(node: Node, x: float, y: float, across: float, down: float) -> str:
    names = [name for name in ("optional", "critical") if getattr(node, name)]
    kind = " ".join(["box", node.kind, *names])
    round_by = {"value": 12, "page": 16, "guard": 0}.get(node.kind, 3)
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{across:.1f}" height="{down:.1f}" rx="{round_by}"/>'


# --- what the looks mean -----------------------------------------------------------------------------------------


def _legend(drawing: Drawing) -> Iterator[tuple[str, str]]:
    """A sample of each look that occurs, at the top left, with what it means."""
    nodes = drawing.nodes
    if any(node.kind == "write" for node in nodes):
        yield _sample(Node("", "write", ())), "a write: runs in the order written"
    if any(node.kind == "guard" for node in nodes):
        yield _sample(Node("", "guard", ())), "a guard: ends the page unless it holds"
    if any(node.optional for node in nodes):
        yield _sample(Node("", "read", (), optional=True)), "has a fallback: the page goes on without it"
    if any(node.critical for node in nodes):
        yield _sample(Node("", "read", (), critical=True)), "the critical path: what takes longest at worst"
    if any(edge.barrier for edge in drawing.edges):
        line = f'<path class="edge barrier" d="M0 7L{_SAMPLE:g} 7"/>'
        yield line, "a wait for what it does not read, because of a write"
    if any(node.late for node in nodes):
        yield '<text class="late" x="5" y="11">2s</text>', "a time-out that the deadline may cut off"


def _sample(node: Node) -> str:
    return _outline(node, 0, 0, _SAMPLE, 14)


def _legend_width(legend: list[tuple[str, str]]) -> float:
    return max([width(text) * CHARACTER + _SAMPLE + 10 + 2 * MARGIN for _, text in legend], default=0.0)


def _legend_line(row: int, sample: str, text: str) -> str:
    told = f'<text class="detail" x="{_SAMPLE + 10:g}" y="11">{escape(text)}</text>'
    return f'<g transform="translate(0 {row * _LEGEND_ROW:g})">{sample}{told}</g>'
