"""The grammar: Python's own, cut down to what is safe and means something over JSON."""

from __future__ import annotations

import ast
import unicodedata

from bff.expressions import habits, limits
from bff.expressions.displays import CONSTANTS, Displays
from bff.expressions.functions import FUNCTIONS
from bff.expressions.pattern_mistakes import check_pattern
from bff.expressions.tokens import KEYWORDS, ExpressionError, number, read_token

_COMPARISONS: dict[str, type[ast.cmpop]] = {
    "==": ast.Eq, "!=": ast.NotEq, "<": ast.Lt, "<=": ast.LtE, ">": ast.Gt, ">=": ast.GtE,
    "in": ast.In, "not in": ast.NotIn, "is": ast.Is, "is not": ast.IsNot,
}  # fmt: skip
_ARITHMETIC: dict[str, type[ast.operator]] = {
    "+": ast.Add, "-": ast.Sub, "*": ast.Mult, "/": ast.Div, "//": ast.FloorDiv, "%": ast.Mod,
}  # fmt: skip
OR, _AND, _COMPARE, _SUM, _PRODUCT = 1, 2, 3, 4, 5
_PRECEDENCE = (
    {"or": OR, "and": _AND, "+": _SUM, "-": _SUM}
    | dict.fromkeys(_COMPARISONS, _COMPARE)
    | dict.fromkeys(("*", "/", "//", "%"), _PRODUCT)
)


class Grammar(Displays):
    """Reads one expression from a position of a text."""

    def whole(self) -> ast.expr:
        if self.next.kind == "end":
            self.fail("the expression is empty", "write null for nothing")
        node = self.expression()
        self.end()
        return node

    def expression(self, generator: bool = False) -> ast.expr:
        self.depth += 1
        if self.depth > limits.MAX_DEPTH:
            self.fail(*limits.TOO_DEEP)
        start = self.next.start
        node = self.binary(OR, generator)
        if self.took("if"):
            test = self.binary(OR)
            self.expect("else", "else: a condition is written a if condition else b")
            node = self.place(ast.IfExp(test, node, self.expression()), start)
        self.depth -= 1
        return node

    def choice(self) -> ast.expr:
        return self.binary(OR)

    def operator(self) -> str | None:
        """The binary operator that comes next, with `not in` and `is not` as one."""
        token = self.next
        if token.kind == "text" or (token.text not in _PRECEDENCE and token.text != "not"):
            return None
        following = read_token(self.text, token.end).text if token.text in {"not", "is"} else ""
        if token.text == "not":
            return "not in" if following == "in" else None
        return "is not" if token.text == "is" and following == "not" else token.text

    def binary(self, floor: int, generator: bool = False) -> ast.expr:
        start = self.next.start
        left = self.operand(floor, generator)
        while (sign := self.operator()) is not None and _PRECEDENCE[sign] >= floor:
            if sign in _COMPARISONS:
                left = self.comparison(left, start)
            elif sign in _ARITHMETIC:
                self.take()
                right = self.binary(_PRECEDENCE[sign] + 1)
                left = self.place(ast.BinOp(left, _ARITHMETIC[sign](), right), start)
            else:
                left = self.either(left, sign, start)
        return left

    def either(self, left: ast.expr, sign: str, start: int) -> ast.expr:
        values = [left]
        while self.took(sign):
            values.append(self.binary(_PRECEDENCE[sign] + 1))
        return self.place(ast.BoolOp(ast.Or() if sign == "or" else ast.And(), values), start)

    def comparison(self, left: ast.expr, start: int) -> ast.expr:
        signs: list[ast.cmpop] = []
        values: list[ast.expr] = []
        while (sign := self.operator()) in _COMPARISONS:
            assert sign is not None
            token = self.take()
            if " " in sign:
                self.take()
            values.append(self.binary(_SUM))
            if sign.startswith("is") and not _is_null(values[-1]):
                self.fail("'is' compares with null only", _null_meant(values[-1]) or "write == or !=", token)
            signs.append(_COMPARISONS[sign]())
        for middle in values[:-1]:
            if not _is_simple(middle):
                raise ExpressionError(
                    "something computed stands in the middle of a chain of comparisons",
                    middle.col_offset,
                    (middle.end_col_offset or 0) - middle.col_offset,
                    "names, constants and look-ups may stand there; write a < b and b < c",
                )
        return self.place(ast.Compare(left, signs, values), start)

    def operand(self, floor: int, generator: bool = False) -> ast.expr:
        start = self.next.start
        if self.next.text == "not" and self.next.kind == "name":
            if floor > _COMPARE:
                self.fail("'not' cannot stand here", "put it in brackets: (not a)")
            return self.prefixed(ast.Not(), start)
        if self.next.text == "-":
            return self.prefixed(ast.USub(), start)
        return self.postfix(self.atom(generator), start)

    def prefixed(self, sign: ast.unaryop, start: int) -> ast.expr:
        self.take()
        self.depth += 1
        if self.depth > limits.MAX_DEPTH:
            self.fail(*limits.TOO_DEEP)
        value = self.binary(_COMPARE) if isinstance(sign, ast.Not) else self.operand(_PRODUCT + 1)
        self.depth -= 1
        return self.place(ast.UnaryOp(sign, value), start)

    def postfix(self, node: ast.expr, start: int) -> ast.expr:
        while True:
            if self.took("."):
                node = self.place(ast.Attribute(node, self.key(node), ast.Load()), start)
            elif self.took("["):
                node = self.place(ast.Subscript(node, self.subscript(), ast.Load()), start)
            elif self.next.text == "(" and self.next.kind == "operator":
                node = self.call(node, start)
            else:
                return node

    def key(self, owner: ast.expr) -> str:
        written = self.text[owner.col_offset : owner.end_col_offset]
        token = self.next
        if token.kind != "name":
            self.unexpected(f"a key behind the dot; any other key is written {written}['key']")
        self.take()
        name = token.text
        if self.next.text == "(":
            self.fail(f"values have no methods such as .{name}()", _in_place_of(written, name), token)
        cure = f"write {written}[{name!r}]"
        if name in habits.NOT_KEYS:
            self.fail(f".{name} is not a property here", habits.NOT_KEYS[name].replace("{0}", written), token)
        if name in KEYWORDS:
            self.fail(f"'{name}' is a word of Python and cannot follow a dot", cure, token)
        if name.startswith("_"):
            self.fail(f"the key {name} begins with _ and cannot follow a dot", cure, token)
        if unicodedata.normalize("NFKC", name) != name or not name.isidentifier():
            self.fail(f"the key {name} has characters that Python changes in names", cure, token)
        return name

    def subscript(self) -> ast.expr:
        start = self.next.start
        parts: list[ast.expr | None] = [None]
        while not self.took("]"):
            if self.next.text == ":" and len(parts) < 3:
                self.take()
                parts.append(None)
            elif parts[-1] is None and self.next.text != ":":
                parts[-1] = self.expression()
            elif self.next.text == ",":
                self.fail("a look-up has one key", "write x['a']['b']")
            elif self.next.text == ":":
                self.fail("a slice has at most three parts", "write x[1:9:2]")
            else:
                self.unexpected("]")
        if len(parts) == 1:
            if parts[0] is None:
                self.fail("the brackets are empty", "write x[0] or x['key']", self.before)
            return parts[0]
        slice_ = ast.Slice(*parts)
        return self.place(slice_, start, self.before.start if self.before else start)

    def call(self, function: ast.expr, start: int) -> ast.expr:
        opening = self.take()
        if not isinstance(function, ast.Name):
            self.fail("only a function's plain name can be called", "write f(x)", opening)
        arguments: list[ast.expr] = []
        while not self.took(")"):
            arguments.append(self.argument(function.id))
            if not self.took(",") and self.next.text != ")":
                self.unexpected("',' or ')'")
        _check_arity(function, len(arguments))
        check_pattern(self.text, function, arguments)
        return self.place(ast.Call(function, arguments, []), start)

    def argument(self, function: str) -> ast.expr:
        start = self.next.start
        if self.next.text in {"*", "**", "..."}:
            self.fail("arguments are written one by one", "join lists with + and pass the list")
        node = self.expression(generator=True)
        if self.next.text == "=":
            cure = habits.FUNCTIONS.get(function, f"write {function}(a, b)")
            cure = f"write {FUNCTIONS[function].signature}" if function in FUNCTIONS else cure
            self.fail("functions take no named arguments", cure)
        if self.next.text == "for":
            return self.place(ast.GeneratorExp(node, self.loops()), start)
        return node

    def atom(self, generator: bool = False) -> ast.expr:
        token = self.next
        if token.kind == "name":
            return self.name()
        if token.kind == "number":
            self.take()
            return self.place(ast.Constant(number(token)), token.start)
        if token.kind == "text":
            return self.quoted()
        if token.text == "(":
            return self.brackets(generator)
        if token.text == "[":
            return self.list_display()
        if token.text == "{":
            return self.mapping_display()
        if token.text in {":", ","}:
            self.fail(f"'{token.text}' cannot stand here", "expected a value")
        self.unexpected("a value")

    def name(self) -> ast.expr:
        token = self.next
        name = token.text
        if name in CONSTANTS:
            self.take()
            return self.place(ast.Constant(CONSTANTS[name]), token.start)
        if name == "undefined":
            self.fail("JSON has no undefined", "write null")
        if name in KEYWORDS:
            self.before = None
            if name in habits.KEYWORDS or name in _PRECEDENCE:
                self.unexpected("a value")
            self.fail(f"'{name}' is a word of Python and cannot be a name", "names are plain words")
        self.check_name(token)
        self.take()
        return self.place(ast.Name(name, ast.Load()), token.start)


def _in_place_of(owner: str, method: str) -> str:
    """What to write in place of a method of a value, or of a function of a library of another language."""
    function = FUNCTIONS.get(method)
    if owner in habits.LIBRARIES:
        own = "write a function of the project in orchestrations/functions.py"
        return habits.FUNCTIONS.get(method) or (own if function is None else f"write {function.signature}")
    if method in habits.METHODS:
        return habits.METHODS[method].replace("{0}", owner)
    if function is None:
        return "functions stand before: f(x)"
    _, _, others = function.signature.partition(", ")
    return f"write {method}({owner}, {others}" if function.least > 1 else f"write {method}({owner})"


def _check_arity(function: ast.Name, given: int) -> None:
    known = FUNCTIONS.get(function.id)
    if known is None or (known.least <= given and (known.most is None or given <= known.most)):
        return
    amount = "no argument" if given == 0 else "1 argument" if given == 1 else f"{given} arguments"
    raise ExpressionError(
        f"{function.id}() got {amount}",
        function.col_offset,
        len(function.id),
        f"write {known.signature}",
    )


def _is_null(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _null_meant(node: ast.expr) -> str:
    """The cure where null is written as elsewhere; empty where something else is meant."""
    is_meant = isinstance(node, ast.Name) and node.id.lower() in ("none", "null", "nil")
    return "null is written null or None" if is_meant else ""


def _is_simple(node: ast.expr) -> bool:
    """Tells whether a node may stand in the middle of a chain, where it is looked at twice."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return isinstance(node.operand, ast.Constant)
    if isinstance(node, ast.Attribute):
        return _is_simple(node.value)
    if isinstance(node, ast.Subscript):
        return _is_simple(node.value) and not isinstance(node.slice, ast.Slice) and _is_simple(node.slice)
    return isinstance(node, (ast.Name, ast.Constant))
