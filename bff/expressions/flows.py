"""Which parts of a text do not come from the recipe itself, for parameters that hold a filter language."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from bff.expressions.tree import Each, Expression, Sequence, Tree
from bff.expressions.tree import Mapping as TreeMapping

_GIVES_LISTS = frozenset({"sort", "unique", "index", "group", "values", "pick", "omit", "merge"})
_PASSES_ON = _GIVES_LISTS - {"merge"} | {"str"}


@dataclass(frozen=True, slots=True)
class Flow:
    """A part that may carry foreign text; `name` if it is a plain name, which may be a value step to follow."""

    text: str
    offset: int
    length: int
    name: str | None = None


def flows(tree: Tree, quotes: Collection[str] = ("quote",)) -> tuple[Flow, ...]:
    """The parts of a tree's texts that are neither constant nor a call of one of the client's quote functions.

    Followed through f-strings, `+`, `join`, `default`, conditional values, displays and loops. Conditions and the
    lists that loops go over are free: they choose text, they are none.
    """
    return tuple(dict.fromkeys(_flows(tree, frozenset(quotes), {})))


def _flows(tree: Tree, quotes: frozenset[str], known: _Loops) -> list[Flow]:
    if isinstance(tree, Expression):
        return _Tracer(tree.text, quotes).trace(tree.node, known)
    if isinstance(tree, Sequence):
        return [flow for item in tree.items for flow in _flows(item, quotes, known)]
    if isinstance(tree, TreeMapping):
        return [flow for _, item in tree.items for flow in _flows(item, quotes, known)]
    if isinstance(tree, Each):
        for clause in tree.clauses:
            # The variable of a list of constants is one itself.
            source = _Tracer(clause.text, quotes).trace(clause.source.node, known)
            known = {**known, clause.variable: bool(source)}
        for let in tree.lets:
            known = {**known, let.name: bool(_flows(let.value, quotes, known))}
        return _flows(tree.item, quotes, known)
    return []


def _is_text(key: ast.expr) -> bool:
    return isinstance(key, ast.Constant) and isinstance(key.value, str)


def _holds_texts(node: ast.expr) -> bool:
    """Whether a part of it is a whole element: a part of a text is a text without its quotes."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in _GIVES_LISTS
    return isinstance(node, (ast.Constant, ast.List, ast.Dict, ast.ListComp, ast.DictComp))


_Loops = Mapping[str, bool]


@dataclass(frozen=True)
class _Tracer:
    text: str
    quotes: frozenset[str]

    def trace(self, node: ast.expr, loops: _Loops) -> list[Flow]:
        """The foreign parts of a node's text; `loops` tells of each loop variable whether it is foreign."""
        match node:
            case ast.Constant() | ast.Compare():
                return []
            case ast.UnaryOp(op=ast.Not()):
                return []
            case ast.Name(id=name) if name in loops:
                return [self.flow(node)] if loops[name] else []
            case ast.Name(id=name):
                return [self.flow(node, name)]
            case ast.JoinedStr(values=parts):
                return self.any_of(parts, loops)
            case ast.FormattedValue(value=value, format_spec=spec):
                # A format such as .3 cuts the closing quote off.
                cut = spec is not None and not isinstance(value, ast.Constant)
                return [self.flow(value)] if cut else self.trace(value, loops)
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                return self.any_of([left, right], loops)
            case ast.IfExp(body=body, orelse=orelse):
                return self.any_of([body, orelse], loops)
            case ast.BoolOp(values=values) | ast.List(elts=values):
                return self.any_of(values, loops)
            case ast.Dict(keys=keys, values=values):
                return self.any_of([*(key for key in keys if key is not None), *values], loops)
            case (
                ast.ListComp(generators=found, elt=element) | ast.GeneratorExp(generators=found, elt=element)
            ):
                return self.trace(element, self.within(found, loops))
            case ast.DictComp(generators=found, key=key, value=value):
                return self.any_of([key, value], self.within(found, loops))
            case ast.Subscript(value=value, slice=key) if not _is_text(key) and not _holds_texts(value):
                return [self.flow(node)]
            case ast.Subscript(value=value) | ast.Attribute(value=value):
                return [self.flow(node)] if self.trace(value, loops) else []
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self.call(node, name, arguments, loops)
        return [self.flow(node)]

    def call(self, node: ast.expr, name: str, arguments: list[ast.expr], loops: _Loops) -> list[Flow]:
        if name in self.quotes:
            return []
        if name in {"join", "default", "merge"}:
            return self.any_of(arguments, loops)
        if name in _PASSES_ON:
            return self.trace(arguments[0], loops)
        return [self.flow(node)]

    def within(self, found: list[ast.comprehension], loops: _Loops) -> _Loops:
        for loop in found:
            assert isinstance(loop.target, ast.Name)
            loops = {**loops, loop.target.id: bool(self.trace(loop.iter, loops))}
        return loops

    def any_of(self, nodes: Iterable[ast.expr], loops: _Loops) -> list[Flow]:
        return [flow for node in nodes for flow in self.trace(node, loops)]

    def flow(self, node: ast.expr, name: str | None = None) -> Flow:
        start, end = node.col_offset, node.end_col_offset or node.col_offset + 1
        return Flow(self.text[start:end], start, end - start, name)
