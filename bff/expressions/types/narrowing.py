"""What is known where a condition is true, or where it is false."""

from __future__ import annotations

import ast
from typing import Any, Protocol

from bff.expressions.types import members
from bff.expressions.types.choices import (
    Keep,
    equal_to,
    falsy,
    kept,
    not_equal_to,
    not_null,
    truthy,
)
from bff.expressions.types.facts import Facts, joined, keys_below_name
from bff.types.model import Type, union_of


class Types(Protocol):
    """What tells types of expressions."""

    trusting: bool

    def of(self, node: ast.expr, facts: Facts) -> Type:
        """The type of an expression."""
        ...

    def options(self, one: Type) -> tuple[Type, ...]:
        """The options of a type."""
        ...


def narrowed(types: Types, node: ast.expr, facts: Facts, *, truth: bool) -> Facts:
    """The facts, and what a condition says of them where it is true (or false)."""
    match node:
        case ast.BoolOp(op=sign, values=values):
            return _of_several(
                types, values, facts, truth=truth, one_after_other=isinstance(sign, ast.And) is truth
            )
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return narrowed(types, operand, facts, truth=not truth)
        case ast.Compare(left=left, ops=[sign], comparators=[right]):
            return _of_comparison(types, left, sign, right, facts, truth=truth)
        case ast.Compare(left=left, ops=signs, comparators=rights) if truth:
            for sign, right in zip(signs, rights, strict=True):
                facts = _of_comparison(types, left, sign, right, facts, truth=True)
                left = right
            return facts
        case ast.Name() | ast.Attribute() | ast.Subscript():
            return _restricted(types, node, facts, truthy if truth else falsy)
        case ast.IfExp():
            return facts
    return facts


def _of_several(
    types: Types, values: list[ast.expr], facts: Facts, *, truth: bool, one_after_other: bool
) -> Facts:
    """Of all of some conditions; or of the first that decides, whichever that is."""
    if one_after_other:
        for value in values:
            facts = narrowed(types, value, facts, truth=truth)
        return facts
    ways, before = [], facts
    for value in values:
        ways.append(narrowed(types, value, facts, truth=truth))
        facts = narrowed(types, value, facts, truth=not truth)
    return joined(before, ways)


def _of_comparison(
    types: Types, left: ast.expr, sign: ast.cmpop, right: ast.expr, facts: Facts, *, truth: bool
) -> Facts:
    if isinstance(sign, ast.In | ast.NotIn):
        return _of_membership(types, left, right, facts, truth=truth is isinstance(sign, ast.In))
    if isinstance(sign, ast.Is | ast.IsNot | ast.Eq | ast.NotEq):
        same = truth is isinstance(sign, ast.Is | ast.Eq)
        for one, other in ((left, right), (right, left)):
            if isinstance(other, ast.Constant):
                value: Any = other.value
                return _restricted(types, one, facts, (equal_to if same else not_equal_to)(value))
        return facts
    if truth:  # of null no order is true
        facts = _restricted(types, left, facts, not_null)
        facts = _restricted(types, right, facts, not_null)
    return facts


def _of_membership(types: Types, left: ast.expr, right: ast.expr, facts: Facts, *, truth: bool) -> Facts:
    """What `x in ['a', 'b']` says of x, and `'a' in x` of x."""
    constants = [part.value for part in getattr(right, "elts", [None]) if isinstance(part, ast.Constant)]
    if isinstance(right, ast.List) and len(constants) == len(right.elts):
        values: list[Any] = constants
        if not truth:
            for value in values:
                facts = _restricted(types, left, facts, not_equal_to(value))
            return facts
        return _restricted(
            types, left, facts, lambda one: union_of(*(equal_to(value)(one) for value in values))
        )
    return facts


def _restricted(types: Types, node: ast.expr, facts: Facts, keep: Keep) -> Facts:
    """The facts with what is kept of a name or look-up."""
    if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        return facts
    found = keys_below_name(node)
    if found is not None and found[0] in facts.names:
        name, keys = found
        before = types.options(facts.names[name])
        after = members.refined(before, keys, keep, trusting=types.trusting)
        if after != union_of(*before):
            facts = facts.narrowed(name, after)
        if not keys:
            return facts
    now = kept(types.options(types.of(node, facts)), keep)
    return facts.refine(node, now)
