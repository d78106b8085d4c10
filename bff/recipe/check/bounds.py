"""How many requests a page could make of what a visitor sends: no more than may run."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator

from bff.expressions.inspect import Any_, Path, path_text
from bff.recipe.check.page import Page
from bff.recipe.list_sizes import ListSizes
from bff.recipe.model import Request
from bff.settings import Settings

_DEFAULTS = Settings()
"""An operator who allows less has it so when pages run, and no recipe is wrong for it."""


def check_loops(page: Page) -> None:
    """Say an each or batch that could make more requests than may run, and a page whose requests together could."""
    counted = [(step, _requests_of(page, step), rounds_of(step)) for step in page.requests]
    total = sum(items * rounds for _, items, rounds in counted)
    largest, items, rounds = max(counted, key=lambda one: one[1] * one[2], default=(None, 0, 0))
    most = max(page.project.settings.max_requests, _DEFAULTS.max_requests)
    if largest is None or items * rounds <= 1 or total <= most:
        return
    cures = {"each": "lower maxItems", "batch": "lower maxItems"} if items > 1 else {}
    cures |= {"pages": "lower most", "until": "raise every"}
    causes = [key for key in cures if getattr(largest, key) is not None]
    cure = " or ".join(cures[key] for key in causes)
    message = f"this page could make {total} requests"
    hint = (
        f"at most {most} may run (BFF_MAX_REQUESTS), and '{largest.name}' could make {items * rounds}: {cure}"
    )
    page.say(largest.marks.key(causes[0]), message, hint)


def rounds_of(step: Request) -> int:
    """How many requests there may be for one item of a step: for the pages of a list, or until it is done."""
    if step.pages is not None:
        return step.pages.most
    if step.until is not None:
        return 1 + math.floor(step.until.within / step.until.every)
    return 1


def _requests_of(page: Page, step: Request) -> int:
    """How many requests a step could make of input, 1 where that is not known; says what can never run."""
    clause = step.each or step.batch
    found = None if clause is None else ListSizes(page.recipe).most(clause.source.node)
    if clause is None or found is None:
        return 1
    most = max(page.project.settings.max_each, _DEFAULTS.max_each)
    mark = step.marks.value("each" if step.each is not None else "batch")
    node = next(_lists(clause.source.node), clause.source.node)
    if clause.origin is not None:
        length = (node.end_col_offset or node.col_offset + 1) - node.col_offset
        mark = clause.origin.mark(node.col_offset, length)  # type: ignore[attr-defined]
    if found.items == math.inf:
        if not page.recipe.path and found.path[0] != "body":
            return 1  # what a part is given is looked at where it is given
        message = f"one request for each of {path_text(found.path)}, of any length"
        page.say(mark, message, f"give the list maxItems in {_schema_path(found.path)}")
        return 1
    if step.batch is not None:
        return math.ceil(found.items / step.batch_size)
    if found.items > most:
        where = f" in {_schema_path(found.path)}" if found.path else ""
        hint = f"at most {most} may run (BFF_MAX_EACH): lower maxItems{where}"
        page.say(mark, f"an each over up to {found.items:g} items", hint)
        return 1
    return int(found.items)


def _lists(node: ast.expr) -> Iterator[ast.expr]:
    """The look-ups that the items of a list come from, the first as written."""
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        yield node
    elif isinstance(node, ast.ListComp | ast.GeneratorExp):
        yield from _lists(node.generators[0].iter)
    else:
        children = node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node)
        for child in children:
            if isinstance(child, ast.expr):
                yield from _lists(child)


def _schema_path(path: Path) -> str:
    root, *rest = path
    parts = ["items" if isinstance(part, Any_) else f"properties.{part}" for part in rest]
    if root != "body":
        parts[0] = str(rest[0])
    return ".".join([f"input.{root}", *parts])
