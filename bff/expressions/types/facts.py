"""What is known of names and of what is looked up in them, where an expression stands."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from bff.types.model import Type, union_of

NONE: Mapping[str, Type] = MappingProxyType({})


class Facts(Struct, frozen=True):
    """The types of names, and of look-ups of which more is known than their names say (`people[todo.owner]`)."""

    names: Mapping[str, Type]
    refined: Mapping[str, Type] = NONE

    def with_name(self, name: str, one: Type) -> Facts:
        """The same with a name of this type, whatever it was before."""
        stale = f"Name(id={name!r}"
        refined = {text: known for text, known in self.refined.items() if stale not in text}
        return Facts({**self.names, name: one}, refined)

    def with_names(self, names: Mapping[str, Type]) -> Facts:
        """The same with several names."""
        facts = self
        for name, one in names.items():
            facts = facts.with_name(name, one)
        return facts

    def narrowed(self, name: str, one: Type) -> Facts:
        """The same with more known of a name."""
        return Facts({**self.names, name: one}, self.refined)

    def refine(self, node: ast.expr, one: Type) -> Facts:
        """The same with more known of a look-up."""
        return Facts(self.names, {**self.refined, ast.dump(node): one})

    def known(self, node: ast.expr) -> Type | None:
        """What is known of a look-up by itself."""
        return self.refined.get(ast.dump(node)) if self.refined else None


def joined(before: Facts, ways: Iterable[Facts]) -> Facts:
    """What holds whichever way was taken."""
    found = list(ways)
    names = {
        name: before.names[name]
        if any(way.names[name] is before.names[name] for way in found)
        else union_of(*(way.names[name] for way in found))
        for name in before.names
    }
    first, *others = found
    refined = dict(before.refined)
    for text, one in first.refined.items():
        if all(text in other.refined for other in others):
            refined[text] = union_of(one, *(other.refined[text] for other in others))
    return Facts(names, refined)


def keys_below_name(node: ast.expr) -> tuple[str, tuple[str, ...]] | None:
    """The name and the constant keys of `todo.owner['name']`; None of any other expression."""
    keys: tuple[str, ...] = ()
    while not isinstance(node, ast.Name):
        key = constant_key(node)
        if key is None:
            return None
        keys = (key, *keys)
        node = base_of(node)
    return node.id, keys


def constant_key(node: ast.expr) -> str | None:
    """The key that a look-up names; None where it is computed, or where it is none."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        key: Any = node.slice.value
        return key if isinstance(key, str) else None
    return None


def base_of(node: ast.expr) -> ast.expr:
    """What a look-up looks into."""
    assert isinstance(node, ast.Attribute | ast.Subscript)
    return node.value
