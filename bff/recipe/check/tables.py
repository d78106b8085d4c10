"""Pages that are tables: what their rows may be made of, and what a table cannot have."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from bff.expressions.inspect import inspect_tree
from bff.expressions.tree import Constant, Each, Mapping, Sequence, Tree
from bff.recipe.check.page import Page
from bff.recipe.loader.formats import DISPOSITION
from bff.recipe.model import Mark, Request, Table
from bff.recipe.rows import keys_of
from bff.text import nearest

_AN_EXPRESSION = re.compile(r"[A-Za-z_]\w*(?:\.\w+|\[.*\]|\(.*\))+")
_ROWS = "the shape of a CSV is a list of objects: an expression, or each and item"


def check_table(page: Page) -> None:
    """Say what a page that is written as CSV cannot be."""
    recipe = page.recipe
    if recipe.format is None or recipe.passes:
        return
    at = recipe.marks.key("format")
    if recipe.shape is None:
        page.say(at, "a CSV without a shape", _ROWS)
    elif isinstance(recipe.shape, Constant | Mapping):
        page.say(recipe.marks.key("shape"), "a shape that is no list", _ROWS)
    else:
        _check_columns(page, recipe.shape)
    for key in recipe.marks.keys if recipe.format.file else ():
        if key.lower() == f"headers.{DISPOSITION.lower()}":
            page.say(
                recipe.marks.key(key),
                f"'{DISPOSITION}' beside 'file'",
                "file makes it: leave one of them out",
            )
    for step in page.requests:
        if step.defer:
            page.say(
                step.marks.key("defer"),
                "'defer' in a page that is a CSV",
                "a table goes out whole: leave defer out",
            )


def _check_columns(page: Page, shape: Tree) -> None:
    """Say the columns that rows do not have whose members are written out."""
    recipe = page.recipe
    assert recipe.format is not None, "it is a table"
    _say_paths(page, recipe.format)
    for row in _written(shape):
        if not isinstance(row, Mapping):
            if isinstance(row, Constant | Sequence | Each):
                page.say(recipe.marks.key("shape"), "a row that is no object", _ROWS)
            continue
        names = [name for name, _ in row.items]
        for (_, field), key in zip(recipe.format.columns, keys_of(recipe), strict=True):
            if field not in names:
                near = nearest(field, names)
                meant = f"did you mean '{near}'?  " if near else ""
                page.say(
                    recipe.marks.value(key),
                    f"a row has no field '{field}'",
                    f"{meant}it has: {', '.join(names)}",
                )
            elif isinstance(dict(row.items)[field], Mapping | Sequence | Each):
                _say_nested(page, recipe.marks.value(key), field)


def _say_paths(page: Page, table: Table) -> None:
    """Say the columns that look like an expression, where nothing in the recipe makes a field of that name."""
    recipe = page.recipe
    made = {node.value for spot in page.spots for node in spot.nodes if isinstance(node, ast.Constant)}
    made |= {name for row in _written(recipe.shape) if isinstance(row, Mapping) for name, _ in row.items}
    for (_, field), key in zip(table.columns, keys_of(recipe), strict=True):
        if _AN_EXPRESSION.fullmatch(field) and field not in made:
            hint = "to look deeper into a row, write each, and under item a name for what is meant"
            page.say(recipe.marks.value(key), f"'{field}' is the whole name of a field here", hint)


def _say_nested(page: Page, mark: Mark, field: str) -> None:
    page.say(mark, f"'{field}' is no single value", "a cell holds a text, a number or a boolean")


def _written(shape: Tree | None) -> Iterator[Tree]:
    if isinstance(shape, Each):
        yield shape.item
    elif isinstance(shape, Sequence):
        yield from shape.items


def check_partial(page: Page) -> None:
    """Say the steps that may lack something and feed the rows of a CSV, where that may not be partial."""
    recipe = page.recipe
    if recipe.format is None or recipe.format.partial or recipe.shape is None or recipe.passes:
        return
    feeding: set[str] = set()
    for use in inspect_tree(recipe.shape).names:
        if use.name in page.graph.names:
            feeding |= page.graph.upstream(use.name)
    for step in page.requests:
        if step.name not in feeding:
            continue
        for key, what, cure in _may_lack(step):
            hint = f"{cure}, or write partial: true under csv: a file does not show what it lacks"
            page.say(step.marks.key(key), f"{what} feeds the rows of a CSV", hint)


def _may_lack(step: Request) -> Iterator[tuple[str, str, str]]:
    """What lets a step give less than its backend has: its key, what that is, and how to do without."""
    if step.fallback is not None:
        yield "fallback", f"a fallback of '{step.name}'", "leave the fallback out"
    if step.pages is not None and step.pages.stops:
        yield "pages.then", f"a list of '{step.name}' that may stop", "leave then: stop out"
