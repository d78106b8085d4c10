"""The page of the figures and its chart are what the results say."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks import chart, pages_report, report


def row(name: str, pages: float, cpu: float = 1.0, **more: Any) -> dict[str, Any]:
    figures = {"pages_per_s": pages, "cpu_s_per_1000": cpu, "p50_ms": 41.2, "p99_ms": 80.0, "memory_mb": 64.0}
    return {
        "name": name,
        "work": "same",
        "users": 200,
        "backend_ms": 20,
        **figures,
        "errors": 0,
        "spread": {column: [value * 0.9, value * 1.1] for column, value in figures.items()},
        "rounds": 5,
        "load_core": 0.31,
        **more,
    }


def test_the_page_in_docs_is_what_the_results_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert report.main(["--check"]) == 0, capsys.readouterr().out


def test_a_block_is_filled_and_the_rest_is_left() -> None:
    text = "before\n<!-- figures: same work -->\nold\n<!-- end -->\nafter\n"
    found = {"pages": [row("bff", 1234.5, 0.61), row("fastify-undici", 1500, errors=2)]}
    filled = report.filled(text, found)
    assert filled == (
        "before\n<!-- figures: same work -->\n\n"
        "|  | 200 users, 20 ms |\n| --- | ---: |\n"
        "| **bff** | 1,234 · 0.61 · 80 |\n"
        "| Fastify 5 + undici | 1,500 · 1 · 80 · 2 errors |\n"
        "\n<!-- end -->\nafter\n"
    )
    assert report.filled(filled, found) == filled


def test_a_block_without_results_says_so() -> None:
    text = "<!-- figures: cold start -->\n<!-- end -->\n"
    assert report.filled(text, {}) == "<!-- figures: cold start -->\n\nNot measured yet.\n\n<!-- end -->\n"


def test_an_unknown_block_is_an_error() -> None:
    with pytest.raises(KeyError, match="guesses"):
        report.filled("<!-- figures: guesses -->\n<!-- end -->\n", {})


def test_losses_name_who_is_better_and_by_how_much() -> None:
    rows = [
        row("bff", 1000, 1.0),
        row("fastify-undici", 1500, 0.5),
        row("flask-requests", 200, 4.0),
        row("limit", 9000, 0.1),
        row("fastapi-aiohttp", 3000, 9.0, errors=5),
    ]
    assert pages_report.losses({"pages": rows}) == (
        "- 200 users, 20 ms, pages per second: Fastify 5 + undici 1.50 ×\n"
        "- 200 users, 20 ms, CPU per page: Fastify 5 + undici 2.00 ×\n"
    )
    assert pages_report.losses({"pages": rows[:1]}) == "Nowhere among these figures.\n"


def test_growth_is_from_four_calls_to_thirty_two() -> None:
    assert report.growth({("bff", 4): 300.0, ("bff", 32): 1420.0}, "bff") == 40
    assert report.growth({("bff", 4): None, ("bff", 32): 1420.0}, "bff") is None


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "–"), (0.0, "0"), (0.6123, "0.612"), (41.25, "41.2"), (12345.0, "12,345")]
)
def test_figures_are_shown_with_three_digits(value: float | None, shown: str) -> None:
    assert report.figure(value) == shown


def test_the_chart_has_a_dot_for_each_peer_and_the_best_first() -> None:
    rows = [row("bff", 1003), row("fastify-undici", 1507), row("flask-requests", 20)]
    drawn = chart.drawn(rows)
    root = ElementTree.fromstring(drawn)
    names = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text") if text.text]
    first = names.index("Pages per second, 200 users, 20 ms backends")
    wanted = ["Fastify 5 + undici", "1,507", "this layer, granian", "1,003"]
    assert [name for name in names[first:] if name in wanted][:4] == wanted
    assert drawn.count("<circle") == 6
    assert drawn == chart.drawn(rows)


def test_a_chart_of_nothing_says_so() -> None:
    assert ElementTree.fromstring(chart.drawn([])).attrib["aria-label"] == "not measured yet"


@pytest.mark.parametrize(
    ("least", "most", "ticks"),
    [
        (0.3, 4.0, [0.2, 0.5, 1, 2, 5]),
        (1000, 1000, [1000, 2000]),
        (16, 5500, [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000]),
    ],
)
def test_ticks_hold_all_values(least: float, most: float, ticks: list[float]) -> None:
    assert chart.ticks_over(least, most) == pytest.approx(ticks)
