"""The lets of a list: which of them are read, and so worked out."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from bff.expressions.tree import Each, Expression, Let, Mapping, Sequence, Tree


def read_lets(tree: Each) -> tuple[Let, ...]:
    """The lets that the item needs, itself or through later ones, in their order; nobody works out the others."""
    needed = names_of(tree.item)
    found: list[Let] = []
    for let in reversed(tree.lets):
        if let.name in needed:
            needed |= names_of(let.value)
            found.insert(0, let)
    return tuple(found)


def names_of(tree: Tree) -> set[str]:
    """Every name that stands in a tree, its own loop variables among them."""
    return {node.id for part in _nodes(tree) for node in ast.walk(part) if isinstance(node, ast.Name)}


def _nodes(tree: Tree) -> Iterator[ast.expr]:
    match tree:
        case Expression():
            yield tree.node
        case Mapping():
            for _, value in tree.items:
                yield from _nodes(value)
        case Sequence():
            for value in tree.items:
                yield from _nodes(value)
        case Each():
            for clause in tree.clauses:
                yield clause.source.node
                if clause.condition is not None:
                    yield clause.condition.node
            for value in (*(let.value for let in tree.lets), tree.item):
                yield from _nodes(value)
