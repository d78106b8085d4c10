"""What expressions take for granted: values that they go over or read members of, and what they ask about first.

Only what is plainly a part of something counts: names, look-ups, slices, `sort` and `unique`. What may not be evaluated
takes nothing for granted: a branch of a choice, the right side of `and` and `or`, what stands behind a discriminator.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bff.expressions.inspect import OVER_LISTS, choices_of
from bff.expressions.lets import read_lets
from bff.expressions.paths import ANY, Path
from bff.expressions.tree import Constant, Each, EachClause, Expression, Let, PathTemplate, Sequence, Tree
from bff.expressions.tree import Mapping as MappingTree

Origins = Mapping[str, Path | None]
"""What loop variables stand for, None where that is computed."""

_SAME_ELEMENTS = frozenset({"sort", "unique"})


@dataclass(frozen=True, slots=True)
class Demands:
    """The paths that are `entered` by a position or key, those that are read through as an object or gone over.

    `asked` are those whose absence the expressions ask about, `read` all members that are read for certain.
    """

    objects: set[Path] = field(default_factory=set)
    entered: set[Path] = field(default_factory=set)
    lists: set[Path] = field(default_factory=set)
    asked: set[Path] = field(default_factory=set)
    read: set[Path] = field(default_factory=set)

    def add(
        self, part: Tree | PathTemplate | EachClause, origins: Origins, *, asks: bool, spared: bool
    ) -> None:
        """Add those of a part of a recipe; one that `asks` is a condition, a `spared` one may not be evaluated."""
        reader = _Reader(self)
        if isinstance(part, PathTemplate):
            for hole in part.holes:
                reader.visit(hole.node, origins, spared)
        elif isinstance(part, EachClause):
            reader.clause(part, origins, spared)
        else:
            reader.tree(part, origins, spared)
            if asks and isinstance(part, Expression):
                reader.ask(part.node, origins)


def path_of(node: ast.expr, origins: Origins) -> Path | None:
    """The path that an expression plainly stands for; None where it is computed or chosen."""
    match node:
        case ast.Name(id=name):
            return origins.get(name, (name,))
        case ast.Attribute(value=value, attr=key):
            return _below(path_of(value, origins), key)
        case ast.Subscript(value=value, slice=ast.Slice()):
            return path_of(value, origins)
        case ast.Subscript(value=value, slice=ast.Constant(value=str(key))):
            return _below(path_of(value, origins), key)
        case ast.Subscript(value=value):
            base = path_of(value, origins)
            return None if base is None else (*base, ANY)
        case ast.Call(func=ast.Name(id=name), args=[first, *_]) if name in _SAME_ELEMENTS:
            return path_of(first, origins)
    return None


def path_at(tree: Tree, path: Path, origins: Origins) -> Path | None:
    """The path that a path below the value of a tree plainly stands for; None where it is computed or chosen."""
    match tree:
        case Expression():
            base = path_of(tree.node, origins)
            return None if base is None else (*base, *path)
        case MappingTree() if path:
            inner = dict(tree.items).get(str(path[0]))
            return None if inner is None else path_at(inner, path[1:], origins)
        case Each() if path and path[0] is ANY and not any(map(is_choosy, tree.clauses)):
            for clause in tree.clauses:
                origins = {**origins, clause.variable: item_of(clause, origins)}
            return path_at(tree.item, path[1:], _with_lets(tree.lets, origins))
    return None


def _with_lets(lets: Iterable[Let], origins: Origins) -> Origins:
    for let in lets:
        origins = {**origins, let.name: path_at(let.value, (), origins)}
    return origins


def item_of(clause: EachClause, origins: Origins) -> Path | None:
    """What the variable of a clause plainly stands for."""
    base = path_of(clause.source.node, origins)
    return None if base is None else (*base, ANY)


def is_choosy(clause: EachClause) -> bool:
    """Whether a clause tells the kinds of its items apart."""
    return clause.condition is not None and _is_discriminator(clause.condition.node, clause.variable)


def _below(base: Path | None, key: str) -> Path | None:
    return None if base is None else (*base, key)


def _is_discriminator(node: ast.expr, variable: str) -> bool:
    """Whether a condition compares a member of the item with a constant: items of other kinds have other members."""
    match node:
        case ast.BoolOp(op=ast.And(), values=values):
            return any(_is_discriminator(value, variable) for value in values)
        case ast.Compare(
            left=left, ops=[ast.Eq() | ast.NotEq() | ast.In() | ast.NotIn()], comparators=[right]
        ):
            sides = [left, right]
            return any(_is_member(side, variable) for side in sides) and any(map(_is_constant, sides))
    return False


def _is_member(node: ast.expr, variable: str) -> bool:
    found = path_of(node, {variable: ("",)})
    return found is not None and len(found) > 1 and found[0] == ""


def _is_constant(node: ast.expr) -> bool:
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return all(map(_is_constant, node.elts))
    return isinstance(node, ast.Constant) and node.value is not None


def _is_null(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


@dataclass(frozen=True, slots=True)
class _Reader:
    """Walks nodes and notes what they take for granted."""

    found: Demands
    sure: set[str] = field(default_factory=set)
    """Names that are read for certain."""

    def tree(self, tree: Tree, origins: Origins, spared: bool) -> None:
        match tree:
            case Expression():
                self.visit(tree.node, origins, spared)
            case MappingTree():
                for _, value in tree.items:
                    self.tree(value, origins, spared)
            case Sequence():
                for value in tree.items:
                    self.tree(value, origins, spared)
            case Each():
                self.each(tree, origins, spared)
            case Constant():
                pass

    def each(self, tree: Each, origins: Origins, spared: bool) -> None:
        for clause in tree.clauses:
            self.clause(clause, origins, spared)
            origins = {**origins, clause.variable: item_of(clause, origins)}
            spared = spared or is_choosy(clause)
        inner = _with_lets(tree.lets, origins)
        self.tree(tree.item, inner, spared)
        # A let takes for granted what is read of it for certain: it says what stands where its name does.
        for let in reversed(read_lets(tree)):
            self.tree(let.value, inner, spared or let.name not in self.sure)
            self.sure.discard(let.name)

    def clause(self, clause: EachClause, origins: Origins, spared: bool) -> None:
        self.iterate(clause.source.node, origins, spared)
        if clause.condition is not None:
            item = {**origins, clause.variable: item_of(clause, origins)}
            self.condition(clause.condition.node, item, spared)

    def condition(self, node: ast.expr, origins: Origins, spared: bool) -> None:
        self.ask(node, origins)
        self.visit(node, origins, spared)

    def visit(self, node: ast.expr, origins: Origins, spared: bool) -> None:
        """Note what a node takes for granted; nothing where it is `spared`, but what it asks about."""
        match node:
            case ast.Name(id=name):
                if not spared:
                    self.sure.add(name)
            case ast.Attribute(value=value) | ast.Subscript(value=value, slice=ast.Constant(value=str())):
                self.visit(value, origins, spared)
                self.note(self.found.objects, value, origins, spared)
                self.note(self.found.read, node, origins, spared)
            case ast.Subscript(value=value, slice=key):
                self.visit(value, origins, spared)
                self.children(key, origins, spared)
                if not isinstance(key, ast.Slice):
                    self.note(self.found.entered, value, origins, spared)
            case ast.BoolOp(values=[first, *rest]):
                for value in node.values[:-1]:
                    self.ask(value, origins)
                self.visit(first, origins, spared)
                self.all(rest, origins, spared=True)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                self.condition(test, origins, spared)
                self.all([body, orelse], origins, spared=True)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                self.condition(operand, origins, spared)
            case ast.Compare():
                self.compare(node, origins)
                self.children(node, origins, spared)
            case ast.Call(func=ast.Name(id=name), args=arguments):
                self.call(name, arguments, origins, spared)
            case (
                ast.ListComp(generators=loops, elt=element) | ast.GeneratorExp(generators=loops, elt=element)
            ):
                self.loop(loops, [element], origins, spared)
            case ast.DictComp(generators=loops, key=key, value=value):
                self.loop(loops, [key, value], origins, spared)
            case _:
                self.children(node, origins, spared)

    def children(self, node: ast.expr, origins: Origins, spared: bool) -> None:
        inner = (child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))
        self.all([node] if isinstance(node, ast.Constant) else inner, origins, spared)

    def all(self, nodes: Iterable[ast.expr], origins: Origins, spared: bool) -> None:
        for node in nodes:
            if not isinstance(node, ast.Constant):
                self.visit(node, origins, spared)

    def note(self, paths: set[Path], node: ast.expr, origins: Origins, spared: bool) -> None:
        path = None if spared else path_of(node, origins)
        if path is not None:
            paths.add(path)

    def ask(self, node: ast.expr, origins: Origins) -> None:
        """Note that it is asked whether there is something at a path; so it is of all that leads there."""
        match node:
            case ast.BoolOp(values=values):
                for value in values:
                    self.ask(value, origins)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                self.ask(operand, origins)
            case ast.Attribute() | ast.Subscript() | ast.Name():
                path = path_of(node, origins)
                if path is not None:
                    self.found.asked.add(path)
                if not isinstance(node, ast.Name):
                    self.ask(node.value, origins)

    def compare(self, node: ast.Compare, origins: Origins) -> None:
        """Note what is compared with null, and the keys that are looked for."""
        sides = [node.left, *node.comparators]
        for left, operator, right in zip(sides, node.ops, sides[1:], strict=False):
            if isinstance(operator, ast.Is | ast.IsNot | ast.Eq | ast.NotEq):
                for one, other in ((left, right), (right, left)):
                    if _is_null(other):
                        self.ask(one, origins)
            elif isinstance(operator, ast.In | ast.NotIn) and isinstance(left, ast.Constant):
                base = path_of(right, origins)
                if base is not None:
                    self.found.asked.add((*base, str(left.value)))
                    self.ask(right, origins)

    def call(self, name: str, arguments: list[ast.expr], origins: Origins, spared: bool) -> None:
        if name == "default" and arguments:
            self.condition(arguments[0], origins, spared)
            self.all(arguments[1:], origins, spared=True)
            return
        if name in OVER_LISTS or (name in {"min", "max"} and len(arguments) == 1):
            self.iterate(arguments[0], origins, spared)
            arguments = arguments[1:]
        elif name == "pick":
            for key in arguments[1:]:
                self.note(self.found.read, ast.Subscript(arguments[0], key, ast.Load()), origins, spared)
        self.all(arguments, origins, spared)

    def iterate(self, source: ast.expr, origins: Origins, spared: bool) -> None:
        self.visit(source, origins, spared)
        if choices_of(source) is None:
            self.note(self.found.lists, source, origins, spared)

    def loop(
        self, loops: list[ast.comprehension], elements: list[ast.expr], origins: Origins, spared: bool
    ) -> None:
        for loop in loops:
            assert isinstance(loop.target, ast.Name)
            self.iterate(loop.iter, origins, spared)
            base = path_of(loop.iter, origins)
            origins = {**origins, loop.target.id: None if base is None else (*base, ANY)}
            for condition in loop.ifs:
                self.condition(condition, origins, spared)
                spared = spared or _is_discriminator(condition, loop.target.id)
        self.all(elements, origins, spared)
