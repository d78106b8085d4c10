"""The table of the part `sick`, as docs/loads.md shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.tables import figure, table, title

# Who, with a breaker, with how many retries, and the head of the column.
_COLUMNS = (
    ("bff", False, 0, "no breaker"),
    ("bff", False, 1, "no breaker, a retry"),
    ("bff", True, 0, "breaker"),
    ("bff", True, 1, "breaker, a retry"),
    ("fastify-undici", False, 0, ""),
)
_Row = Mapping[str, Any]


def sick_table(found: Mapping[str, Any]) -> str:
    """A line for each sickness; a cell holds the page with a fallback · without."""
    rows: Sequence[_Row] = found["sick"]
    cells = {(row["name"], row["breaker"], row["retries"], row["kind"], row["fallback"]): row for row in rows}
    head = [
        "CPU of the page",
        *(", ".join(filter(None, (title(name), told))) for name, _, _, told in _COLUMNS),
    ]
    return table(
        head,
        [
            [
                _line(kind),
                *(
                    _cell([cells.get((*column, kind, fallback)) for fallback in (True, False)])
                    for *column, _ in _COLUMNS
                ),
            ]
            for kind in dict.fromkeys(row["kind"] for row in rows)
        ],
    )


def _line(kind: str) -> str:
    return f"{kind}, µs" if kind in ("well", "late") else f"{kind}, ×"


def _cell(rows: Sequence[_Row | None]) -> str:
    return " · ".join(_figure(row) for row in rows) if any(rows) else "–"


def _figure(row: _Row | None) -> str:
    if row is None:
        return "–"
    if row["kind"] in ("well", "late"):
        return figure(row["cpu_us"])
    return "–" if row["times_well"] is None else f"{row['times_well']:.2f}"
