"""Bodies of good backends that are no JSON: a value with what a format can hold of it, and its bytes."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from bff.expressions.values import to_text
from bff.jsontext import encode
from bff.recipe.model import BodyFormat

MEDIA_TYPES: Final[Mapping[str, str]] = {
    "text": "text/plain; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson",
    "form": "application/x-www-form-urlencoded",
}


def as_format(value: Any, form: BodyFormat) -> Any:
    """A value with what a body of a format can hold of it."""
    if form.name == "text":
        return to_text(value) or ""
    if form.name == "form":
        members = value.items() if isinstance(value, dict) else ()
        return {name: text for name, one in members if (text := to_text(one)) is not None}
    rows = value if isinstance(value, list) else [value]
    if form.name == "ndjson":
        return rows
    cells = [{name: to_text(cell) for name, cell in row.items()} for row in rows if isinstance(row, dict)]
    names = _columns(form, cells)
    return [{name: row.get(name) for name in names} for row in cells]


def body_in(form: BodyFormat, value: Any) -> bytes:
    """The bytes of a value that `as_format` gave."""
    match form.name:
        case "text":
            return str(value).encode()
        case "form":
            return urlencode(value).encode()
        case "ndjson":
            return b"".join(encode(line) + b"\n" for line in value)
    names = _columns(form, value)
    rows = [[row.get(name) for name in names] for row in value]
    return in_rows(form, rows if form.header else [names, *rows])


def in_rows(form: BodyFormat, rows: list[list[Any]]) -> bytes:
    """Rows as the CSV of a format."""
    file = io.StringIO(newline="")
    csv.writer(
        file,
        delimiter=form.delimiter,
        quotechar=form.quote or None,
        quoting=csv.QUOTE_MINIMAL if form.quote else csv.QUOTE_NONE,
    ).writerows(rows)
    return file.getvalue().encode()


def _columns(form: BodyFormat, rows: list[dict[str, Any]]) -> list[str]:
    return list(form.header) or list(dict.fromkeys(name for row in rows for name in row)) or ["id"]
