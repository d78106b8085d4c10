"""Whether a read may not be made: a hole of its path that has no text, or an empty one, says so; its value is null."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from bff.expressions.tree import Expression
from bff.recipe.model import Request
from bff.types.model import BOOLEAN, INTEGER, NULL, NUMBER, STRING, Literal, Type, options

_NEVER_EMPTY = (BOOLEAN, INTEGER, NUMBER)


def may_be_unasked(step: Request, type_of: Callable[[Expression], Type]) -> bool:
    """Whether a hole of a read's path may be empty, by the type of each."""
    if step.writes:
        return False
    asked = set(_asked(step))
    for hole in step.path.holes:
        empty: tuple[Type, ...] = (STRING, NULL) if ast.dump(hole.node) in asked else ()
        if not _has_text(hole.node) and not all(
            one in empty or _is_text(one) for one in options(type_of(hole))
        ):
            return True
    return False


def _asked(step: Request) -> Iterator[str]:
    """What a step is made for only where it is true."""
    for condition in (step.when, None if step.each is None else step.each.condition):
        if condition is not None:
            yield from map(ast.dump, _all_of(condition.node))


def _all_of(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        for value in node.values:
            yield from _all_of(value)
    else:
        yield node


def _has_text(node: ast.expr) -> bool:
    """Whether it is plainly no empty text: a part of the page's own path, or one with a constant part."""
    match node:
        case ast.Attribute(value=ast.Name(id="path")) | ast.Subscript(value=ast.Name(id="path")):
            return True
        case ast.JoinedStr(values=values):
            return any(isinstance(value, ast.Constant) and bool(value.value) for value in values)
    return False


def _is_text(one: Type) -> bool:
    """Whether each value of a type has a text that is not empty."""
    return one in _NEVER_EMPTY or (isinstance(one, Literal) and one.value != "")
