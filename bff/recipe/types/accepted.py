"""Whether `ok` of a step may accept a reply with another status than 2xx, of which its backend promises nothing."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator
from typing import Any

from bff.expressions.tree import Expression

_STATUSES = [*range(100, 200), *range(300, 600)]
_COMPARED: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def accepts_failures(ok: Expression) -> bool:
    """Whether the condition does not plainly rule out every status but 2xx."""
    return any(_truth(ok.node, status) is not False for status in _STATUSES)


def _truth(node: ast.expr, status: int) -> bool | None:
    """Whether a condition is true of a status; None where other things decide."""
    match node:
        case ast.Constant(value=value):
            return bool(value)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            found = _truth(operand, status)
            return None if found is None else not found
        case ast.BoolOp(op=sign, values=values):
            decides = isinstance(sign, ast.Or)
            parts = [_truth(value, status) for value in values]
            if decides in parts:
                return decides
            return None if None in parts else not decides
        case ast.Compare(left=left, ops=signs, comparators=rights):
            parts = list(_comparisons([left, *rights], signs, status))
            if False in parts:
                return False
            return None if None in parts else True
    return None


def _comparisons(values: list[ast.expr], signs: list[ast.cmpop], status: int) -> Iterator[bool | None]:
    for left, sign, right in zip(values, signs, values[1:], strict=False):
        one, other = _number(left, status), _number(right, status)
        compare = _COMPARED.get(type(sign))
        if isinstance(sign, ast.In | ast.NotIn) and one is not None and isinstance(right, ast.List):
            listed = [_number(item, status) for item in right.elts]
            yield None if None in listed else (one in listed) is isinstance(sign, ast.In)
        else:
            yield None if one is None or other is None or compare is None else compare(one, other)


def _number(node: ast.expr, status: int) -> int | None:
    match node:
        case ast.Constant(value=bool()):
            return None
        case ast.Constant(value=int() as number):
            return number
        case ast.Attribute(value=ast.Name(id="reply"), attr="status"):
            return status
        case ast.Subscript(value=ast.Name(id="reply"), slice=ast.Constant(value="status")):
            return status
    return None
