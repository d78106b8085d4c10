"""What the expressions of a recipe mention: constants, members that are read, members that are counted with."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from bff.expressions.tree import Each, EachClause, Expression, PathTemplate, Sequence
from bff.expressions.tree import Mapping as MappingTree
from bff.recipe.graph import Part, parts
from bff.recipe.model import Recipe

_COUNTING = frozenset({"sum", "min", "max", "round", "abs", "int", "float", "range"})


def constants(recipe: Recipe) -> list[str | int]:
    """The texts and whole numbers that are written in a recipe, empty texts aside."""
    return [
        node.value
        for node in nodes(recipe)
        if isinstance(node, ast.Constant) and isinstance(node.value, str | int) and node.value != ""
    ]


def counted(recipe: Recipe) -> Iterator[str]:
    """The names of members that the recipe counts with."""
    for node in nodes(recipe):
        counts = isinstance(node, ast.Call) and getattr(node.func, "id", "") in _COUNTING
        if counts or (isinstance(node, ast.BinOp) and not isinstance(node.op, ast.Add)):
            yield from (inner.attr for inner in ast.walk(node) if isinstance(inner, ast.Attribute))


def looked_up(recipe: Recipe) -> Iterator[str]:
    """The names of members that the recipe reads of anything: values, where it reads a group or an index."""
    yield from (node.attr for node in nodes(recipe) if isinstance(node, ast.Attribute))


def nodes(recipe: Recipe) -> Iterator[ast.AST]:
    """Every node of the expressions of a recipe."""
    trees = [part for step in recipe.steps for _, part in parts(step)]
    for part in [*trees, *(tree for tree in (recipe.shape, recipe.status) if tree is not None)]:
        for expression in _expressions(part):
            yield from ast.walk(expression.node)


def _expressions(part: Part) -> Iterator[Expression]:
    match part:
        case Expression():
            yield part
        case EachClause(source=source, condition=condition):
            yield source
            if condition is not None:
                yield condition
        case PathTemplate():
            yield from part.holes
        case MappingTree(items=items):
            for _, tree in items:
                yield from _expressions(tree)
        case Sequence(items=trees):
            for tree in trees:
                yield from _expressions(tree)
        case Each(clauses=clauses, lets=lets, item=item):
            for inner in (*clauses, *(let.value for let in lets), item):
                yield from _expressions(inner)
