"""What expressions make of time: which of their values are instants or days, and what holds the moment of the page.

It follows values through names, loops, mappings and functions. Where it loses one, it says nothing of it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, Protocol

from msgspec import Struct
from msgspec.structs import replace

from bff.expressions.tree import Constant, Each, EachClause, Expression, Tree
from bff.expressions.tree import Mapping as MappingTree
from bff.expressions.tree import Sequence as SequenceTree

Kind = Literal["instant", "day", "number", "text", "outside"]
"""An instant in its one form; a day of a zone; a number; a time written otherwise; what was sent, as it came.

A day of UTC is none of these: as a text it stands where its midnight does.
"""

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ].*")
_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_INSTANTS = frozenset({"instant", "shift", "start_of", "now"})
_STOPS = frozenset({"start_of", "date", "days", "local", "len", "count", "any", "all", "int", "round"})
_STOPS |= {"startswith", "endswith", "matches", "language"}
"""What these give is the same for a while, or does not tell the moment."""


class Made(Struct, frozen=True):
    """What may be known of a value: its `kinds`, what each `element` or key holds, and its `members` by name.

    `moment` is what in the expression brings in the moment of the page, which is another one for each request.
    """

    kinds: frozenset[Kind] = frozenset()
    element: Made | None = None
    members: Mapping[str, Made] = MappingProxyType({})
    moment: ast.expr | None = None


NOTHING = Made()
OUTSIDE = Made(frozenset({"outside"}))
_INSTANT, _DAY, _NUMBER, _TEXT = (Made(frozenset({kind})) for kind in ("instant", "day", "number", "text"))


class Orders(Protocol):
    """Is told of values that are put in order."""

    def begin(self, expression: Expression) -> None:
        """What follows stands in this expression."""
        ...

    def pair(self, left: ast.expr, one: Made, right: ast.expr, other: Made) -> None:
        """Two values are compared by their order."""
        ...

    def items(self, node: ast.expr, element: Made) -> None:
        """The items of a list are put in order."""
        ...


Names = Mapping[str, Made]


def either(*found: Made) -> Made:
    """One of some values."""
    if len(found) == 1:
        return found[0]
    elements = [one.element for one in found if one.element is not None]
    keys = dict.fromkeys(key for one in found for key in one.members)
    return Made(
        frozenset().union(*(one.kinds for one in found)),
        either(*elements) if elements else None,
        {key: either(*(member(one, key) for one in found)) for key in keys},
        next((one.moment for one in found if one.moment is not None), None),
    )


def member(one: Made, key: str) -> Made:
    """What is under a key."""
    if key in one.members:
        return one.members[key]
    return _below(one, [] if one.element is None else [one.element])


def item(one: Made) -> Made:
    """What is in a list, or under some key."""
    inner = [] if one.element is None else [one.element]
    return _below(one, [*inner, *one.members.values()])


def _below(one: Made, inner: list[Made]) -> Made:
    if "outside" in one.kinds:
        inner.append(OUTSIDE)
    return either(*inner) if inner else NOTHING


def moment_in(one: Made | None) -> ast.expr | None:
    """What brings the moment of the page into a value, or into something that is in it."""
    if one is None or one.moment is not None:
        return None if one is None else one.moment
    return next(filter(None, map(moment_in, (one.element, *one.members.values()))), None)


def _called(one: Made, node: ast.Name) -> Made:
    """A value that is called by a name: where it holds the moment of the page, the name brings that in."""
    return Made(
        one.kinds,
        None if one.element is None else _called(one.element, node),
        {key: _called(inner, node) for key, inner in one.members.items()},
        None if one.moment is None else node,
    )


class Moments:
    """Tells what values are; `orders` is told of those that are put in order."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    def of_tree(self, tree: Tree, names: Names) -> Made:
        """What the value of a tree is."""
        match tree:
            case Expression():
                self._orders.begin(tree)
                return self.of(tree.node, names)
            case MappingTree(items=items):
                return Made(members={key: self.of_tree(one, names) for key, one in items})
            case SequenceTree(items=parts):
                return _list([self.of_tree(one, names) for one in parts])
            case Each(clauses=clauses, lets=lets, item=inner):
                for clause in clauses:
                    names = self.within(clause, names)
                for let in lets:
                    names = {**names, let.name: self.of_tree(let.value, names)}
                return Made(element=self.of_tree(inner, names))
            case Constant(value=value):
                return _constant(value)

    def within(self, clause: EachClause, names: Names) -> Names:
        """The names where the variable of a clause stands for one item."""
        inner = {**names, clause.variable: item(self.of_tree(clause.source, names))}
        if clause.condition is not None:
            self.of_tree(clause.condition, inner)
        return inner

    def of(self, node: ast.expr, names: Names) -> Made:
        """What the value of an expression is."""
        match node:
            case ast.Constant(value=value):
                return _constant(value)
            case ast.Name(id=name):
                found = names.get(name, NOTHING)
                return found if moment_in(found) is None else _called(found, node)
            case (
                ast.Attribute(value=base, attr=key)
                | ast.Subscript(value=base, slice=ast.Constant(value=str(key)))
            ):
                return member(self.of(base, names), key)
            case ast.Subscript(value=base, slice=ast.Slice() as bounds):
                return self._cut(self.of(base, names), bounds, names)
            case ast.Subscript(value=base, slice=key):
                self.of(key, names)
                return item(self.of(base, names))
            case ast.BoolOp(op=sign, values=values):
                parts = [self.of(value, names) for value in values]
                return parts[-1] if isinstance(sign, ast.And) else either(*parts)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                self.of(test, names)
                return either(self.of(body, names), self.of(orelse, names))
            case ast.Compare():
                self._compare(node, names)
                return NOTHING
            case ast.BinOp(left=left, op=operator, right=right):
                return _calculated(operator, self.of(left, names), self.of(right, names))
            case ast.List(elts=values):
                return _list([self.of(value, names) for value in values])
            case ast.Dict(keys=keys, values=values):
                return self._mapping(keys, values, names)
            case ast.ListComp(generators=loops, elt=value) | ast.GeneratorExp(generators=loops, elt=value):
                return Made(element=self.of(value, self._looped(loops, names)))
            case ast.DictComp(generators=loops, key=key, value=value):
                inner = self._looped(loops, names)
                self.of(key, inner)
                return Made(element=self.of(value, inner))
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self._call(node, name, arguments, [self.of(one, names) for one in arguments])
        children = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        return _mixed([self.of(child, names) for child in children])

    def _compare(self, node: ast.Compare, names: Names) -> None:
        sides = [node.left, *node.comparators]
        found = [self.of(side, names) for side in sides]
        for at, sign in enumerate(node.ops):
            if isinstance(sign, ast.Lt | ast.LtE | ast.Gt | ast.GtE):
                self._orders.pair(sides[at], found[at], sides[at + 1], found[at + 1])

    def _cut(self, base: Made, bounds: ast.Slice, names: Names) -> Made:
        for bound in (bounds.lower, bounds.upper, bounds.step):
            if bound is not None:
                self.of(bound, names)
        return NOTHING if "instant" in base.kinds else replace(base, moment=None)

    def _mapping(self, keys: Sequence[ast.expr | None], values: Sequence[ast.expr], names: Names) -> Made:
        found = [self.of(value, names) for value in values]
        known = [key.value if isinstance(key, ast.Constant) else None for key in keys]
        for key in keys:
            if key is not None:
                self.of(key, names)
        if all(isinstance(key, str) for key in known):
            return Made(members={str(key): one for key, one in zip(known, found, strict=True)})
        return _list(found)

    def _looped(self, loops: Sequence[ast.comprehension], names: Names) -> Names:
        for loop in loops:
            assert isinstance(loop.target, ast.Name)
            names = {**names, loop.target.id: item(self.of(loop.iter, names))}
            for condition in loop.ifs:
                self.of(condition, names)
        return names

    def _call(self, node: ast.Call, name: str, nodes: Sequence[ast.expr], given: Sequence[Made]) -> Made:
        brought = next(filter(None, map(moment_in, given)), None)
        moment = None if name in _STOPS and not _is_of_seconds(name, nodes) else brought
        if name in _INSTANTS:
            return replace(_INSTANT, moment=node if name == "now" else moment)
        if name in ("min", "max"):
            return self._extreme(nodes, given)
        if name in ("sort", "unique"):
            if name == "sort":
                self._sorted(nodes, given[0])
            return given[0]
        if name in ("date", "days", "local"):
            return _days(name, nodes, brought)
        found = _GIVEN.get(name)
        return replace(NOTHING, moment=moment) if found is None else found(given, moment)

    def _extreme(self, nodes: Sequence[ast.expr], given: Sequence[Made]) -> Made:
        if len(given) == 1:
            self._orders.items(nodes[0], item(given[0]))
            return item(given[0])
        for at in range(1, len(given)):
            self._orders.pair(nodes[0], given[0], nodes[at], given[at])
        return either(*given)

    def _sorted(self, nodes: Sequence[ast.expr], items: Made) -> None:
        keys = [node.value for node in nodes[1:] if isinstance(node, ast.Constant)]
        names = [key.removeprefix("-") for key in keys if isinstance(key, str)]
        for name in names or [""]:
            self._orders.items(nodes[0], member(item(items), name) if name else item(items))


# --- what functions and operators make ---------------------------------------------------------------------------


def _constant(value: object) -> Made:
    if isinstance(value, str):
        return _TEXT if _TIME.fullmatch(value) and not _FORM.fullmatch(value) else NOTHING
    return _NUMBER if isinstance(value, int | float) and not isinstance(value, bool) else NOTHING


def _list(found: Sequence[Made]) -> Made:
    return Made(element=either(*found)) if found else NOTHING


def _mixed(found: Sequence[Made]) -> Made:
    """Something else that is made of some values."""
    return Made(moment=next(filter(None, map(moment_in, found)), None))


def _calculated(operator: ast.operator, one: Made, other: Made) -> Made:
    if isinstance(operator, ast.FloorDiv | ast.Mod):
        return NOTHING
    elements = [part.element for part in (one, other) if part.element is not None]
    return replace(_mixed([one, other]), element=either(*elements) if elements else None)


def _is_of_seconds(name: str, nodes: Sequence[ast.expr]) -> bool:
    """Whether something begins anew each second."""
    unit = nodes[1] if name == "start_of" and len(nodes) > 1 else None
    return isinstance(unit, ast.Constant) and unit.value == "second"


def _days(name: str, nodes: Sequence[ast.expr], moment: ast.expr | None) -> Made:
    zone = nodes[1] if len(nodes) > 1 else ast.Constant("UTC")
    day = NOTHING if isinstance(zone, ast.Constant) and zone.value == "UTC" else _DAY
    parts = {"date": day, "time": Made(moment=moment)}  # the other parts last for a minute and more
    return {"date": day, "days": Made(element=day), "local": Made(members=parts)}[name]


def _merged(given: Sequence[Made], _: ast.expr | None) -> Made:
    """One mapping of several: what a later one may have stands beside what an earlier one has."""
    found = given[0]
    for one in given[1:]:
        keys = dict.fromkeys((*found.members, *one.members))
        members = {
            key: one.members[key] if key in one.members else either(found.members[key], member(one, key))
            for key in keys
        }
        found = replace(either(found, one), members=members)
    return found


_GIVEN: Mapping[str, Callable[[Sequence[Made], ast.expr | None], Made]] = {
    "epoch": lambda given, moment: replace(_NUMBER, moment=moment),
    "default": lambda given, moment: either(*given),
    "index": lambda given, moment: Made(element=item(given[0])),
    "group": lambda given, moment: Made(element=Made(element=item(given[0]))),
    "values": lambda given, moment: Made(element=item(given[0])),
    "items": lambda given, moment: Made(element=Made(members={"value": item(given[0])})),
    "merge": _merged,
    "pick": lambda given, moment: given[0],
    "omit": lambda given, moment: given[0],
}
"""What functions give that hand on what they are given."""
