"""Makes one Python function of each tree of a recipe, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import CodeType
from typing import Any

from bff.expressions.generate import Source, generate
from bff.expressions.paths import Scope
from bff.expressions.running import OWN, PLACE, QUOTES, Compiled
from bff.expressions.structs import Depths, IsStruct
from bff.expressions.tree import Mapping as MappingTree

__all__ = ["Compiled", "compile_tree"]


def compile_tree(
    tree: Source,
    *,
    functions: Mapping[str, Callable[..., Any]] | None = None,
    quotes: Mapping[str, Callable[[str], str]] | None = None,
    is_struct: IsStruct | None = None,
    scope: Scope | None = None,
    is_written: bool = False,
) -> Compiled:
    """The function of a tree; of a path the list of its holes' values, of a clause the list of selected items.

    `functions` are the project's, `quotes` the filter languages of the step's client. A name that is in neither nor
    in the library is a `LookupError`. `is_struct` says which parts of replies are decoded into structs, and `scope`
    what the loop variables around the tree stand for. One that `is_written` is made for nothing but to be encoded: its
    fast version gives a struct where it is known how deep that nests, at most.
    """
    functions, quotes = functions or {}, quotes or {}
    depth = None
    if is_written and is_struct is not None and isinstance(tree, MappingTree):
        depth = Depths(is_struct, functions.keys()).of_root(tree)
    made: list[tuple[str, ...]] = []
    patterns: set[str] = set()
    text = generate(
        *(tree, functions.keys(), quotes.keys(), True, is_struct, scope),
        *(None if depth is None else made, patterns),
    )

    def source_of(fast: bool) -> str:
        return text if fast else generate(tree, functions.keys(), quotes.keys(), fast=False)

    def code_of(fast: bool) -> CodeType:
        return compile(source_of(fast), PLACE, "exec")

    compiled = Compiled(
        code_of,
        {name: function for name, function in functions.items() if f"{OWN}{name}(" in text},
        {name: quote for name, quote in quotes.items() if f"{QUOTES}{name}(" in text},
        source_of,
        tuple(made),
        depth,
        tuple(sorted(patterns)),
    )
    compiled.prepare()
    return compiled
