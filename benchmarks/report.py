"""Writes the figures of `benchmarks/results.json` into the pages of docs/ that show them, and draws their charts.

`python benchmarks/report.py` rewrites what stands between `<!-- figures: NAME -->` and `<!-- end -->`;
`--check` only says whether that is as it should be. The same results always give the same text.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import chart, hosts_report, pages_report, results, scale_chart, scale_report, sick_report
from benchmarks.lineup import ROOT
from benchmarks.tables import NOT_YET, counted, figure, grid, table, title

PAGES = tuple(ROOT / "docs" / f"{name}.md" for name in ("performance", "loads", "starts", "scale"))
CHART = ROOT / "docs" / "images" / "performance.svg"
SCALE_CHART = ROOT / "docs" / "images" / "scale.svg"
_BLOCK = re.compile(r"(<!-- figures: ([\w ]+) -->\n).*?(<!-- end -->)", re.S)

Results = Mapping[str, Any]


def fan_out_table(found: Results) -> str:
    """CPU microseconds by number of calls, and what each call beyond four adds."""
    cells = {(row["name"], row["calls"]): row["cpu_us"] for row in found["fan_out"]}
    columns = sorted({column for _, column in cells})
    names = list(dict.fromkeys(name for name, _ in cells))
    body = [
        [title(name), *(figure(cells.get((name, column))) for column in columns), figure(growth(cells, name))]
        for name in names
    ]
    return table(["CPU µs a page", *(str(column) for column in columns), "each beyond 4"], body)


def growth(cells: Mapping[tuple[str, int], float | None], name: str) -> float | None:
    """CPU microseconds that a further call costs, from 4 calls to 32."""
    few, many = cells.get((name, 4)), cells.get((name, 32))
    return None if few is None or many is None else max(0.0, (many - few) / 28)


def sizes_table(found: Results) -> str:
    return grid({(row["name"], row["reply_kb"]): row["cpu_us"] for row in found["sizes"]}, "{} KB".format)


def list_table(found: Results) -> str:
    """Requests to the backend for one page, and how long one user waits for it on slow backends."""
    head = ["100 items, another person on each", "", "requests", "median page, ms", "CPU ms a page"]
    lines = [
        [
            title(row["name"]),
            row["way"].replace("-", " "),
            str(row["upstream_requests"]),
            figure(row["p50_ms"]),
            figure(row["cpu_s_per_1000"]),
        ]
        for row in found["list"]
    ]
    return table(head, lines)


def cold_start_table(found: Results) -> str:
    lines = sorted(found["cold_start"], key=lambda row: row["first_page_ms"])
    return table(
        ["process start to first page", "ms", "least – most"],
        [[title(row["name"]), figure(row["first_page_ms"]), _spread(row, "first_page_ms")] for row in lines],
    )


def static_table(found: Results) -> str:
    return table(
        ["`ab -l -n 1000 -c 200`, index.html", "requests/s", "least – most", "failed"],
        [
            [
                title(row["name"]),
                figure(row["requests_per_s"]),
                _spread(row, "requests_per_s"),
                str(row["failed"]),
            ]
            for row in found["static"]
        ],
    )


def expressions_table(found: Results) -> str:
    return table(
        ["compiled expressions", "items", "× hand-written"],
        [
            [row["name"], f"{row['items']:,}", figure(row["times_hand_written"])]
            for row in found["expressions"]
        ],
    )


def _spread(row: Mapping[str, Any], column: str) -> str:
    least, most = row["spread"][column]
    return f"{figure(least)} – {figure(most)}"


def about(found: Results) -> str:
    """Where and when, and what the harness itself can carry."""
    shown = (
        "bff",
        "python",
        "node",
        "go",
        "granian",
        "fastify",
        "undici",
        "express",
        "@apollo/server",
        "fastapi",
    )
    shown += ("aiohttp", "httpx", "uvicorn", "flask", "requests", "gunicorn")
    known = found["versions"]
    named = ", ".join(f"{name} {known[name]}" for name in shown if name in known)
    stamp = found.get("parts", {}).get("pages")
    how = (
        f" Medians of {counted(stamp['rounds'], 'round')} of {stamp['seconds']:g} s, the peers taking turns."
        if stamp
        else ""
    )
    carried = next(
        (row["value"] for row in found.get("harness", []) if row["name"] == "pages_per_s_at_most"), None
    )
    busiest = max((row["load_core"] for row in found.get("pages", [])), default=None)
    harness = (
        f" The core of load and backend could carry {figure(carried)} pages/s; at most it was {busiest:.0%} busy."
        if carried and busiest is not None
        else ""
    )
    return f"{found['date']}, {found['machine']}. {named}.{how}{harness}\n"


BLOCKS: Mapping[str, tuple[str, Callable[[Results], str]]] = {
    "about": ("versions", about),
    "same work": ("pages", pages_report.pages_table),
    "memory": ("pages", pages_report.memory_table),
    "fan out": ("fan_out", fan_out_table),
    "sizes": ("sizes", sizes_table),
    "headers": ("headers", pages_report.headers_table),
    "app": ("app", pages_report.app_table),
    "list": ("list", list_table),
    "sick": ("sick", sick_report.sick_table),
    "cold start": ("cold_start", cold_start_table),
    "hosts": ("hosts", hosts_report.hosts_table),
    "lambda": ("lambda", hosts_report.lambda_table),
    "static": ("static", static_table),
    "expressions": ("expressions", expressions_table),
    "losses": ("pages", pages_report.losses),
    "scale": ("scale", scale_report.bursts_table),
    "scale losses": ("scale", scale_report.losses),
    "scale inputs": ("scale", scale_report.inputs_table),
    "scale constants": ("scale", scale_report.constants_table),
}


def filled(text: str, found: Results) -> str:
    """The page with its figures; raises KeyError for a block that nobody writes."""

    def block(match: re.Match[str]) -> str:
        part, write = BLOCKS[match[2]]
        written = write(found) if found.get(part) else NOT_YET
        return f"{match[1]}\n{written}\n{match[3]}"

    return _BLOCK.sub(block, text)


def main(argv: list[str] | None = None) -> int:
    """Write the pages and the charts, or with --check say whether they are right."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--results", type=Path, default=results.RESULTS)
    given = parser.parse_args(argv)
    found = results.read(given.results)
    if found:
        results.check(found)
    wanted = {
        **{page: filled(page.read_text("utf-8"), found) for page in PAGES},
        CHART: chart.drawn(found.get("pages", [])),
        SCALE_CHART: scale_chart.drawn(found.get("scale", [])),
    }
    old = [path for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in old:
        if given.check:
            print(f"{path.relative_to(ROOT)} is not what the results say: python benchmarks/report.py")
        else:
            path.write_text(wanted[path], "utf-8")
    return 1 if given.check and old else 0


if __name__ == "__main__":
    sys.exit(main())
