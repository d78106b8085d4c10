"""How long a list can be, as far as the recipe tells: by the schema of the input, a slice, or what makes it."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bff.expressions.inspect import ANY, Any_, Path
from bff.expressions.lists import MAX_RANGE
from bff.expressions.tree import Each, Expression, Sequence, Tree
from bff.expressions.tree import Mapping as MappingTree
from bff.recipe.model import Recipe, Schema, Value

INPUT = ("path", "query", "headers", "body")
_SAME_LIST = ("sort", "unique")


@dataclass(frozen=True, slots=True)
class Size:
    """The most items that a list can have, and the path of the list in the input that says so."""

    items: float
    path: Path = ()


@dataclass(frozen=True, slots=True)
class _Scope:
    """The paths that loop variables stand for, and the value steps that are being followed."""

    paths: Mapping[str, Path] = field(default_factory=dict)
    seen: frozenset[str] = frozenset()

    def within(self, name: str, path: Path) -> _Scope:
        return _Scope({**self.paths, name: path}, self.seen)


class ListSizes:
    """The sizes of a recipe's lists; `unknown` is that of one of which nothing is known, such as a backend's.

    Without it only what a visitor chooses counts, and None stands for a list of which no part is theirs.
    """

    def __init__(self, recipe: Recipe, unknown: Size | None = None) -> None:
        self._recipe = recipe
        self._unknown = unknown
        self._steps = {step.name: step for step in recipe.steps}

    def most(self, node: ast.expr) -> Size | None:
        """The most items of the list that an expression gives."""
        return self._most(node, _Scope())

    def _most(self, node: ast.expr, scope: _Scope) -> Size | None:
        found = self._seen(node, scope)
        return self._unknown if found is None else found

    def _seen(self, node: ast.expr, scope: _Scope) -> Size | None:
        """The most items of a list; None where that cannot be seen."""
        match node:
            case ast.List(elts=items) if self._unknown is not None:
                return Size(len(items))
            case ast.BoolOp(values=values):
                return _greatest(self._most(value, scope) for value in values)
            case ast.IfExp(body=body, orelse=orelse):
                return _greatest((self._most(body, scope), self._most(orelse, scope)))
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                return _together([self._most(left, scope), self._most(right, scope)])
            case ast.Call(func=ast.Name(id=name), args=arguments) if name in _SAME_LIST:
                return self._most(arguments[0], scope)
            case ast.Call(func=ast.Name(id="default"), args=arguments):
                return _greatest(self._most(argument, scope) for argument in arguments)
            case ast.Call(func=ast.Name(id="range"), args=[amount]):
                return self._range(amount, scope)
            case ast.ListComp(generators=loops) | ast.GeneratorExp(generators=loops):
                pairs = [(loop.target.id, loop.iter) for loop in loops if isinstance(loop.target, ast.Name)]
                return self._nested(pairs, scope)
            case ast.Subscript(value=value, slice=ast.Slice(lower=lower, upper=upper)):
                return _sliced(self._most(value, scope), lower, upper)
            case ast.Name() | ast.Attribute() | ast.Subscript():
                path = _path(node, scope)
                return None if path is None else self._most_at(path, scope.seen)
        return None

    def _nested(self, loops: list[tuple[str, ast.expr]], scope: _Scope) -> Size | None:
        """Of loops within loops, each with its variable and list."""
        found = []
        for variable, source in loops:
            found.append(self._most(source, scope))
            path = _path(source, scope)
            if path is not None:
                scope = scope.within(variable, (*path, ANY))
        known = [one for one in found if one is not None]
        longest = _greatest(known)
        if longest is None:
            return None
        return Size(
            0 if any(not one.items for one in known) else math.prod(one.items for one in known), longest.path
        )

    def _range(self, amount: ast.expr, scope: _Scope) -> Size | None:
        path = _path(amount, scope)
        schema = _schema_at(self._recipe, path) if path and path[0] in INPUT else None
        if isinstance(schema, dict):
            return Size(min(schema.get("maximum", MAX_RANGE), MAX_RANGE))
        constant = amount.value if isinstance(amount, ast.Constant) else None
        return Size(constant) if type(constant) is int else None

    def _most_at(self, path: Path, seen: frozenset[str]) -> Size | None:
        """The most items of the list at a path: of the input by its schema, of a value step by what it is made of."""
        root = str(path[0])
        if root in INPUT:
            return Size(_most_of(_schema_at(self._recipe, path)), path)
        step = self._steps.get(root)
        if not isinstance(step, Value) or root in seen:
            return None
        if step.given is not None and (step.given.key == "body" or "maxItems" in step.given.schema):
            schema = _below(step.given.schema, path[1:])
            return Size(_most_of(schema)) if isinstance(schema, dict) and "maxItems" in schema else None
        tree, keys = _at(step.value, path[1:])
        return self._most_of_tree(tree, keys, seen | {root})

    def _most_of_tree(self, tree: Tree | None, keys: Path, seen: frozenset[str]) -> Size | None:
        if isinstance(tree, Sequence) and not keys:
            return Size(len(tree.items))
        if isinstance(tree, Each) and not keys:
            return self._nested(
                [(clause.variable, clause.source.node) for clause in tree.clauses], _Scope(seen=seen)
            )
        if not isinstance(tree, Expression):
            return None
        path = _path(tree.node, _Scope())
        if path is not None:
            return self._most_at((*path, *keys), seen)
        return None if keys else self._most(tree.node, _Scope(seen=seen))


def _greatest(found: Any) -> Size | None:
    return max((one for one in found if one is not None), key=lambda one: one.items, default=None)


def _together(found: list[Size | None]) -> Size | None:
    """Of several lists one after the other."""
    known = [one for one in found if one is not None]
    return (
        Size(sum(one.items for one in known), max(known, key=lambda one: one.items).path) if known else None
    )


def _sliced(found: Size | None, lower: ast.expr | None, upper: ast.expr | None) -> Size | None:
    first, last = _whole(lower), _whole(upper)
    if found is None or (first is None and last is None):
        return found
    if last is not None and last >= 0:
        size = last - max(first or 0, 0)
    elif first is not None and first < 0:
        size = -first
    else:
        return found
    return Size(min(found.items, max(size, 0)), found.path)


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
