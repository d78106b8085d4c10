"""The tables of pages under load, and where another peer is better, as docs/performance.md shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.tables import counted, figure, grid, table, title

Results = Mapping[str, Any]
Rows = Sequence[Mapping[str, Any]]


def pages_table(found: Results) -> str:
    """One row for each peer with the same work; a cell holds pages per second · CPU ms a page · p99."""
    rows: Rows = [row for row in found["pages"] if row["work"] == "same"]
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
    return grid(cells, lambda users: counted(users, "user"))


def headers_table(found: Results) -> str:
    """One row for each peer; a cell holds pages per second · CPU ms a page · p99, the last column times the CPU."""
    cells = {(row["name"], row["more_headers"]): row for row in found["headers"]}
    columns = sorted({more for _, more in cells})
    names = list(dict.fromkeys(name for name, _ in cells))
    head = ["", *(f"{counted(more, 'header')} more" if more else "as above" for more in columns), "× CPU"]
    body = []
    for name in names:
        rows = [cells.get((name, more)) for more in columns]
        body.append([title(name), *map(_cell, rows), _times_cpu(rows[0], rows[-1])])
    return table(head, body)


def _times_cpu(few: Mapping[str, Any] | None, many: Mapping[str, Any] | None) -> str:
    less, more = (row and row["cpu_s_per_1000"] for row in (few, many))
    return f"{more / less:.2f}" if less and more else "–"


def app_table(found: Results) -> str:
    """Both with each number of users; a cell holds pages per second · CPU ms a page · p99."""
    cells = {(row["name"], row["users"]): row for row in found["app"]}
    columns = sorted({users for _, users in cells})
    names = list(dict.fromkeys(name for name, _ in cells))
    body = [[title(name), *(_cell(cells.get((name, users))) for users in columns)] for name in names]
    return table(["", *(counted(users, "user") for users in columns)], body)


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
