"""The rows of a page that is a table: its shape as a list of objects that have its columns and nothing else.

So what is needed of replies, decoded of them and known of their types follows from the columns, as if the recipe had
written each of them out.
"""

from __future__ import annotations

import ast
from copy import deepcopy
from typing import cast

from msgspec import Struct
from msgspec.structs import replace

from bff.expressions.tree import Each, EachClause, Expression, Mapping, Tree
from bff.recipe.model import Mark, Origin, Recipe

ROW = "row"


class _AtColumn(Struct, frozen=True):
    """Where a column stands, whatever part of its field is meant."""

    place: Mark

    def mark(self, offset: int, length: int) -> Mark:
        return self.place


def with_rows(recipe: Recipe) -> Recipe:
    """The recipe with the columns of its rows written out, where it is a table and they can be."""
    table, shape = recipe.format, recipe.shape
    if table is None or shape is None:
        return recipe
    fields = {
        field: recipe.marks.value(key) for (_, field), key in zip(table.columns, keys_of(recipe), strict=True)
    }
    match shape:
        case Expression():
            clause = EachClause(ROW, shape, None, shape.text, shape.origin, shape.offset)
            found: Tree = Each((clause,), _looked_up(ast.Name(ROW, ast.Load()), fields))
        case Each(item=Mapping(items=items)):
            members = dict(items)
            picked = tuple((field, members[field]) for field in fields if field in members)
            found = replace(shape, item=Mapping(picked))
        case Each(item=Expression(node=ast.Name() | ast.Attribute() | ast.Subscript() as node)):
            found = replace(shape, item=_looked_up(node, fields))
        case _:
            return recipe
    return replace(recipe, shape=found)


def keys_of(recipe: Recipe) -> list[str]:
    """Where each column stands, by the keys of the recipe's marks."""
    assert recipe.format is not None, "it is a table"
    if "format.csv.columns[0]" in recipe.marks.values:
        return [f"format.csv.columns[{at}]" for at in range(len(recipe.format.columns))]
    return [f"format.csv.columns.{title}" for title, _ in recipe.format.columns]


def _looked_up(base: ast.expr, fields: dict[str, Mark]) -> Mapping:
    """The fields of what an expression gives."""
    items: list[tuple[str, Tree]] = []
    for field, mark in fields.items():
        text = f"{ROW}[{field!r}]"
        row = deepcopy(base)
        for part in ast.walk(row):
            if isinstance(part, ast.expr):
                _at(part, 0, len(ROW))
        key = _at(ast.Constant(field), len(ROW) + 1, len(text) - 1)
        node = _at(ast.Subscript(row, key, ast.Load()), 0, len(text))
        items.append((field, Expression(text, node, cast(Origin, _AtColumn(mark)))))
    return Mapping(tuple(items))


def _at(node: ast.expr, start: int, end: int) -> ast.expr:
    node.lineno = node.end_lineno = 1
    node.col_offset, node.end_col_offset = start, end
    return node
