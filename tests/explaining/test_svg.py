"""The drawing of a page: well-formed, as large as its texts, and without overlap."""

from __future__ import annotations

import random
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bff.explaining.layout import LANE, PADDING, Box, Layout, Point, Route, laid_out
from bff.explaining.nodes import PAGE, Drawing, Edge, Node, drawing_of
from bff.explaining.subject import subject_of
from bff.explaining.svg import svg
from tests.explaining.project import TEN, page_of
from tests.explaining.test_ten_recipes import OWN, ROOT

RANDOM = [f"random_{seed}" for seed in range(30)]
SVG = "{http://www.w3.org/2000/svg}"
STEPS = 40


@pytest.fixture(params=[*TEN, *(f"own_{page}" for page in OWN), *RANDOM])
def drawing(request: pytest.FixtureRequest, ten: Path) -> Drawing:
    """The drawing of each of the ten recipes, of the app's own pages, and of steps at random."""
    if request.param in RANDOM:
        return at_random(RANDOM.index(request.param))
    own = request.param.startswith("own_")
    page = request.param.removeprefix("own_") if own else page_of(request.param)
    return drawing_of(subject_of(ROOT if own else ten, page))


def at_random(seed: int) -> Drawing:
    """Up to fifteen steps, each of which waits for some of those before it."""
    dice = random.Random(seed)
    names = [f"step{number}" for number in range(dice.randint(1, 15))]
    nodes = [
        Node(name, dice.choice(("read", "write", "value", "guard")), (name,) * dice.randint(1, 4))
        for name in names
    ]
    edges = [
        Edge(other, name) for at, name in enumerate(names) for other in names[:at] if dice.random() < 0.25
    ]
    edges += [Edge(name, PAGE) for name in names if dice.random() < 0.5]
    return Drawing("at random", (*nodes, Node(PAGE, "page", ("GET /api/page",))), tuple(edges))


def overlap(one: Box, other: Box) -> bool:
    across = one.x < other.x + other.width and other.x < one.x + one.width
    return across and one.y < other.y + other.height and other.y < one.y + one.height


def on_the_way(route: Route) -> list[Point]:
    """Points of an arrow as it is drawn: straight along its lanes, in a bow of Bézier from each to the next."""
    found: list[Point] = [route.points[0]]
    for at in range(1, len(route.points)):
        (x, y), (next_x, next_y) = route.points[at - 1], route.points[at]
        middle = (x + next_x) / 2
        for step in range(1, STEPS + 1):
            t = step / STEPS
            if at % 2:
                found.append((x + (next_x - x) * t, y + (next_y - y) * t))
            else:
                a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
                found.append(
                    ((a + d * 0) * x + (b + c) * middle + d * next_x, (a + b) * y + (c + d) * next_y)
                )
    return found


def inside(point: Point, box: Box) -> bool:
    return box.x < point[0] < box.x + box.width and box.y < point[1] < box.y + box.height


def test_no_box_covers_another(drawing: Drawing) -> None:
    boxes = laid_out(drawing).boxes
    assert [(a.node.name, b.node.name) for a, b in combinations(boxes, 2) if overlap(a, b)] == []


def test_no_arrow_crosses_a_box(drawing: Drawing) -> None:
    layout = laid_out(drawing)
    crossed = {
        (route.edge.source, route.edge.target, box.node.name)
        for route in layout.routes
        for box in layout.boxes
        for point in on_the_way(route)
        if inside(point, box)
    }
    assert crossed == set()


def test_arrows_over_several_columns_have_lanes_of_their_own(drawing: Drawing) -> None:
    lanes = [
        (x, y)
        for route in laid_out(drawing).routes
        for (x, y), (_, end) in zip(route.points[2:-1:2], route.points[3::2], strict=False)
        if y == end
    ]
    for (x, y), (other_x, other_y) in combinations(lanes, 2):
        assert x != other_x or abs(y - other_y) >= LANE


def test_arrows_lead_to_the_right_from_edge_to_edge(drawing: Drawing) -> None:
    layout = laid_out(drawing)
    boxes = {box.node.name: box for box in layout.boxes}
    for route in layout.routes:
        source, target = boxes[route.edge.source], boxes[route.edge.target]
        assert route.points[0] == (source.x + source.width, source.y + source.height / 2)
        assert route.points[-1] == (target.x, target.y + target.height / 2)
        assert [x for x, _ in route.points] == sorted(x for x, _ in route.points)


def test_all_of_it_lies_within_the_picture(drawing: Drawing) -> None:
    layout = laid_out(drawing)
    points = [point for route in layout.routes for point in route.points]
    points += [(box.x, box.y) for box in layout.boxes]
    points += [(box.x + box.width, box.y + box.height) for box in layout.boxes]
    assert all(0 <= x <= layout.width and 0 <= y <= layout.height for x, y in points)
    root = ElementTree.fromstring(svg(drawing))
    assert float(root.attrib["width"]) >= round(layout.width)
    assert float(root.attrib["height"]) >= round(layout.height)


def test_it_is_well_formed_and_holds_every_text(drawing: Drawing) -> None:
    root = ElementTree.fromstring(svg(drawing))
    assert root.tag == f"{SVG}svg"
    written = [text.text for text in root.iter(f"{SVG}text")]
    lines = [line for node in drawing.nodes for line in node.lines]
    assert written[: len(lines) + 1] == [drawing.title, *lines]
    barriers = any(edge.barrier for edge in drawing.edges)
    assert (
        len(list(root.iter(f"{SVG}path"))) == len(drawing.edges) + 2 + barriers
    )  # and the points of two kinds, and a sample


def two(name: str, *more: str) -> Layout:
    nodes = (Node(name, "read", (name, *more)), Node("b", "write", ("b",)), Node(PAGE, "page", ("GET /",)))
    return laid_out(Drawing("page", nodes, (Edge(name, PAGE), Edge("b", PAGE))))


def test_a_box_grows_with_its_longest_line_and_their_number() -> None:
    short, long = two("a"), two("a" * 30, "x", "y")
    assert long.boxes[0].width - short.boxes[0].width == pytest.approx(29 * 7.4)
    assert long.boxes[0].height - short.boxes[0].height == 34
    assert short.boxes[0].width == pytest.approx(7.4 + 2 * PADDING)


def test_wide_characters_take_two_columns() -> None:
    assert two("中文").boxes[0].width == two("abcd").boxes[0].width


def test_what_xml_reads_is_written_as_text() -> None:
    drawing = Drawing(
        "a < b & c", (Node("a", "read", ("a", "<b> & 'c'")), Node(PAGE, "page", ("GET /",))), ()
    )
    root = ElementTree.fromstring(svg(drawing))
    assert [text.text for text in root.iter(f"{SVG}text")] == ["a < b & c", "a", "<b> & 'c'", "GET /"]
