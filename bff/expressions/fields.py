"""The paths of the page that a tree makes, each with what it reads: what of the page hangs on a step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bff.expressions.inspect import Inspection, aliases_of_tree, inspect_within, item_aliases
from bff.expressions.lets import names_of
from bff.expressions.paths import Scope
from bff.expressions.tree import Constant, Each, Expression, Sequence, Tree
from bff.expressions.tree import Mapping as MappingTree

_Lets = Mapping[str, Inspection]
"""What each let reads, by its name."""


def fields(tree: Tree) -> tuple[tuple[str, Inspection], ...]:
    """The paths of the page that a tree makes (`todos[*].helper`), each with what it reads.

    A list made by `each` has an entry of its own, `todos`, for what its clauses read. What a let reads is read where
    its name stands.
    """
    return tuple(_fields(tree, "", {}, {}))


def _fields(tree: Tree, path: str, scope: Scope, lets: _Lets) -> Iterator[tuple[str, Inspection]]:
    if isinstance(tree, MappingTree):
        for key, value in tree.items:
            step = f".{key}" if key.isidentifier() else f"[{key!r}]"
            yield from _fields(value, (path + step).removeprefix("."), scope, lets)
    elif isinstance(tree, Sequence):
        for position, value in enumerate(tree.items):
            yield from _fields(value, f"{path}[{position}]", scope, lets)
    elif isinstance(tree, Each):
        yield path, _reads(Each(tree.clauses, Constant(None)), scope, lets)
        for clause in tree.clauses:
            scope = {**scope, clause.variable: item_aliases(clause, scope)}
        for let in tree.lets:
            lets = {**lets, let.name: _reads(let.value, scope, lets)}
            scope = {**scope, let.name: aliases_of_tree(let.value, scope)}
        yield from _fields(tree.item, f"{path}[*]", scope, lets)
    elif isinstance(tree, Expression):
        yield path, _reads(tree, scope, lets)


def _reads(tree: Tree, scope: Scope, lets: _Lets) -> Inspection:
    """What a tree reads, by itself and by the lets that it names."""
    found = inspect_within(tree, scope)
    for name in sorted(names_of(tree) & lets.keys()) if lets else ():
        found |= lets[name]
    return found
