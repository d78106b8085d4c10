"""Pages that are tables: their rows as CSV (RFC 4180), as a file where the recipe names one.

A spreadsheet takes a text that begins with `=`, `+`, `-` or `@` for a formula, and runs it: it gets a `'` in front.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

from msgspec.structs import replace

from bff.errors import BoundError
from bff.expressions import Evaluation
from bff.expressions.operators import get
from bff.expressions.running import Compiled
from bff.expressions.values import to_text
from bff.http.stream.file_names import disposition, plain_name
from bff.plan.model import Plan
from bff.problems import problem
from bff.recipe.model import Table
from bff.settings import Settings
from bff.web.answer import Answers
from bff.web.headers import Headers
from bff.web.recipe_headers import headers_of_recipe

MEDIA_TYPE: Final = "text/csv; charset=utf-8"
_FORMULAS: Final = frozenset("=+-@\t\r")
_CHUNK: Final = 500


class TableAnswers(Answers):
    """Makes the answers of a page that is a table."""

    def __init__(self, plan: Plan, settings: Settings) -> None:
        table, shape = plan.recipe.format, plan.shape
        assert table is not None and shape is not None, "it is a table"
        rows = _Rows(shape, table, settings.max_answer)
        super().__init__(replace(plan, shape=rows), settings)
        self._encode = _as_it_is
        self._kind = [("Content-Type", MEDIA_TYPE)]
        self._usual_head = [*self._kind, ("Cache-Control", self._usual), *self.vary]
        if table.file:
            self._of_recipe = _of_file


_DISPOSITION: Final = "Content-Disposition"


def _of_file(tree: Mapping[str, Any]) -> Headers:
    """The headers of a recipe, whose `Content-Disposition` is the name of a file as a visitor may have made it."""
    others = {name: value for name, value in tree.items() if name != _DISPOSITION}
    name = plain_name(to_text(tree.get(_DISPOSITION)) or "")
    return [*headers_of_recipe(others), (_DISPOSITION, disposition("attachment", name))]


def _as_it_is(text: bytes) -> bytes:
    return text


class _Rows:
    """A shape that gives the bytes of its rows; `depth` is that of no struct."""

    depth = None

    def __init__(self, shape: Compiled, table: Table, most: int) -> None:
        self._shape = shape
        self._titles = [cell_of(title) for title, _ in table.columns]
        self._fields = [field for _, field in table.columns]
        self._most = most

    def __call__(self, scope: Mapping[str, Any], evaluation: Evaluation) -> bytes:
        rows = self._shape(scope, evaluation)
        if rows.__class__ is not list:
            raise _unmade("the shape is no list")
        file = io.StringIO(newline="")
        write = csv.writer(file, lineterminator="\r\n")
        write.writerow(self._titles)
        parts: list[bytes] = []
        size, waiting = 0, iter(rows)
        while chunk := list(islice(waiting, _CHUNK)):
            evaluation.charge(len(chunk) * (4 * len(self._fields) + 4))
            write.writerows(map(self._cells, chunk))
            size += self._take(file, parts)
            if size > self._most:
                raise BoundError("answer: over the bound of bytes")
        self._take(file, parts)
        return b"".join(parts)

    @staticmethod
    def _take(file: io.StringIO, parts: list[bytes]) -> int:
        """Moves what is written to the parts; says how many bytes that are."""
        part = file.getvalue().encode(errors="replace")
        file.seek(0)
        file.truncate()
        parts.append(part)
        return len(part)

    def _cells(self, row: Any) -> list[str | None]:
        if row.__class__ is not dict:
            raise _unmade("a row is no object")
        return [cell_of(get(row, field), field) for field in self._fields]


def cell_of(value: Any, field: str = "") -> str | None:
    """What stands in a cell: a text that is no formula, the text of a number or boolean, or nothing."""
    if value.__class__ is str:
        return f"'{value}" if value[:1] in _FORMULAS else value
    if value is None:
        return None
    text = to_text(value)
    if text is None:
        raise _unmade(f"column {field!r} holds a list or an object")
    return text


def _unmade(what: str) -> Exception:
    return problem("internal", "This page could not be made.", log=f"format: {what}")
