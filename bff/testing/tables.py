"""Pages that are tables, as rules look at them: rows by their fields, with the texts that stand in cells."""

from __future__ import annotations

import csv
import io
from typing import Any

from bff.expressions.operators import get
from bff.plan.model import Plan
from bff.web.tables import cell_of


def rows_in(plan: Plan, raw: bytes) -> list[dict[str, str]]:
    """The rows of an answer."""
    table = plan.recipe.format
    assert table is not None, "it is a table"
    _, *rows = csv.reader(io.StringIO(raw.decode(), newline=""), strict=True)
    return [{field: cell for (_, field), cell in zip(table.columns, cells, strict=True)} for cells in rows]


def as_rows(plan: Plan, made: Any) -> Any:
    """The same rows as a shape gives them; what is no table stays as it is."""
    table = plan.recipe.format
    if table is None or not isinstance(made, list):
        return made
    return [{field: cell_of(get(row, field)) or "" for _, field in table.columns} for row in made]
