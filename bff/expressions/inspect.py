"""What an expression reads: names, functions and access paths such as `todos[*].helper_id`.

A path says that the value there is used, with everything below it. Where it is not plain which part of a value is
used, the path stands for the whole of it: a path is never missing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from bff.expressions.flows import Flow, flows
from bff.expressions.paths import ANY, Alias, Aliases, Any_, Bindings, Path, Scope, Use, path_text, scope_of
from bff.expressions.tree import Constant, Each, EachClause, Expression, Mapping, PathTemplate, Sequence, Tree

__all__ = [
    "ANY",
    "Any_",
    "Flow",
    "Inspection",
    "Path",
    "Use",
    "flows",
    "inspect",
    "inspect_passing",
    "inspect_tree",
    "item_paths",
    "path_text",
]


@dataclass(frozen=True, slots=True)
class Inspection:
    """What an expression or tree reads.

    `names` are its free names and `bound` its loop variables, in order; `iterates` are the paths that must be
    lists (or null) because a loop or function goes over them, each with its offset and length. `mappings` are the paths
    whose members a function looks up, not an expression by their names.
    """

    names: tuple[Use, ...] = ()
    functions: tuple[Use, ...] = ()
    reads: frozenset[Path] = frozenset()
    iterates: tuple[tuple[Path, int, int], ...] = ()
    bound: tuple[Use, ...] = ()
    mappings: frozenset[Path] = frozenset()

    def __or__(self, other: Inspection) -> Inspection:
        return Inspection(
            self.names + other.names,
            self.functions + other.functions,
            self.reads | other.reads,
            self.iterates + other.iterates,
            self.bound + other.bound,
            self.mappings | other.mappings,
        )

    def without(self, root: str) -> Inspection:
        """The same but for what is read below a name."""
        return replace(
            self,
            reads=frozenset(path for path in self.reads if path[0] != root),
            iterates=tuple(one for one in self.iterates if one[0][0] != root),
        )


def inspect(
    expression: Expression | EachClause | PathTemplate, bindings: Bindings | None = None
) -> Inspection:
    """What one expression reads; `bindings` gives the paths that loop variables around it stand for."""
    if isinstance(expression, PathTemplate):
        total = Inspection()
        for hole in expression.holes:
            total |= inspect(hole, bindings)
        return total
    reader = _Reader(scope_of(bindings))
    if isinstance(expression, EachClause):
        reader.gone_over(reader.clause(expression))
    else:
        reader.tree(expression)
    return reader.inspection()


def inspect_tree(tree: Tree, bindings: Bindings | None = None) -> Inspection:
    """What a whole tree reads."""
    reader = _Reader(scope_of(bindings))
    reader.tree(tree)
    return reader.inspection()


def inspect_within(tree: Tree, scope: Scope) -> Inspection:
    """What a tree reads within loops and lets."""
    reader = _Reader(scope)
    reader.tree(tree)
    return reader.inspection()


def inspect_passing(tree: Tree) -> Inspection:
    """What a tree reads but for what its value stands for: `followed` tells what of that is read where."""
    reader = _Reader({}, passes_on=True)
    reader.tree(tree)
    return reader.inspection()


def item_paths(clause: EachClause, bindings: Bindings | None = None) -> tuple[Path, ...]:
    """The paths that the clause's variable may stand for; none if its items are computed."""
    aliases = _Reader(scope_of(bindings)).clause(clause)
    return tuple(sorted({alias.path for alias in aliases}, key=path_text))


def aliases_of(node: ast.expr, scope: Scope) -> Aliases:
    """What an expression's value stands for, where that is a part of something that it reads."""
    return _Reader(scope).read(node)


def item_aliases(clause: EachClause, scope: Scope) -> Aliases:
    """What the clause's variable may stand for."""
    return _Reader(scope).clause(clause)


def aliases_of_tree(tree: Tree, scope: Scope) -> Aliases:
    """What the value of a tree stands for, where that is a part of something that it reads."""
    return _Reader(scope).value(tree)


# Functions over the items of a list; of these, the ones that name fields of the items.
_BY_FIELDS = frozenset({"sort", "unique", "index", "group"})
_TAKES_MAPPINGS = frozenset({"merge", "pick", "omit", "values"})
OVER_LISTS = _BY_FIELDS | {"count", "sum", "any", "all", "join"}


@dataclass
class _Reader:
    """Walks nodes; `read` gives what a value stands for, `use` notes that it is used as a whole."""

    scope: Scope
    passes_on: bool = False
    names: list[Use] = field(default_factory=list)
    functions: list[Use] = field(default_factory=list)
    bound: list[Use] = field(default_factory=list)
    reads: set[Path] = field(default_factory=set)
    iterates: dict[Path, tuple[int, int]] = field(default_factory=dict)
    mappings: set[Path] = field(default_factory=set)

    def inspection(self) -> Inspection:
        iterates = tuple((path, *place) for path, place in self.iterates.items())
        return Inspection(
            *(tuple(self.names), tuple(self.functions), frozenset(self.reads)),
            *(iterates, tuple(self.bound), frozenset(self.mappings)),
        )

    def tree(self, tree: Tree) -> None:
        if isinstance(tree, Expression):
            found = self.read(tree.node)
            if not self.passes_on:
                self.use(found)
        elif isinstance(tree, Mapping):
            for _, value in tree.items:
                self.tree(value)
        elif isinstance(tree, Sequence):
            for value in tree.items:
                self.tree(value)
        elif isinstance(tree, Each):
            before, went_over = self.scope, self.clauses(tree)
            self.lets(tree)
            self.tree(tree.item)
            self.scope = before
            if not self.passes_on:
                for items in went_over:
                    self.gone_over(items)
        else:
            assert isinstance(tree, Constant)

    def value(self, tree: Tree) -> Aliases:
        """What the value of a tree stands for; what it is computed from is used."""
        match tree:
            case Expression():
                return self.read(tree.node)
            case Mapping():
                return wrapped(frozenset().union(*(self.value(value) for _, value in tree.items)))
            case Sequence():
                return wrapped(frozenset().union(*map(self.value, tree.items)))
            case Each():
                before, went_over = self.scope, self.clauses(tree)
                self.lets(tree)
                elements = self.value(tree.item)
                self.scope = before
                for items in went_over:
                    self.gone_over(items, elements)
                return wrapped(elements)
        return frozenset()

    def clauses(self, tree: Each) -> list[Aliases]:
        """Reads the clauses of a list, and gives what their variables stand for, which are names from then on."""
        found = []
        for clause in tree.clauses:
            items = self.clause(clause)
            self.scope = {**self.scope, clause.variable: items}
            found.append(items)
        return found

    def lets(self, tree: Each) -> None:
        """Reads the lets of a list, which are names from then on; what one stands for is used where it is."""
        for let in tree.lets:
            self.scope = {**self.scope, let.name: self.value(let.value)}

    def clause(self, clause: EachClause) -> Aliases:
        """Reads an `each` clause and gives what its variable stands for."""
        items = self.items(clause.source.node)
        self.bound.append(Use(clause.variable, clause.offset, len(clause.variable)))
        if clause.condition is not None:
            before = self.scope
            self.scope = {**before, clause.variable: items}
            self.use(self.read(clause.condition.node))
            self.scope = before
        return items

    def use(self, aliases: Aliases) -> None:
        self.reads.update(alias.path for alias in aliases)

    def read(self, node: ast.expr) -> Aliases:
        """What the node's value stands for; what it is computed from is used."""
        match node:
            case ast.Name():
                return self.name(node)
            case ast.Attribute(value=value, attr=key):
                return frozenset(alias.at(key) for alias in self.read(value))
            case ast.Subscript():
                return self.look_up(node)
            case ast.BoolOp(values=[*tested, last]):
                return frozenset(alias.chosen() for alias in self.either(tested)) | self.read(last)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                self.use(self.read(test))
                return self.either([body, orelse])
            case ast.Call():
                return self.call(node)
            case (
                ast.ListComp(generators=loops, elt=element) | ast.GeneratorExp(generators=loops, elt=element)
            ):
                return self.loop(loops, element)
            case ast.DictComp(generators=loops, key=key_node, value=value):
                return self.loop(loops, value, key_node)
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                return self.either([left, right])  # of two lists, the elements of both
            case ast.List(elts=values):
                return wrapped(self.either(values))
            case ast.Dict(keys=keys, values=values):
                self.use(self.either(key for key in keys if key is not None))
                return wrapped(self.either(values))
        self.use(self.either(child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)))
        return frozenset()

    def either(self, nodes: Iterable[ast.expr]) -> Aliases:
        return frozenset(alias for node in nodes for alias in self.read(node))

    def name(self, node: ast.Name) -> Aliases:
        if node.id in self.scope:
            return self.scope[node.id]
        self.names.append(Use(node.id, node.col_offset, len(node.id)))
        return frozenset({Alias((node.id,))})

    def look_up(self, node: ast.Subscript) -> Aliases:
        base = self.read(node.value)
        self.use(self.read(node.slice))
        if isinstance(node.slice, ast.Slice):
            return base
        constant = isinstance(node.slice, ast.Constant) and node.slice.value
        return frozenset(alias.at(constant if isinstance(constant, str) else ANY) for alias in base)

    def items(self, source: ast.expr) -> Aliases:
        """What the items of a list stand for; notes that it must be a list."""
        aliases = self.read(source)
        self.iterate(source)
        return frozenset(alias.at(ANY) for alias in aliases)

    def iterate(self, source: ast.expr) -> None:
        # Of a choice only the first is noted: `reply.items or reply` may well end in a mapping.
        while (choices := choices_of(source)) is not None:
            source = choices[0]
        if isinstance(source, (ast.Name, ast.Attribute, ast.Subscript)):
            place = (source.col_offset, (source.end_col_offset or 0) - source.col_offset)
            paths = {alias.path for alias in _Reader(self.scope).read(source) if not alias.wraps}
            for path in sorted(paths, key=path_text):
                self.iterates.setdefault(path, place)

    def gone_over(self, items: Aliases, elements: Aliases = frozenset()) -> None:
        """Notes that a list was read although nothing of its items was, as in `count(1 for x in list)`."""
        read = self.reads | {alias.path for alias in elements}
        for item in items:
            if not any(path[: len(item.path)] == item.path for path in read):
                self.reads.add(item.path)

    def loop(self, loops: list[ast.comprehension], element: ast.expr, key: ast.expr | None = None) -> Aliases:
        before, went_over = self.scope, []
        for loop in loops:
            assert isinstance(loop.target, ast.Name)
            items = self.items(loop.iter)
            went_over.append(items)
            self.bound.append(Use(loop.target.id, loop.target.col_offset, len(loop.target.id)))
            self.scope = {**self.scope, loop.target.id: items}
            self.use(self.either(loop.ifs))
        if key is not None:
            self.use(self.read(key))
        elements = self.read(element)
        self.scope = before
        for items in went_over:
            self.gone_over(items, elements)
        return wrapped(elements)

    def call(self, node: ast.Call) -> Aliases:
        assert isinstance(node.func, ast.Name)
        name, arguments = node.func.id, node.args
        self.functions.append(Use(name, node.func.col_offset, len(name)))
        values = [self.read(argument) for argument in arguments]
        if name in OVER_LISTS or (name in {"min", "max"} and len(values) == 1):
            self.iterate(arguments[0])
        if name in _TAKES_MAPPINGS:
            self.mappings.update(alias.path for found in values for alias in found if not alias.wraps)
        if name in _BY_FIELDS:
            return self.by_fields(name, arguments[1:], values)
        if name in {"default", "merge", "values"}:
            return frozenset().union(*values)
        if name == "count":
            self.gone_over(frozenset(alias.at(ANY) for alias in values[0]))
            return frozenset()
        if name in {"pick", "omit"}:
            self.use(frozenset().union(*values[1:]))
            if name == "pick":
                self.pick(values[0], arguments[1:])
            return values[0]
        self.use(frozenset().union(*values))
        return frozenset()

    def pick(self, aliases: Aliases, keys: list[ast.expr]) -> None:
        """Notes which members of a mapping are picked."""
        texts = [key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
        self.use(frozenset(alias.at(text) for alias in aliases for text in texts))

    def by_fields(self, name: str, arguments: list[ast.expr], values: list[Aliases]) -> Aliases:
        """A list put in another form by fields of its items."""
        items = frozenset(alias.at(ANY) for alias in values[0])
        self.mappings.update(alias.path for alias in items if not alias.wraps)
        for argument in arguments:
            constant = isinstance(argument, ast.Constant) and argument.value
            key = constant if isinstance(constant, str) else ""
            if name == "sort":
                key = key.removeprefix("-")
            self.use(frozenset(alias.at_field(key) for alias in items) if key else items)
        if not arguments:
            self.use(items)
        self.use(frozenset().union(*values[1:]))
        if name == "index":
            return wrapped(items)
        return wrapped(items, 2) if name == "group" else values[0]


def choices_of(node: ast.expr) -> list[ast.expr] | None:
    """The values of which a node gives one, the first where it can."""
    if isinstance(node, ast.BoolOp):
        return node.values
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "default":
        return node.args
    return None


def wrapped(aliases: Aliases, times: int = 1) -> Aliases:
    """What a list or mapping made of such values stands for."""
    return frozenset(alias.wrapped(times) for alias in aliases)
