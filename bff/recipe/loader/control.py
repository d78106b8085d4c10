"""Words of control flow as keys of a tree, from other languages: there they would be members of the answer."""

from __future__ import annotations

import re

from bff.recipe.source import ListNode, MapNode, Node, ScalarNode
from bff.text import nearest

_CLAUSE = re.compile(r"\s*\w+\s+in\s")
_LOOPS = ("for", "foreach", "for_each", "forEach", "loop", "map")
_CHOICES = ("if", "elif", "else", "unless")
# These may well be members of an answer, unless one of the others stands beside them.
_BRANCHES = {"then": ("if", "when", "unless"), "when": ("then", "else", "otherwise")}
_CONDITIONS = ("if", "when", "where", "filter")
_CHOICE = "write value: a if condition else b"


def loop_key(node: MapNode) -> ScalarNode | None:
    """The key of a mapping that makes a list of it: `each`, or what was written in its place."""
    written = {key.text for key, _ in node.items}
    if "each" in written:
        return next(key for key, _ in node.items if key.text == "each")
    meant = (key for key, value in node.items if key.style is None and _is_clause(value))
    return next((key for key in meant if "item" in written or _means_each(key.text)), None)


def choice_key(node: MapNode) -> tuple[ScalarNode, str] | None:
    """The first key that would be a choice elsewhere, and what to write; in quotes a key is only a name."""
    written = {key.text for key, _ in node.items}
    for key, _ in node.items:
        beside = _BRANCHES.get(key.text, ())
        if key.style is None and (key.text in _CHOICES or not written.isdisjoint(beside)):
            return key, f"{_CHOICE}; a member of that name is written '{key.text}'"
    return None


def condition_key(node: MapNode) -> ScalarNode | None:
    """The key beside `each` that would be its condition elsewhere."""
    return next((key for key, _ in node.items if key.text in _CONDITIONS), None)


def let_key(node: MapNode) -> ScalarNode | None:
    """The key of lets that stand beside an item, and beside no loop; in quotes a key is only a name."""
    written = {key.text for key, _ in node.items}
    for key, value in node.items:
        if key.text == "let" and key.style is None and isinstance(value, MapNode) and "item" in written:
            return key
    return None


def are_clauses(node: Node) -> bool:
    """Whether a node is a list of loops."""
    return isinstance(node, ListNode) and bool(node.items) and all(map(_is_clause, node.items))


def _means_each(name: str) -> bool:
    return name in _LOOPS or nearest(name, ("each",)) is not None


def _is_clause(value: Node) -> bool:
    if isinstance(value, ListNode):
        return are_clauses(value)
    return isinstance(value, ScalarNode) and isinstance(value.value, str) and bool(_CLAUSE.match(value.text))
