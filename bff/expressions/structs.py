"""What is known at load of values that are made of structs: which are some, and how deep they nest.

The members of replies that are read by their names are attributes of structs (`plan/partial_decoding.py` makes the
types), and what a page shows of them may be written out as structs, too.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable

from bff.expressions.inspect import aliases_of, aliases_of_tree, item_aliases
from bff.expressions.paths import ANY, Path, Scope
from bff.expressions.tree import Constant, Each, Expression, Mapping, Sequence, Tree
from bff.expressions.values import MEMBER_DEPTH

IsStruct = Callable[[Path], bool]
"""Whether what is at a path is a struct or null, where replies are what they are every day."""

_SCALARS = frozenset(
    (
        "abs",
        "all",
        "any",
        "count",
        "digest",
        "endswith",
        "epoch",
        "float",
        "instant",
        "int",
        "join",
        "language",
        "len",
        "lower",
        "round",
        "shift",
        "start_of",
        "startswith",
    )
) | {"str", "strip", "upper", "matches", "sub", "url_encode", "url", "base64", "unbase64", "to_json", "seal"}
"""Functions that give neither lists nor mappings."""


def gives_struct(node: ast.expr, scope: Scope, is_struct: IsStruct) -> bool:
    """Whether a value is always a part of a reply that is a struct, or null."""
    aliases = aliases_of(node, scope)
    return bool(aliases) and all(
        not (alias.wraps or alias.tested) and is_struct(alias.path) for alias in aliases
    )


class Depths:
    """How many levels values nest, at most; None where nobody knows. `functions` are the project's."""

    def __init__(self, is_struct: IsStruct, functions: Collection[str]) -> None:
        self._is_struct = is_struct
        self._functions = functions
        self._lets: dict[str, int | None] = {}

    def of_root(self, tree: Mapping) -> int | None:
        """How deep a tree nests that is made as a struct; None where it cannot be one."""
        return self.of_tree(tree, {}) if can_be_members(key for key, _ in tree.items) else None

    def of_tree(self, tree: Tree, scope: Scope) -> int | None:
        match tree:
            case Constant():
                return 0
            case Expression():
                return self._of_node(tree.node, scope)
            case Mapping():
                return _around(self.of_tree(value, scope) for _, value in tree.items)
            case Sequence():
                return _around(self.of_tree(value, scope) for value in tree.items)
            case Each():
                for clause in tree.clauses:
                    scope = {**scope, clause.variable: item_aliases(clause, scope)}
                for let in tree.lets:
                    self._lets[let.name] = self.of_tree(let.value, scope)
                    scope = {**scope, let.name: aliases_of_tree(let.value, scope)}
                return _around([self.of_tree(tree.item, scope)])

    def _of_node(self, node: ast.expr, scope: Scope) -> int | None:
        match node:
            case ast.Constant() | ast.Compare() | ast.JoinedStr() | ast.UnaryOp():
                return 0
            case ast.Name(id=name):
                return self._lets.get(name)
            case ast.Attribute(value=base):
                return self._of_member(base, scope)
            case ast.Subscript(value=base, slice=ast.Constant(value=str())):
                return self._of_member(base, scope)
            case ast.IfExp(body=body, orelse=orelse):
                return self._of_any([body, orelse], scope)
            case ast.BoolOp(values=values):
                return self._of_any(values, scope)
            case ast.List(elts=values) | ast.Dict(values=values):
                return _around(self._of_node(value, scope) for value in values)
            case ast.ListComp(generators=loops, elt=element):
                return _around([self._of_node(element, _within(loops, scope))])
            case ast.Call(func=ast.Name(id=name), args=arguments) if name not in self._functions:
                if name == "default":
                    return self._of_any(arguments, scope)
                return 0 if name in _SCALARS else None
        return None

    def _of_member(self, base: ast.expr, scope: Scope) -> int | None:
        return MEMBER_DEPTH if gives_struct(base, scope, self._is_struct) else None

    def _of_any(self, nodes: Iterable[ast.expr], scope: Scope) -> int | None:
        found = [self._of_node(node, scope) for node in nodes]
        return None if None in found else max(depth for depth in found if depth is not None)


def _around(depths: Iterable[int | None]) -> int | None:
    """The depth of a list or mapping of such values."""
    found = list(depths)
    return None if None in found else 1 + max((depth for depth in found if depth is not None), default=0)


def _within(loops: Iterable[ast.comprehension], scope: Scope) -> Scope:
    for loop in loops:
        assert isinstance(loop.target, ast.Name)
        scope = {**scope, loop.target.id: frozenset(alias.at(ANY) for alias in aliases_of(loop.iter, scope))}
    return scope


def can_be_members(keys: Iterable[str]) -> bool:
    """Whether a struct can be written out with these keys."""
    return all(ord(character) >= 32 and character not in '"\\' for key in keys for character in key)
