"""Where each box of a drawing stands and each arrow runs: in columns by what waits for what, without overlap.

An arrow over several columns has a lane of its own in each column between, as if a low box stood there. So arrows bend
in the gaps between columns only, and cross no box.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bff.explaining.nodes import PAGE, Drawing, Edge, Node
from bff.text import width

CHARACTER, LINE = 7.4, 17.0
"""The width of a character and the height of a line, in pixels, of the fonts that a drawing is written in."""
PADDING, GAP, SPACE, LANE, MARGIN = 12.0, 64.0, 22.0, 12.0, 24.0
_SWEEPS = 6

Point = tuple[float, float]
_Slot = tuple[str, str] | str
"""What stands in a column: a box by its name, or the lane of an arrow by its ends."""


@dataclass(frozen=True, slots=True)
class Box:
    """The place of a node."""

    node: Node
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Route:
    """The way of an arrow: from point to point, in turn across a gap and straight along a lane."""

    edge: Edge
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Every box and arrow with its place, and the size of all of it."""

    boxes: tuple[Box, ...]
    routes: tuple[Route, ...]
    width: float
    height: float


def laid_out(drawing: Drawing) -> Layout:
    """The places of a drawing's boxes and arrows."""
    depths = _depths(drawing)
    columns = _ordered(_columns(drawing, depths), drawing.edges, depths)
    sizes = {node.name: _size(node) for node in drawing.nodes}
    heights = [sum(_height(slot, sizes) + SPACE for slot in column) - SPACE for column in columns]
    widths = [max(sizes[slot][0] for slot in column if isinstance(slot, str)) for column in columns]
    middle = MARGIN + max(heights) / 2
    tops: dict[tuple[int, _Slot], float] = {}
    lefts: list[float] = []
    left = MARGIN
    for at, column in enumerate(columns):
        lefts.append(left)
        top = middle - heights[at] / 2
        for slot in column:
            tops[at, slot] = top
            top += _height(slot, sizes) + SPACE
        left += widths[at] + GAP
    boxes = [
        Box(node, lefts[depths[node.name]], tops[depths[node.name], node.name], *sizes[node.name])
        for node in drawing.nodes
    ]
    placed = {box.node.name: box for box in boxes}
    routes = [Route(edge, _points(edge, placed, depths, tops, lefts, widths)) for edge in drawing.edges]
    return Layout(tuple(boxes), tuple(routes), left - GAP + MARGIN, max(heights) + 2 * MARGIN)


def _depths(drawing: Drawing) -> Mapping[str, int]:
    """The column of each box: one behind the last that it waits for; the answer stands behind all."""
    depths = {node.name: 0 for node in drawing.nodes}
    for _ in drawing.nodes:
        for edge in drawing.edges:
            depths[edge.target] = max(depths[edge.target], depths[edge.source] + 1)
    depths[PAGE] = max([depth for name, depth in depths.items() if name != PAGE], default=-1) + 1
    return depths


def _columns(drawing: Drawing, depths: Mapping[str, int]) -> list[list[_Slot]]:
    columns: list[list[_Slot]] = [[] for _ in range(max(depths.values()) + 1)]
    for node in drawing.nodes:
        columns[depths[node.name]].append(node.name)
    for edge in drawing.edges:
        for at in range(depths[edge.source] + 1, depths[edge.target]):
            columns[at].append((edge.source, edge.target))
    return columns


def _ordered(
    columns: list[list[_Slot]], edges: Sequence[Edge], depths: Mapping[str, int]
) -> list[list[_Slot]]:
    """The columns with neighbours close to each other: each slot near the mean place of those that it is tied to."""
    chains = [_chain(edge, depths) for edge in edges]
    links = [
        (at + depths[edge.source], pair)
        for edge, chain in zip(edges, chains, strict=True)
        for at, pair in enumerate(pairwise(chain))
    ]
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        order = range(1, len(columns)) if forward else range(len(columns) - 2, -1, -1)
        for at in order:
            near = at - 1 if forward else at + 1
            places = {slot: place for place, slot in enumerate(columns[near])}
            tied: dict[_Slot, list[int]] = {}
            for begin, (source, target) in links:
                if begin == min(at, near):
                    slot, other = (target, source) if forward else (source, target)
                    tied.setdefault(slot, []).append(places[other])
            own = {slot: place for place, slot in enumerate(columns[at])}
            columns[at].sort(key=lambda slot: (_mean(tied.get(slot, [own[slot]])), own[slot]))
    return columns


def _mean(places: list[int]) -> float:
    return sum(places) / len(places)


def _chain(edge: Edge, depths: Mapping[str, int]) -> list[_Slot]:
    """The slots that an arrow goes through, its ends among them."""
    between: list[_Slot] = [(edge.source, edge.target)] * (depths[edge.target] - depths[edge.source] - 1)
    return [edge.source, *between, edge.target]


def _size(node: Node) -> tuple[float, float]:
    longest = max(map(width, node.lines))
    return longest * CHARACTER + 2 * PADDING, len(node.lines) * LINE + 2 * PADDING - 4


def _height(slot: _Slot, sizes: Mapping[str, tuple[float, float]]) -> float:
    return sizes[slot][1] if isinstance(slot, str) else LANE


def _points(
    edge: Edge,
    boxes: Mapping[str, Box],
    depths: Mapping[str, int],
    tops: Mapping[tuple[int, _Slot], float],
    lefts: Sequence[float],
    widths: Sequence[float],
) -> tuple[Point, ...]:
    source, target = boxes[edge.source], boxes[edge.target]
    begin = depths[edge.source]
    y = source.y + source.height / 2
    points = [(source.x + source.width, y)]
    if source.width < widths[begin]:
        points.append((lefts[begin] + widths[begin], y))
    else:
        points.append(points[0])
    for at in range(begin + 1, depths[edge.target]):
        y = tops[at, (edge.source, edge.target)] + LANE / 2
        points += [(lefts[at], y), (lefts[at] + widths[at], y)]
    points.append((target.x, target.y + target.height / 2))
    return tuple(points)
