"""The operators as calls: right for every JSON value, each a function call."""

from __future__ import annotations

import ast

from bff.expressions.code import Blocks, Code, constant, uses_of
from bff.expressions.operators import equals_plainly

ORDERINGS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "_less"),
    ast.LtE: ("<=", "_less_equal"),
    ast.Gt: (">", "_greater"),
    ast.GtE: (">=", "_greater_equal"),
}
ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Sub: ("-", "_subtract"),
    ast.Mult: ("*", "_multiply"),
    ast.Div: ("/", "_divide"),
    ast.FloorDiv: ("//", "_floor_divide"),
    ast.Mod: ("%", "_modulo"),
}
_SCALARS = frozenset({"text", "number", "boolean", "null"})


class Safe:
    """Writes operators; its parts are settled already."""

    def __init__(self, blocks: Blocks) -> None:
        self.blocks = blocks

    def key(self, base: Code, name: str, *, of_struct: bool = False) -> Code:
        """`base.name`; `of_struct` says whether base is a struct or null."""
        if base.kind in _SCALARS:
            return constant(None)
        return Code(f"_get({base.text}, {name!r})", base.uses)

    def item(self, base: Code, key: Code) -> Code:
        """`base[key]`"""
        return Code(f"_item(_ev, {base.text}, {key.text})", uses_of([base, key]))

    def compare(self, sign: ast.cmpop, left: Code, right: Code) -> Code:
        if isinstance(sign, (ast.Is, ast.IsNot)):
            return self.identity(left, "None", isinstance(sign, ast.IsNot))
        if isinstance(sign, (ast.Eq, ast.NotEq)):
            return self.equality(left, right, isinstance(sign, ast.NotEq))
        if isinstance(sign, (ast.In, ast.NotIn)):
            return _negated(self.membership(left, right), isinstance(sign, ast.NotIn))
        return self.ordering(*ORDERINGS[type(sign)], left, right)

    def identity(self, left: Code, right: str, negative: bool) -> Code:
        if left.is_constant:
            return constant((repr(left.constant) == right) is not negative)
        return Code(f"({left.text} {'is not' if negative else 'is'} {right})", left.uses, kind="boolean")

    def equality(self, left: Code, right: Code, negative: bool) -> Code:
        if left.is_constant:
            left, right = right, left
        if right.is_constant and (right.constant is None or isinstance(right.constant, bool)):
            return self.identity(left, right.text, negative)
        if right.is_constant and equals_plainly(right.constant):
            sign = "!=" if negative else "=="
            return Code(f"({left.text} {sign} {right.text})", left.uses, kind="boolean")
        return _negated(self.equal(left, right), negative)

    def equal(self, left: Code, right: Code) -> Code:
        return Code(f"_equal(_ev, {left.text}, {right.text})", uses_of([left, right]), kind="boolean")

    def membership(self, left: Code, right: Code) -> Code:
        return Code(f"_contains(_ev, {left.text}, {right.text})", uses_of([left, right]), kind="boolean")

    def ordering(self, sign: str, name: str, left: Code, right: Code) -> Code:
        return Code(f"{name}(_ev, {left.text}, {right.text})", uses_of([left, right]))

    def arithmetic(self, operator: ast.operator, left: Code, right: Code) -> Code:
        if isinstance(operator, ast.Add):
            return self.addition(left, right)
        return self.calculation(*ARITHMETIC[type(operator)], left, right)

    def addition(self, left: Code, right: Code) -> Code:
        return Code(f"_add(_ev, {left.text}, {right.text})", uses_of([left, right]))

    def calculation(self, sign: str, name: str, left: Code, right: Code) -> Code:
        return Code(f"{name}(_ev, {left.text}, {right.text})", uses_of([left, right]))

    def mapping_key(self, code: Code) -> str:
        return code.text if code.kind == "text" and code.is_constant else f"_key(_ev, {code.text})"


def _negated(code: Code, negative: bool) -> Code:
    return Code(f"(not {code.text})", code.uses, kind="boolean") if negative else code
