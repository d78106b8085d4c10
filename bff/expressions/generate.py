"""Writes one Python function for a tree.

Nothing of the author's gets into the text of the function but constants, by their `repr`: names become `_1`, `_2` …,
keys stay texts, and what is called is a fixed set of functions.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Sequence

from bff.expressions import costs
from bff.expressions.code import Block, Blocks, Code, constant, uses_of
from bff.expressions.fast import Fast
from bff.expressions.formats import in_full
from bff.expressions.functions import FUNCTIONS
from bff.expressions.inspect import aliases_of, aliases_of_tree
from bff.expressions.lets import read_lets
from bff.expressions.operators import equals_plainly
from bff.expressions.paths import ANY, Scope
from bff.expressions.pattern_mistakes import parts_of
from bff.expressions.percent import ENCODERS
from bff.expressions.rooms import LIBRARY, PATTERNED, SEALING, SEALS
from bff.expressions.running import OWN, QUOTES
from bff.expressions.safe import Safe
from bff.expressions.structs import IsStruct, can_be_members, gives_struct
from bff.expressions.tree import Constant, Each, EachClause, Expression, Let, Mapping, PathTemplate, Tree
from bff.expressions.tree import Sequence as TreeSequence

Source = Tree | EachClause | PathTemplate


def generate(
    tree: Source,
    functions: Collection[str],
    quotes: Collection[str],
    fast: bool,
    is_struct: IsStruct | None = None,
    scope: Scope | None = None,
    made: list[tuple[str, ...]] | None = None,
    patterns: set[str] | None = None,
) -> str:
    """The text of `_page(_scope, _ev)`, which gives the tree's value.

    `scope` are the loop variables around the tree, with what they stand for. With `made`, mappings of a tree are made
    as structs; their keys are noted there, and they are called `_s0`, `_s1` … The patterns that it has are noted in
    `patterns`, and looked up in `_patterns`.
    """
    writer = _Writer(functions, quotes, fast, is_struct if fast else None, scope or {}, made)
    text = writer.function(tree)
    if patterns is not None:
        patterns |= writer.patterns
    return text


def _loop_parts(tree: EachClause) -> Each:
    name = ast.Name(tree.variable, ast.Load())
    return Each((tree,), Expression(tree.variable, name))


class _Loop:
    """One loop of a comprehension or `each`; `source` and `local` are the code of its list and variable."""

    def __init__(self, variable: str, over: ast.expr, conditions: Sequence[ast.expr]) -> None:
        self.variable = variable
        self.over = over
        self.conditions = conditions
        self.work = 1 + sum(map(costs.work, conditions))
        self.source = constant(None)
        self.local = ""
        self.uses = 0


class _Writer:
    def __init__(
        self,
        functions: Collection[str],
        quotes: Collection[str],
        fast: bool,
        is_struct: IsStruct | None,
        scope: Scope,
        made: list[tuple[str, ...]] | None,
    ) -> None:
        self.made = made
        self.patterns: set[str] = set()
        self.is_struct = is_struct
        self.scope = scope
        self.functions = functions
        self.quotes = quotes
        self.blocks = Blocks()
        self.operators = (Fast if fast else Safe)(self.blocks)
        self.variables: dict[str, Code] = {}
        self.names: dict[str, Code] = {}

    def function(self, tree: Source) -> str:
        if isinstance(tree, EachClause):
            tree = _loop_parts(tree)
        if isinstance(tree, PathTemplate):
            tree = TreeSequence(tree.holes)
        result = self.tree(tree)
        lines = [
            "def _page(_scope, _ev):",
            "_loop = _ev.loop",
            *self.blocks.open[0].lines,
            f"return {result.text}",
        ]
        return "\n    ".join(lines) + "\n"

    # Trees

    def tree(self, tree: Tree) -> Code:
        if isinstance(tree, Expression):
            return self.node(tree.node)
        if isinstance(tree, Constant):
            return constant(tree.value)
        if isinstance(tree, Each):
            return self.each(tree)
        if isinstance(tree, Mapping):
            codes = self.blocks.settle([self.tree(value) for _, value in tree.items])
            keys = tuple(key for key, _ in tree.items)
            if self.made is not None and can_be_members(keys):
                self.made.append(keys)
                made = f"_s{len(self.made) - 1}({', '.join(code.text for code in codes)})"
                return self.structure(made, codes)
            pairs = [f"{key!r}: {code.text}" for key, code in zip(keys, codes, strict=True)]
            return self.structure(f"{{{', '.join(pairs)}}}", codes)
        codes = self.blocks.settle([self.tree(value) for value in tree.items])
        return self.structure(f"[{', '.join(code.text for code in codes)}]", codes)

    def structure(self, text: str, codes: list[Code]) -> Code:
        code = Code(text, uses_of(codes))
        # A variable for each level keeps deep trees flat.
        return code if self.blocks.depth else self.blocks.named(code)

    def each(self, tree: Each) -> Code:
        if tree.lets:
            return self.each_with_lets(tree)
        loops = [_loop_of(clause) for clause in tree.clauses]
        return self.loops(loops, lambda: self.tree(tree.item), costs.work(tree.item), costs.size(tree.item))

    def each_with_lets(self, tree: Each) -> Code:
        lets = read_lets(tree)

        def item() -> Code:
            for let in lets:
                self.let(let)
            return self.tree(tree.item)

        parts = [*(let.value for let in lets), tree.item]
        loops = [_loop_of(clause) for clause in tree.clauses]
        return self.loops(loops, item, sum(map(costs.work, parts)), sum(map(costs.size, parts)))

    def let(self, let: Let) -> None:
        """Gives a value its name, in the innermost loop that it depends on; the loops forget it when they close."""
        made, self.made = self.made, None  # its members are looked up
        code = self.blocks.named(self.tree(let.value))
        self.made = made
        self.variables = {**self.variables, let.name: code}
        if self.is_struct is not None:
            self.scope = {**self.scope, let.name: aliases_of_tree(let.value, self.scope)}

    # Nodes

    def node(self, node: ast.expr) -> Code:
        match node:
            case ast.Constant(value=value):
                return constant(value)  # type: ignore[arg-type]
            case ast.Name(id=name):
                return self.name(name)
            case ast.Attribute(value=value, attr=key):
                return self.member(value, key)
            case ast.Subscript():
                return self.look_up(node)
            case ast.BoolOp(op=sign, values=values):
                return self.joined(" and " if isinstance(sign, ast.And) else " or ", self.nodes(values))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                codes = self.nodes([body, test, orelse])
                texts = [code.text for code in codes]
                return Code(f"({texts[0]} if {texts[1]} else {texts[2]})", uses_of(codes))
            case ast.UnaryOp():
                return self.unary(node)
            case ast.BinOp(left=left, op=operator, right=right):
                return self.operators.arithmetic(operator, *self.nodes([left, right]))
            case ast.Compare():
                return self.comparison(node)
            case ast.JoinedStr():
                return self.f_string(node)
            case ast.List(elts=values):
                codes = self.nodes(values)
                return Code(f"[{', '.join(code.text for code in codes)}]", uses_of(codes), kind="list")
            case ast.Dict():
                return self.mapping(node)
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self.call(name, arguments)
        return self.comprehension(node)

    def nodes(self, nodes: Sequence[ast.expr]) -> list[Code]:
        return self.blocks.settle([self.node(node) for node in nodes])

    def joined(self, sign: str, codes: Sequence[Code]) -> Code:
        return Code(f"({sign.join(code.text for code in codes)})", uses_of(codes))

    def name(self, name: str) -> Code:
        if name in self.variables:
            return self.variables[name]
        if name not in self.names:
            local = self.blocks.fresh()
            self.names[name] = Code(local, 0, True)
            self.blocks.open[0].lines.append(f"{local} = _scope[{name!r}]")
        return self.names[name]

    def look_up(self, node: ast.Subscript) -> Code:
        key = node.slice
        if isinstance(key, ast.Slice):
            bounds = [part or ast.Constant(None) for part in (key.lower, key.upper, key.step)]
            codes = self.nodes([node.value, *bounds])
            return Code(f"_cut(_ev, {', '.join(code.text for code in codes)})", uses_of(codes))
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            return self.member(node.value, key.value)
        return self.operators.item(*self.nodes([node.value, key]))

    def member(self, base: ast.expr, name: str) -> Code:
        return self.operators.key(self.node(base), name, of_struct=self.gives_struct(base))

    def gives_struct(self, node: ast.expr) -> bool:
        """Whether a value is always a part of a reply that is a struct, or null."""
        return self.is_struct is not None and gives_struct(node, self.scope, self.is_struct)

    def unary(self, node: ast.UnaryOp) -> Code:
        code = self.node(node.operand)
        if isinstance(node.op, ast.Not):
            return Code(f"(not {code.text})", code.uses, kind="boolean")
        if code.kind == "number" and code.is_constant and code.constant <= 2**63:
            return constant(-code.constant)
        return Code(f"_negate({code.text})", code.uses)

    def comparison(self, node: ast.Compare) -> Code:
        pairs, left = [], node.left
        for sign, right in zip(node.ops, node.comparators, strict=True):
            pairs.append(self.pair(sign, left, right))
            left = right
        return pairs[0] if len(pairs) == 1 else self.joined(" and ", self.blocks.settle(pairs))

    def pair(self, sign: ast.cmpop, left: ast.expr, right: ast.expr) -> Code:
        if isinstance(sign, (ast.In, ast.NotIn)) and isinstance(right, ast.List):
            values = [item.value for item in right.elts if isinstance(item, ast.Constant)]
            if len(values) == len(right.elts) and all(map(equals_plainly, values)):
                code = self.node(left)
                word = "in" if isinstance(sign, ast.In) else "not in"
                return Code(f"({code.text} {word} {tuple(values)!r})", code.uses, kind="boolean")
        return self.operators.compare(sign, *self.nodes([left, right]))

    def f_string(self, node: ast.JoinedStr) -> Code:
        codes: list[Code] = []
        for part in node.values:
            if not isinstance(part, ast.FormattedValue):
                codes.append(self.node(part))
                continue
            code = self.node(part.value)
            if isinstance(part.format_spec, ast.JoinedStr):
                spec = part.format_spec.values[0]
                assert isinstance(spec, ast.Constant)
                said, digits = in_full(str(spec.value))
                text = f"_formatted(_ev, {code.text}, {said!r}, {digits!r})"
                code = Code(text, code.uses, kind="text")
            codes.append(code)
        if not any(isinstance(part, ast.FormattedValue) for part in node.values):
            return constant("".join(code.constant for code in codes))
        codes = self.blocks.settle(codes)
        return Code(f"_ev.text({', '.join(code.text for code in codes)})", uses_of(codes), kind="text")

    def mapping(self, node: ast.Dict) -> Code:
        keys = [self.node(key) for key in node.keys if key is not None]
        codes = self.blocks.settle([*keys, *map(self.node, node.values)])
        keys, values = codes[: len(keys)], codes[len(keys) :]
        pairs = ", ".join(
            f"{self.operators.mapping_key(key)}: {value.text}"
            for key, value in zip(keys, values, strict=True)
        )
        text = f"{{{pairs}}}"
        if not all(key.is_constant and key.kind == "text" for key in keys):
            text = f"_without_null({text})"
        return Code(text, uses_of(codes), kind="mapping")

    # Calls

    def call(self, name: str, arguments: list[ast.expr]) -> Code:
        if (
            name == "count"
            and name not in self.functions
            and isinstance(arguments[0], (ast.GeneratorExp, ast.ListComp))
        ):
            return self.count(arguments[0])
        if name in PATTERNED and name not in self.functions:
            return self.patterned(name, arguments)
        codes = self.nodes(arguments)
        if name == "default" and name not in self.functions:
            return self.default(*codes)
        sealing = [self.name(SEALS)] if name in SEALING else []
        text, uses = ", ".join(["_ev", *(code.text for code in [*sealing, *codes])]), uses_of(codes)
        if name in self.quotes or name in ENCODERS:
            return Code(f"{QUOTES}{name}({text})", uses)
        if name in self.functions:
            # It may raise: it is called where it stands, and only then.
            return Code(f"{OWN}{name}({text})", uses | self.blocks.here)
        if name not in FUNCTIONS:
            raise LookupError(f"no function is named {name}")
        return Code(f"{LIBRARY}{name}({text})", uses)

    def patterned(self, name: str, arguments: list[ast.expr]) -> Code:
        """A call of what takes a pattern, which is compiled with the function."""
        value, pattern, *others = arguments
        assert isinstance(pattern, ast.Constant) and isinstance(pattern.value, str), (
            "the grammar has seen to it"
        )
        self.patterns.add(pattern.value)
        codes = self.nodes([value, *(other for other in others if _text_of(other) is None)])
        texts = [codes[0].text, f"_patterns[{pattern.value!r}]", *(code.text for code in codes[1:])]
        texts += [repr(parts_of(text)) for other in others if (text := _text_of(other)) is not None]
        return Code(f"{LIBRARY}{name}(_ev, {', '.join(texts)})", uses_of(codes))

    def default(self, value: Code, otherwise: Code) -> Code:
        name = value.text if value.atom else self.blocks.fresh()
        first = value.text if value.atom else f"({name} := {value.text})"
        if value.is_constant:
            return otherwise if value.constant is None else value
        return Code(f"({name} if {first} is not None else {otherwise.text})", uses_of([value, otherwise]))

    def count(self, node: ast.GeneratorExp | ast.ListComp) -> Code:
        called = (part.func for part in ast.walk(node.elt) if isinstance(part, ast.Call))
        if any(isinstance(name, ast.Name) and name.id in self.functions for name in called):
            code = self.comprehension(node)
        else:
            code = self.loops(_loops(node.generators), lambda: constant(None), 1, 0)
        return Code(f"_len({code.text})", code.uses, kind="number")

    # Loops

    def comprehension(self, node: ast.expr) -> Code:
        if isinstance(node, (ast.ListComp, ast.GeneratorExp)):
            element = node.elt
            loops = _loops(node.generators)
            return self.loops(loops, lambda: self.node(element), costs.work(element), costs.size(element))
        assert isinstance(node, ast.DictComp)
        return self.mapping_loop(node)

    def mapping_loop(self, node: ast.DictComp) -> Code:
        def pair() -> Code:
            key, value = self.nodes([node.key, node.value])
            # The key is looked at twice: it stands in the loop that it belongs to.
            uses = uses_of([key, value]) | self.blocks.here
            return Code(f"{self.operators.mapping_key(key)}: {value.text}", uses)

        work = costs.work(node.key) + costs.work(node.value)
        size = 160 + costs.size(node.value)
        code = self.loops(_loops(node.generators), pair, work, size, "{}")
        return Code(f"_without_null({code.text})", code.uses, kind="mapping")

    def loops(
        self, loops: list[_Loop], element: Callable[[], Code], work: int, size: int, brackets: str = "[]"
    ) -> Code:
        outside, before, scope = self.blocks.depth, self.variables, self.scope
        for loop in loops:
            self.open(loop)
        inside = self.blocks.settled(element(), self.blocks.depth)
        blocks, self.variables, self.scope = self.blocks.close(outside), before, scope
        loops[-1].work += work
        text = self.written(loops, blocks, inside.text, size + 8, brackets)
        uses = inside.uses
        for loop, block in zip(loops, blocks, strict=True):
            uses |= loop.uses | block.uses
        return Code(text, uses & ((1 << outside) - 1), kind="mapping" if brackets == "{}" else "list")

    def open(self, loop: _Loop) -> None:
        """Opens the loop and writes its conditions."""
        loop.source = self.blocks.named(self.node(loop.over))
        if self.is_struct is not None:
            items = frozenset(alias.at(ANY) for alias in aliases_of(loop.over, self.scope))
            self.scope = {**self.scope, loop.variable: items}
        loop.uses = loop.source.uses
        loop.local = self.blocks.fresh()
        self.blocks.open.append(Block())
        self.variables = {**self.variables, loop.variable: Code(loop.local, self.blocks.here, True, "item")}
        for condition in loop.conditions:
            code = self.blocks.settled(self.node(condition), self.blocks.depth)
            loop.uses |= code.uses
            self.blocks.open[-1].lines.append(f"if {code.text}")

    def written(self, loops: list[_Loop], blocks: list[Block], inside: str, size: int, brackets: str) -> str:
        """The comprehension, with what pays for it."""
        chosen = any(loop.conditions for loop in loops)
        piecemeal = chosen and len(loops) > 1 and brackets == "[]"
        clauses = [inside]
        for loop, block in zip(loops, blocks, strict=True):
            bytes_ = 0 if piecemeal or loop is not loops[-1] else size
            clauses.append(f"for {loop.local} in _loop({loop.source.text}, {loop.work}, {bytes_})")
            clauses.extend(block.lines)
        text = " ".join(clauses)
        if piecemeal:
            return f"_ev.collect(({text}), {size})"
        text = f"{brackets[0]}{text}{brackets[1]}"
        return f"_ev.kept({loops[0].source.text}, {size}, {text})" if chosen and len(loops) == 1 else text


def _loop_of(clause: EachClause) -> _Loop:
    conditions = [] if clause.condition is None else [clause.condition.node]
    return _Loop(clause.variable, clause.source.node, conditions)


def _loops(generators: list[ast.comprehension]) -> list[_Loop]:
    return [_Loop(_name(loop.target), loop.iter, loop.ifs) for loop in generators]


def _text_of(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _name(target: ast.expr) -> str:
    assert isinstance(target, ast.Name)
    return target.id
