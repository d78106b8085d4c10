"""What a recipe's trees are made of once their texts are parsed.

Offsets in an expression's nodes (`col_offset`, `end_col_offset`) count characters of its `text`, not bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    import ast


class Expression(Struct, frozen=True):
    """One checked expression; `origin` is the loader's map from offsets of `text` to places in a file.

    `text` is the whole text that offsets count in: of the hole of a path, that is the path.
    """

    text: str
    node: ast.expr
    origin: object | None = None

    @property
    def offset(self) -> int:
        return self.node.col_offset

    @property
    def length(self) -> int:
        return (self.node.end_col_offset or self.node.col_offset + 1) - self.node.col_offset

    @property
    def written(self) -> str:
        """The expression's own part of the text."""
        return self.text[self.offset : self.offset + self.length]


class EachClause(Struct, frozen=True):
    """`variable in source if condition`; `offset` is where the variable stands in the text."""

    variable: str
    source: Expression
    condition: Expression | None
    text: str
    origin: object | None = None
    offset: int = 0


class PathTemplate(Struct, frozen=True):
    """A request's path: `parts` are its constant texts and holes in order, `query` the text after `?`."""

    parts: tuple[str | Expression, ...]
    query: str
    text: str
    origin: object | None = None

    @property
    def holes(self) -> tuple[Expression, ...]:
        return tuple(part for part in self.parts if isinstance(part, Expression))


class Constant(Struct, frozen=True):
    """A YAML number, boolean or null that stands for itself."""

    value: bool | int | float | str | None


class Mapping(Struct, frozen=True):
    """A YAML mapping, its keys in the order written."""

    items: tuple[tuple[str, Tree], ...]


class Sequence(Struct, frozen=True):
    """A YAML list."""

    items: tuple[Tree, ...]


class Let(Struct, frozen=True):
    """A name for what a tree gives, worked out once for each item of a list; `origin` is where the name stands."""

    name: str
    value: Tree
    origin: object | None = None


class Each(Struct, frozen=True):
    """`{each: …, let: …, item: …}`: the flat list of what `item` makes of each item that the clauses select.

    Each clause sees the variables of those before it, each let those of all clauses and the lets before it.
    """

    clauses: tuple[EachClause, ...]
    item: Tree
    lets: tuple[Let, ...] = ()


Tree = Expression | Constant | Mapping | Sequence | Each
