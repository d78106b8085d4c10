"""Writes the figures of `benchmarks/results.json` into docs/performance.md, and draws its charts.

`python benchmarks/report.py` rewrites what stands between `<!-- figures: NAME -->` and `<!-- end -->`;
`--check` only says whether that is as it should be. The same results always give the same text.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import chart, hosts_report, results, scale_chart, scale_report, sick_report
from benchmarks.lineup import ROOT
from benchmarks.tables import NOT_YET, counted, figure, table, title

PAGE = ROOT / "docs" / "performance.md"
CHART = ROOT / "docs" / "images" / "performance.svg"
SCALE_CHART = ROOT / "docs" / "images" / "scale.svg"
_BLOCK = re.compile(r"(<!-- figures: ([\w ]+) -->\n).*?(<!-- end -->)", re.S)

Results = Mapping[str, Any]
Rows = Sequence[Mapping[str, Any]]


def pages_table(found: Results, work: str) -> str:
    """One row for each peer; a cell holds pages per second · CPU ms a page · p99."""
    rows: Rows = [row for row in found["pages"] if row["work"] == work]
    columns = sorted({(row["backend_ms"], row["users"]) for row in rows})
    cells = {(row["name"], row["backend_ms"], row["users"]): row for row in rows}
    names = list(dict.fromkeys(row["name"] for row in rows))
    head = ["", *(f"{counted(users, 'user')}, {_backends(delay)}" for delay, users in columns)]
    return table(
        head, [[title(name), *(_cell(cells.get((name, *column))) for column in columns)] for name in names]
    )


def _cell(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "–"
    errors = f" · {counted(row['errors'], 'error')}" if row["errors"] else ""
    return f"{figure(row['pages_per_s'])} · {figure(row['cpu_s_per_1000'])} · {figure(row['p99_ms'])}{errors}"


def _backends(delay: int) -> str:
    return f"{delay} ms" if delay else "instant"


def memory_table(found: Results) -> str:
    """Megabytes of each peer in the form `same`, on slow backends where they were measured."""
    rows = [row for row in found["pages"] if row["work"] == "same"]
    delay = max((row["backend_ms"] for row in rows), default=0)
    cells = {(row["name"], row["users"]): row["memory_mb"] for row in rows if row["backend_ms"] == delay}
    return _grid(cells, lambda users: counted(users, "user"))


def latency_table(found: Results) -> str:
    """One user on slow backends: the median page, and what of it is over the two replies that it waits for."""
    rows = [
        row
        for row in found["pages"]
        if (row["work"], row["users"], row["backend_ms"]) == ("same", 1, 20) and row["p50_ms"] is not None
    ]
    if not rows:
        return NOT_YET
    reply = next((row["value"] for row in found.get("harness", []) if row["name"] == "delayed_reply_ms"), 20)
    lines = [[title(row["name"]), figure(row["p50_ms"]), f"{row['p50_ms'] - 2 * reply:.1f}"] for row in rows]
    return table(["one user, 20 ms backends", "median page, ms", f"over 2 × {reply:.1f} ms"], lines)


def _grid(cells: Mapping[tuple[str, int], float | None], head: Callable[[int], str]) -> str:
    columns = sorted({column for _, column in cells})
    names = list(dict.fromkeys(name for name, _ in cells))
    body = [[title(name), *(figure(cells.get((name, column))) for column in columns)] for name in names]
    return table(["", *(head(column) for column in columns)], body)


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
    return _grid({(row["name"], row["reply_kb"]): row["cpu_us"] for row in found["sizes"]}, "{} KB".format)


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
    shown = ("bff", "python", "node", "go", "granian", "fastify", "undici", "express", "@apollo/server", "fastapi")
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


# What is compared, how it is said, and whether more is better.
_COMPARED = (
    ("pages_per_s", "pages per second", True),
    ("cpu_s_per_1000", "CPU per page", False),
    ("p99_ms", "p99", False),
    ("memory_mb", "memory", False),
)


def losses(found: Results) -> str:
    """A line for each load and figure in which a peer with the same work is better than ours, the limit left out."""
    rows = [row for row in found["pages"] if row["work"] == "same" and row["name"] != "limit"]
    lines: list[str] = []
    for ours in (row for row in rows if row["name"] == "bff"):
        at = (ours["users"], ours["backend_ms"])
        others = [row for row in rows if (row["users"], row["backend_ms"]) == at and row is not ours]
        for column, said, more in _COMPARED:
            better = [
                f"{title(row['name'])} {times}"
                for row in others
                if (times := _times(ours, row, column, more))
            ]
            if better:
                lines.append(f"- {counted(at[0], 'user')}, {_backends(at[1])}, {said}: {', '.join(better)}\n")
    return "".join(lines) or "Nowhere among these figures.\n"


def _times(ours: Mapping[str, Any], other: Mapping[str, Any], column: str, more: bool) -> str:
    """By how much another is better; empty where it is not."""
    one, two = ours[column], other[column]
    if not one or not two or other["errors"] > ours["errors"]:
        return ""
    ratio = two / one if more else one / two
    return f"{ratio:.2f} ×" if ratio >= 1.01 else ""


BLOCKS: Mapping[str, tuple[str, Callable[[Results], str]]] = {
    "about": ("versions", about),
    "same work": ("pages", lambda found: pages_table(found, "same")),
    "bare": ("pages", lambda found: pages_table(found, "bare")),
    "memory": ("pages", memory_table),
    "one user": ("pages", latency_table),
    "fan out": ("fan_out", fan_out_table),
    "sizes": ("sizes", sizes_table),
    "list": ("list", list_table),
    "sick": ("sick", sick_report.sick_table),
    "cold start": ("cold_start", cold_start_table),
    "hosts": ("hosts", hosts_report.hosts_table),
    "lambda": ("lambda", hosts_report.lambda_table),
    "static": ("static", static_table),
    "expressions": ("expressions", expressions_table),
    "losses": ("pages", losses),
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
    """Write the page and the charts, or with --check say whether they are right."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--results", type=Path, default=results.RESULTS)
    given = parser.parse_args(argv)
    found = results.read(given.results)
    if found:
        results.check(found)
    wanted = {
        PAGE: filled(PAGE.read_text("utf-8"), found),
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
