"""What one turn of a loop costs, known before it runs: work in nodes, memory in bytes.

What an inner loop, a text or a function builds is paid for when it is built and is not in here.
"""

from __future__ import annotations

import ast

from bff.expressions.tree import Constant, Each, Expression, Mapping, Sequence, Tree

_COMPREHENSIONS = (ast.ListComp, ast.DictComp, ast.GeneratorExp)


def work(part: ast.expr | Tree) -> int:
    """Nodes that evaluating a part takes, without the turns of loops in it."""
    if isinstance(part, (Each, Constant)):
        return 2
    if isinstance(part, Expression):
        return work(part.node)
    if isinstance(part, Sequence):
        return 1 + sum(map(work, part.items))
    if isinstance(part, Mapping):
        return 1 + sum(1 + work(value) for _, value in part.items)
    if isinstance(part, _COMPREHENSIONS):
        return 2 + work(part.generators[0].iter)
    own = 4 if isinstance(part, (ast.Call, ast.JoinedStr, ast.FormattedValue)) else 1
    return own + sum(work(child) for child in ast.iter_child_nodes(part) if isinstance(child, ast.expr))


def size(part: ast.expr | Tree) -> int:
    """Bytes that the value of a part takes beside what is there already."""
    if isinstance(part, (Each, Constant)):
        return 0
    if isinstance(part, Expression):
        return size(part.node)
    if isinstance(part, Sequence):
        return _list_size(list(part.items))
    if isinstance(part, Mapping):
        return _mapping_size([value for _, value in part.items])
    if isinstance(part, ast.List):
        return _list_size(part.elts)
    if isinstance(part, ast.Dict):
        return _mapping_size(part.values) + 60 * sum(not isinstance(key, ast.Constant) for key in part.keys)
    if isinstance(part, (ast.BinOp, ast.UnaryOp)):
        return 32
    if isinstance(part, ast.IfExp):
        return max(size(part.body), size(part.orelse))
    return sum(map(size, part.values)) if isinstance(part, ast.BoolOp) else 0


def _list_size(values: list[ast.expr] | list[Tree]) -> int:
    return 64 + sum(8 + size(value) for value in values)


def _mapping_size(values: list[ast.expr] | list[Tree]) -> int:
    return 200 + sum(50 + size(value) for value in values)
