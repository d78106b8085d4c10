"""Queries, forms and bodies that one expression gives: what can never be a mapping, and names that must be known."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from bff.expressions.tree import Expression, Mapping, Tree
from bff.expressions.values import key_text
from bff.recipe.check.names import members_of_input
from bff.recipe.check.page import NOWHERE, Page, Spot
from bff.recipe.model import Request, Value

_PAIRS = ("query", "form")
_TEXT = "a text"
_KINDS: tuple[tuple[type[ast.expr], str], ...] = (
    (ast.JoinedStr, _TEXT),
    (ast.List, "a list"),
    (ast.ListComp, "a list"),
    (ast.GeneratorExp, "a list"),
    (ast.Compare, "a boolean"),
)


def check_pairs(page: Page) -> None:
    """Say queries and forms of one expression that can give no mapping."""
    for spot in page.spots:
        key = spot.key.rpartition(".")[2] if spot.key.startswith("undo.") else spot.key
        if isinstance(spot.step, Request) and key in _PAIRS and isinstance(spot.leaf, Expression):
            kind = _kind(spot.leaf.node)
            if kind and isinstance(_tree(spot.step, spot.key), Expression):
                node = spot.leaf.node
                mark = spot.mark_of(node)
                hint = f"write each name with its value below {key}: name: value"
                page.say(mark, f"'{key}' takes names with their values, and this is {kind}", hint)


def _tree(step: Request, key: str) -> Tree | None:
    request = step.undo if key.startswith("undo.") else step
    found: Tree | None = getattr(request, key.removeprefix("undo."), None)
    return found


def _kind(node: ast.expr) -> str:
    """What a value certainly is that is no mapping; empty where it may be one."""
    if isinstance(node, ast.Constant):
        if node.value is None:
            return ""
        return _TEXT if isinstance(node.value, str) else "a number or boolean"
    return next((name for kind, name in _KINDS if isinstance(node, kind)), "")


# --- names that must be known ------------------------------------------------------------------------------------


class Named(NamedTuple):
    """A name that is sent with a tree, and where that stands; None where an expression may give any name.

    Of a `whole` one the tree is a mapping that has the name.
    """

    name: str | None
    tree: Tree
    at: Spot
    whole: bool = False


def named(page: Page, tree: Tree, at: Spot, sought: Collection[str]) -> Iterator[Named]:
    """The names and values that a tree sends, through value steps and lets; `sought` are those of interest."""
    return _Names(page, sought).of_tree(tree, at)


class _Names:
    def __init__(self, page: Page, sought: Collection[str]) -> None:
        self._page = page
        self._sought = frozenset(sought)
        self._seen: set[int] = set()

    def of_tree(self, tree: Tree, at: Spot) -> Iterator[Named]:
        if isinstance(tree, Mapping):
            yield from (Named(name, value, at) for name, value in tree.items)
        elif isinstance(tree, Expression) and id(tree) not in self._seen:
            self._seen.add(id(tree))
            yield from self._of_node(tree, tree.node, at)

    def _of_node(self, tree: Expression, node: ast.expr, at: Spot) -> Iterator[Named]:
        own = Expression(tree.text, node, tree.origin)
        match node:
            case ast.Constant():
                return
            case _ if at.key in _PAIRS and _kind(node):
                return  # nothing is sent, which is said
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    yield Named(_text_of(key), Expression(tree.text, value, tree.origin), at)
            case ast.IfExp(body=body, orelse=orelse):
                yield from self._of_nodes(tree, [body, orelse], at)
            case ast.BoolOp(values=values):
                yield from self._of_nodes(tree, values, at)
            case ast.Call(func=ast.Name(id="merge" | "default"), args=arguments):
                yield from self._of_nodes(tree, arguments, at)
            case ast.Call(func=ast.Name(id="pick"), args=[mapping, *keys]):
                of_mapping = Expression(tree.text, mapping, tree.origin)
                yield from (Named(_text_of(key), of_mapping, at, whole=True) for key in keys)
            case ast.Call(func=ast.Name(id="omit"), args=[mapping, *keys]):
                if not self._sought <= {_text_of(key) for key in keys}:
                    yield from self._of_node(tree, mapping, at)
            case ast.Name(id=name) if (found := behind(self._page, at, name)) is not None:
                yield from self.of_tree(*found)
            case ast.Name(id=name) if name not in at.loops:
                known = members_of_input(self._page.recipe, name)
                yield from (Named(key, own, at, whole=True) for key in ([None] if known is None else known))
            case _:
                yield Named(None, own, at)

    def _of_nodes(self, tree: Expression, nodes: Iterable[ast.expr], at: Spot) -> Iterator[Named]:
        for node in nodes:
            yield from self._of_node(tree, node, at)


def _text_of(key: ast.expr | None) -> str | None:
    value = key.value if isinstance(key, ast.Constant) else None
    return key_text(value)


def behind(page: Page, spot: Spot, name: str) -> tuple[Tree, Spot] | None:
    """What a let or value step says that is known by a name where a spot stands."""
    for at, let in enumerate(spot.lets):
        if let.name == name:
            return let.value, replace(spot, lets=spot.lets[:at], is_let=False)
    source = page.by_name.get(name)
    if isinstance(source, Value) and name not in spot.loops:
        return source.value, Spot(source, "value", NOWHERE, ())
    return None
