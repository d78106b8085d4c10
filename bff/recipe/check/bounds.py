"""How many requests a page could make of what a visitor sends: no more than may run."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bff.expressions.inspect import ANY, Any_, Path, path_text
from bff.expressions.lists import MAX_RANGE
from bff.expressions.tree import Each, Expression, Sequence, Tree
from bff.expressions.tree import Mapping as MappingTree
from bff.recipe.check.page import Page
from bff.recipe.model import Recipe, Request, Schema, Value
from bff.settings import Settings

_INPUT = ("path", "query", "headers", "body")
_SAME_LIST = ("sort", "unique")
_DEFAULTS = Settings()
"""An operator who allows less has it so when pages run, and no recipe is wrong for it."""


@dataclass(frozen=True, slots=True)
class _Most:
    """The most items that a list of a visitor can have, and the path of that list in the input."""

    items: float
    path: Path = ()


@dataclass(frozen=True, slots=True)
class _Scope:
    """The paths that loop variables stand for, and the value steps that are being followed."""

    paths: Mapping[str, Path] = field(default_factory=dict)
    seen: frozenset[str] = frozenset()

    def within(self, name: str, path: Path) -> _Scope:
        return _Scope({**self.paths, name: path}, self.seen)


def check_loops(page: Page) -> None:
    """Say an each or batch that could make more requests than may run, and a page whose requests together could."""
    counted = [(step, _requests_of(page, step)) for step in page.requests]
    total = sum(count for _, count in counted)
    largest, count = max(counted, key=lambda one: one[1], default=(None, 0))
    most = max(page.project.settings.max_requests, _DEFAULTS.max_requests)
    if largest is not None and count > 1 and total > most:
        key = "each" if largest.each is not None else "batch"
        message = f"this page could make {total} requests"
        hint = f"at most {most} may run (BFF_MAX_REQUESTS), and '{largest.name}' could make {count}: lower maxItems"
        page.say(largest.marks.key(key), message, hint)


def _requests_of(page: Page, step: Request) -> int:
    """How many requests a step could make of input, 1 where that is not known; says what can never run."""
    clause = step.each or step.batch
    found = None if clause is None else _most(page, clause.source.node, _Scope())
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


# --- the most items of a list ------------------------------------------------------------------------------------


def _most(page: Page, node: ast.expr, scope: _Scope) -> _Most | None:
    """The most items of a list as far as a visitor chooses them; None where that cannot be seen."""
    match node:
        case ast.BoolOp(values=values):
            return _greatest(_most(page, value, scope) for value in values)
        case ast.IfExp(body=body, orelse=orelse):
            return _greatest((_most(page, body, scope), _most(page, orelse, scope)))
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return _together([_most(page, left, scope), _most(page, right, scope)])
        case ast.Call(func=ast.Name(id=name), args=arguments) if name in _SAME_LIST:
            return _most(page, arguments[0], scope)
        case ast.Call(func=ast.Name(id="default"), args=arguments):
            return _greatest(_most(page, argument, scope) for argument in arguments)
        case ast.Call(func=ast.Name(id="range"), args=[amount]):
            return _range(page, amount, scope)
        case ast.ListComp(generators=loops) | ast.GeneratorExp(generators=loops):
            return _loops(page, loops, scope)
        case ast.Subscript(value=value, slice=ast.Slice(lower=lower, upper=upper)):
            return _sliced(_most(page, value, scope), lower, upper)
        case ast.Name() | ast.Attribute() | ast.Subscript():
            path = _path(node, scope)
            return None if path is None else _most_at(page, path, scope.seen)
    return None


def _greatest(found: Any) -> _Most | None:
    return max((one for one in found if one is not None), key=lambda one: one.items, default=None)


def _together(found: list[_Most | None]) -> _Most | None:
    """Of several lists one after the other."""
    known = [one for one in found if one is not None]
    return (
        _Most(sum(one.items for one in known), max(known, key=lambda one: one.items).path) if known else None
    )


def _loops(page: Page, loops: list[ast.comprehension], scope: _Scope) -> _Most | None:
    """Of loops within loops."""
    found = []
    for loop in loops:
        found.append(_most(page, loop.iter, scope))
        path = _path(loop.iter, scope)
        if path is not None and isinstance(loop.target, ast.Name):
            scope = scope.within(loop.target.id, (*path, ANY))
    known = [one for one in found if one is not None]
    longest = _greatest(known)
    if longest is None:
        return None
    return _Most(
        0 if any(not one.items for one in known) else math.prod(one.items for one in known), longest.path
    )


def _range(page: Page, amount: ast.expr, scope: _Scope) -> _Most | None:
    path = _path(amount, scope)
    schema = _schema_at(page.recipe, path) if path and path[0] in _INPUT else None
    if isinstance(schema, dict):
        return _Most(min(schema.get("maximum", MAX_RANGE), MAX_RANGE))
    constant = amount.value if isinstance(amount, ast.Constant) else None
    return _Most(constant) if type(constant) is int else None


def _sliced(found: _Most | None, lower: ast.expr | None, upper: ast.expr | None) -> _Most | None:
    first, last = _whole(lower), _whole(upper)
    if found is None or (first is None and last is None):
        return found
    if last is not None and last >= 0:
        size = last - max(first or 0, 0)
    elif first is not None and first < 0:
        size = -first
    else:
        return found
    return _Most(min(found.items, max(size, 0)), found.path)


def _whole(node: ast.expr | None) -> int | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        found = _whole(node.operand)
        return None if found is None else -found
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else None


def _path(node: ast.expr, scope: _Scope) -> Path | None:
    """The path that a look-up goes; None for anything else, and for what is a part of a list."""
    keys: list[str | Any_] = []
    while isinstance(node, ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Attribute):
            keys.insert(0, node.attr)
        elif isinstance(node.slice, ast.Constant):
            keys.insert(0, node.slice.value if isinstance(node.slice.value, str) else ANY)
        else:
            return None
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return (*scope.paths.get(node.id, (node.id,)), *keys)


# --- where a path leads ------------------------------------------------------------------------------------------


def _most_at(page: Page, path: Path, seen: frozenset[str]) -> _Most | None:
    """The most items of the list at a path: of the input by its schema, of a value step by what it is made of."""
    root = str(path[0])
    if root in _INPUT:
        return _Most(_most_of(_schema_at(page.recipe, path)), path)
    step = page.by_name.get(root)
    if not isinstance(step, Value) or root in seen:
        return None
    if step.given is not None and (step.given.key == "body" or "maxItems" in step.given.schema):
        schema = _below(step.given.schema, path[1:])
        return _Most(_most_of(schema)) if isinstance(schema, dict) and "maxItems" in schema else None
    tree, keys = _at(step.value, path[1:])
    return _most_of_tree(page, tree, keys, seen | {root})


def _most_of_tree(page: Page, tree: Tree | None, keys: Path, seen: frozenset[str]) -> _Most | None:
    if isinstance(tree, Sequence) and not keys:
        return _Most(len(tree.items))
    if isinstance(tree, Each) and not keys:
        return _most(page, tree.clause.source.node, _Scope(seen=seen))
    if not isinstance(tree, Expression):
        return None
    path = _path(tree.node, _Scope())
    if path is not None:
        return _most_at(page, (*path, *keys), seen)
    return None if keys else _most(page, tree.node, _Scope(seen=seen))


def _at(tree: Tree, keys: Path) -> tuple[Tree | None, Path]:
    """The part of a tree at these keys as far down as it is structure, and the keys that are left."""
    while keys and isinstance(tree, MappingTree):
        found = dict(tree.items).get(str(keys[0]))
        if found is None:
            return None, ()
        tree, keys = found, keys[1:]
    return tree, keys


def _schema_at(recipe: Recipe, path: Path) -> Any:
    if path[0] == "body":
        return _below(recipe.input.body, path[1:])
    parameters = getattr(recipe.input, str(path[0]))
    schema = next((one.schema for one in parameters if path[1:2] == (one.name,)), None)
    return _below(schema, path[2:])


def _below(schema: Schema | None, path: Path) -> Any:
    found: Any = schema
    for part in path:
        if not isinstance(found, dict):
            return None
        found = found.get("items") if isinstance(part, Any_) else found.get("properties", {}).get(part)
    return found


def _most_of(schema: Any) -> float:
    """The most items of a list with a schema; none of what is no list."""
    if not isinstance(schema, dict):
        return math.inf
    if "maxItems" in schema:
        return float(schema["maxItems"])
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return max((len(value) for value in values if isinstance(value, list)), default=0)
    types = schema.get("type")
    names = types if isinstance(types, list) else [types]
    return math.inf if types is None or "array" in names else 0


def _schema_path(path: Path) -> str:
    root, *rest = path
    parts = ["items" if isinstance(part, Any_) else f"properties.{part}" for part in rest]
    if root != "body":
        parts[0] = str(rest[0])
    return ".".join([f"input.{root}", *parts])
