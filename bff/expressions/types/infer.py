"""The type of an expression, node by node."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Protocol

from bff.expressions.tree import Expression
from bff.expressions.types import members
from bff.expressions.types.arithmetic import calculated, negated, ordered
from bff.expressions.types.choices import either, elements, falsy, kept, truthy
from bff.expressions.types.facts import Facts, constant_key
from bff.expressions.types.members import seen
from bff.expressions.types.narrowing import narrowed
from bff.expressions.values import MAX_KEY, key_text
from bff.types.model import (
    BOOLEAN,
    NEVER,
    NULL,
    STRING,
    Array,
    Literal,
    Member,
    Record,
    Type,
    Unknown,
    union_of,
)

Calls = Callable[["Inference", str, Sequence[ast.expr], Sequence[Type]], Type]
"""What a function gives, by its name, its arguments and their types."""


Along = Sequence[tuple[str, Sequence[Type]]]
"""The keys of a path, each with the options of what it is looked up in."""


class Watch(Protocol):
    """Is told what is looked up in what, and what is gone over."""

    def begin(self, expression: Expression) -> None:
        """What follows stands in this expression."""
        ...

    def look_up(self, node: ast.expr, base: ast.expr, name: str, options: Sequence[Type]) -> None:
        """A member is looked up by its name in what has these options."""
        ...

    def iterate(self, node: ast.expr, options: Sequence[Type]) -> None:
        """What has these options is gone over as a list."""
        ...

    def field(self, node: ast.expr, items: ast.expr, path: Along) -> None:
        """A function is given the path of a field of the items of a list."""
        ...

    def pair(
        self, node: ast.expr, sign: ast.operator | ast.cmpop, left: Sequence[Type], right: Sequence[Type]
    ) -> None:
        """An operator of what has these options gives null, whatever they are."""
        ...

    def argument(self, node: ast.expr, function: str, kinds: Sequence[str], options: Sequence[Type]) -> None:
        """A function that takes these kinds is given what has these options, and none of them is of use."""
        ...


class Inference:
    """Types of expressions; it is `trusting` where what is expected is taken for what is there.

    `calls` knows the functions.
    """

    def __init__(self, calls: Calls, *, trusting: bool, watch: Watch | None = None) -> None:
        self._calls = calls
        self.trusting = trusting
        self.watch = watch

    def options(self, one: Type) -> tuple[Type, ...]:
        """The options of a type as they are seen here."""
        return seen(one, trusting=self.trusting)

    def of(self, node: ast.expr, facts: Facts) -> Type:
        """The type of the value of an expression."""
        known = facts.known(node)
        if known is not None:
            return known
        match node:
            case ast.Constant(value=value):
                return NULL if value is None else Literal(value)  # type: ignore[arg-type]
            case ast.Name(id=name):
                return facts.names.get(name, Unknown(f"nothing is known of '{name}'"))
            case ast.Attribute() | ast.Subscript():
                return self._look_up(node, facts)
            case ast.BoolOp(op=ast.And(), values=values):
                return self._and(values, facts)
            case ast.BoolOp(values=values):
                return self._or(values, facts)
            case ast.IfExp():
                return self._choice(node, facts)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self._not(self.of(operand, facts))
            case ast.UnaryOp(operand=operand):
                return self._negative(operand, facts)
            case ast.BinOp(left=left, op=operator, right=right):
                one, other = self._options_of(left, facts), self._options_of(right, facts)
                return self._of_pair(node, operator, (one, other), calculated(operator, one, other))
            case ast.Compare():
                return self._comparison(node, facts)
            case ast.JoinedStr(values=parts):
                return self._text(parts, facts)
            case ast.List(elts=values):
                return Array(either(*(self.of(value, facts) for value in values)))
            case ast.Dict(keys=keys, values=values):
                return self._mapping(keys, values, facts)
            case (
                ast.ListComp(generators=loops, elt=element) | ast.GeneratorExp(generators=loops, elt=element)
            ):
                return Array(self._in_loops(loops, [element], facts)[0])
            case ast.DictComp(generators=loops, key=key, value=value):
                _, found = self._in_loops(loops, [key, value], facts)
                return Record((), found)
            case ast.Call(func=ast.Name(id=name), args=arguments):
                types = [self.of(argument, facts) for argument in arguments]
                return self._calls(self, name, arguments, types)
        return Unknown("nobody knows what this gives")

    def _options_of(self, node: ast.expr, facts: Facts) -> tuple[Type, ...]:
        return self.options(self.of(node, facts))

    def _look_up(self, node: ast.Attribute | ast.Subscript, facts: Facts) -> Type:
        base = self._options_of(node.value, facts)
        key = constant_key(node)
        if key is not None:
            if self.watch is not None:
                self.watch.look_up(node, node.value, key, base)
            return members.member(base, key)
        assert isinstance(node, ast.Subscript)
        if isinstance(node.slice, ast.Slice):
            bounds = [node.slice.lower, node.slice.upper, node.slice.step]
            return members.cut(base, [NULL if bound is None else self.of(bound, facts) for bound in bounds])
        return members.item(base, self._options_of(node.slice, facts))

    # --- choices -------------------------------------------------------------------------------------------------

    def _and(self, values: Sequence[ast.expr], facts: Facts) -> Type:
        found: list[Type] = []
        for at, value in enumerate(values):
            one = self.of(value, facts)
            if at == len(values) - 1:
                return either(*found, one)
            found.append(kept(self.options(one), falsy))
            if kept(self.options(one), truthy) == NEVER:
                break
            facts = narrowed(self, value, facts, truth=True)
        return either(*found)

    def _or(self, values: Sequence[ast.expr], facts: Facts) -> Type:
        found: list[Type] = []
        for at, value in enumerate(values):
            one = self.of(value, facts)
            if at == len(values) - 1:
                return either(*found, one)
            found.append(kept(self.options(one), truthy))
            if kept(self.options(one), falsy) == NEVER:
                break
            facts = narrowed(self, value, facts, truth=False)
        return either(*found)

    def _choice(self, node: ast.IfExp, facts: Facts) -> Type:
        test = self._options_of(node.test, facts)
        found = []
        for part, branch, truth in ((truthy, node.body, True), (falsy, node.orelse, False)):
            if kept(test, part) != NEVER:
                found.append(self.of(branch, narrowed(self, node.test, facts, truth=truth)))
        return either(*found)

    def _not(self, one: Type) -> Type:
        options = self.options(one)
        can_be = kept(options, falsy) != NEVER, kept(options, truthy) != NEVER
        return {(True, False): Literal(True), (False, True): Literal(False)}.get(can_be, BOOLEAN)

    def _negative(self, operand: ast.expr, facts: Facts) -> Type:
        match operand:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return Literal(-value) if value <= 2**63 else NULL
        return negated(self._options_of(operand, facts))

    def _comparison(self, node: ast.Compare, facts: Facts) -> Type:
        pairs, left = [], node.left
        for sign, right in zip(node.ops, node.comparators, strict=True):
            one, other = self._options_of(left, facts), self._options_of(right, facts)
            is_order = isinstance(sign, ast.Lt | ast.LtE | ast.Gt | ast.GtE)
            pair = self._of_pair(node, sign, (one, other), ordered(one, other)) if is_order else BOOLEAN
            pairs.append(pair)
            left = right
        *first, last = pairs
        return union_of(*(kept(self.options(pair), falsy) for pair in first), last)

    def _of_pair(
        self,
        node: ast.expr,
        sign: ast.operator | ast.cmpop,
        pair: tuple[Sequence[Type], Sequence[Type]],
        one: Type,
    ) -> Type:
        if one == NULL and self.watch is not None:
            self.watch.pair(node, sign, *pair)
        return one

    # --- what is made --------------------------------------------------------------------------------------------

    def _text(self, parts: Sequence[ast.expr], facts: Facts) -> Type:
        written = ""
        for part in parts:
            if isinstance(part, ast.FormattedValue):
                self.of(part.value, facts)
                written = ""
        if any(isinstance(part, ast.FormattedValue) for part in parts):
            return STRING
        written = "".join(str(part.value) for part in parts if isinstance(part, ast.Constant))
        return Literal(written)

    def _mapping(self, keys: Sequence[ast.expr | None], values: Sequence[ast.expr], facts: Facts) -> Type:
        types = [self.of(value, facts) for value in values]
        names = [_name_of(key) for key in keys]
        for key in keys:
            if key is not None:
                self.of(key, facts)
        if None not in names:
            pairs = zip(names, types, strict=True)
            return Record(tuple({str(name): Member(one) for name, one in pairs}.items()))
        return Record((), either(*types))

    def _in_loops(
        self, loops: Sequence[ast.comprehension], values: Sequence[ast.expr], facts: Facts
    ) -> list[Type]:
        for loop in loops:
            assert isinstance(loop.target, ast.Name)
            facts = facts.with_name(loop.target.id, self.items_of(loop.iter, facts))
            for condition in loop.ifs:
                self.of(condition, facts)
                facts = narrowed(self, condition, facts, truth=True)
        return [self.of(value, facts) for value in values]

    def items_of(self, node: ast.expr, facts: Facts) -> Type:
        """What a loop over an expression gets, one by one."""
        options = self._options_of(node, facts)
        self.iterated(node, options)
        return elements(options)

    def iterated(self, node: ast.expr, options: Sequence[Type]) -> None:
        """Tell that something is gone over as a list."""
        if self.watch is not None:
            self.watch.iterate(node, options)


def _name_of(key: ast.expr | None) -> str | None:
    """The key of a mapping display, where it is a constant."""
    if not isinstance(key, ast.Constant):
        return None
    value = key.value
    text = key_text(value) if value is None or isinstance(value, str | bool | int | float) else None
    return text if text is not None and len(text) <= MAX_KEY else None
