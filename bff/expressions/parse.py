"""Reads the texts of recipes: expressions, `each` clauses and paths with holes.

The grammar is Python's own, cut down to what is safe and means something over JSON. It is read here and not by
`ast.parse`, so that each mistake has its exact place (also inside f-strings) and a message made for it. The nodes
are `ast` nodes; their offsets count characters.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from typing import NoReturn

from bff.expressions import habits, limits
from bff.expressions.functions import FUNCTIONS
from bff.expressions.tokens import (
    KEYWORDS,
    ExpressionError,
    Token,
    check_characters,
    is_name,
    number,
    read_token,
    unescape,
    unexpected,
)
from bff.expressions.tree import EachClause, Expression, PathTemplate

__all__ = ["ExpressionError", "PathTemplate", "is_name", "parse", "parse_each", "parse_path"]

_CONSTANTS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
_COMPARISONS: dict[str, type[ast.cmpop]] = {
    "==": ast.Eq, "!=": ast.NotEq, "<": ast.Lt, "<=": ast.LtE, ">": ast.Gt, ">=": ast.GtE,
    "in": ast.In, "not in": ast.NotIn, "is": ast.Is, "is not": ast.IsNot,
}  # fmt: skip
_ARITHMETIC: dict[str, type[ast.operator]] = {
    "+": ast.Add, "-": ast.Sub, "*": ast.Mult, "/": ast.Div, "//": ast.FloorDiv, "%": ast.Mod,
}  # fmt: skip
_OR, _AND, _COMPARE, _SUM, _PRODUCT = 1, 2, 3, 4, 5
_PRECEDENCE = (
    {"or": _OR, "and": _AND, "+": _SUM, "-": _SUM}
    | dict.fromkeys(_COMPARISONS, _COMPARE)
    | dict.fromkeys(("*", "/", "//", "%"), _PRODUCT)
)
_SPEC = re.compile(r"(?:[^{}]?[<>^=])?[-+ ]?0?[0-9]{0,2}[,_]?(?:\.[0-9]{1,2})?[bdeEfFgGosxX%]?")
_PATH_TEXT = re.compile(r"[^\s{}\\#?\x00-\x1f\x7f]*")
_QUERY_TEXT = re.compile(r"[^\s{}\\#\x00-\x1f\x7f]*")


def parse(text: str, origin: object | None = None) -> Expression:
    """One expression; raises `ExpressionError`."""
    parser = _Parser(text)
    node = parser.whole()
    limits.check(node)
    return Expression(text, node, origin)


def parse_each(text: str, origin: object | None = None, allow_condition: bool = True) -> EachClause:
    """`todo in todos if todo.done`; the list may be a generator expression in brackets."""
    parser = _Parser(text)
    variable = parser.loop_variable("todo in todos")
    parser.expect("in", "in, as in todo in todos")
    source = parser.binary(_OR, generator=True)
    condition = parser.condition() if allow_condition else None
    if not allow_condition and parser.next.text == "if":
        parser.fail(
            "batch takes no condition", "put it into a generator: ids in (x.id for x in list if x.id)"
        )
    parser.end()
    limits.check(source)
    if condition is not None:
        limits.check(condition)
    return EachClause(
        variable.text,
        Expression(text, source, origin),
        Expression(text, condition, origin) if condition is not None else None,
        text,
        origin,
        variable.start,
    )


def parse_path(text: str, origin: object | None = None) -> PathTemplate:
    """`/people/{user.id}?order=due`: constant texts and holes; after `?` constant text only."""
    check_characters(text)
    if not text.startswith("/") or text.startswith("//"):
        raise ExpressionError(
            "a path begins with one '/'", 0, len(text[:1]), "the client's base_url names the host"
        )
    parts: list[str | Expression] = []
    position = 0
    while position < len(text) and text[position] != "?":
        if text[position] == "{":
            hole, position = _hole(text, position)
            parts.append(Expression(text, hole, origin))
            continue
        found = _PATH_TEXT.match(text, position)
        if found is None or not found[0]:
            raise _bad_path_character(text, position)
        parts.append(found[0])
        position = found.end()
    _check_segments(text, parts)
    return PathTemplate(tuple(parts), _query(text, position), text, origin)


def _hole(text: str, start: int) -> tuple[ast.expr, int]:
    if text[start + 1 :].lstrip(" \n").startswith("}"):
        raise ExpressionError("the hole is empty", start, 2, "write {name}")
    parser = _Parser(text, start + 1)
    node = parser.expression()
    if parser.next.text != "}":
        parser.unexpected("}, the end of the hole" if parser.next.kind == "end" else "an operator or }")
    limits.check(node)
    return node, parser.next.end


def _query(text: str, position: int) -> str:
    if position == len(text):
        return ""
    found = _QUERY_TEXT.match(text, position + 1)
    assert found is not None
    if found.end() < len(text):
        if text[found.end()] == "{":
            raise ExpressionError(
                "a hole stands after '?'", found.end(), 1, "write it under query:, where null is left out"
            )
        raise _bad_path_character(text, found.end())
    return found[0]


def _bad_path_character(text: str, position: int) -> ExpressionError:
    char = text[position]
    if char == "}":
        return ExpressionError("'}' stands without its '{'", position, 1, "a hole is written {name}")
    hint = {"#": "a path ends before it", "\\": "write /"}.get(
        char, "write it percent-encoded: %20 for a space"
    )
    shown = "a space" if char.isspace() else f"'{char}'"
    return ExpressionError(f"{shown} cannot stand in a path", position, 1, hint)


def _check_segments(text: str, parts: list[str | Expression]) -> None:
    shape = "".join(part if isinstance(part, str) else "{" for part in parts)
    for segment in shape.split("/"):
        if re.sub("%2e", ".", segment, flags=re.IGNORECASE) in {".", ".."}:
            raise ExpressionError(
                f"the path has a segment {segment!r}",
                text.find(segment),
                len(segment),
                "write the whole path",
            )


class _Parser:
    """Reads one expression from a position of a text, token by token."""

    def __init__(self, text: str, position: int = 0, depth: int = 0) -> None:
        if position == 0:
            check_characters(text)
        self.text = text
        self.before: Token | None = None
        self.depth = depth
        self.next = read_token(text, position)

    # Tokens

    def take(self) -> Token:
        token = self.before = self.next
        self.next = read_token(self.text, token.end)
        return token

    def took(self, text: str) -> bool:
        """Takes the token if it is this word or sign."""
        if self.next.text != text or self.next.kind in {"text", "end"}:
            return False
        self.take()
        return True

    def expect(self, text: str, expected: str) -> None:
        if not self.took(text):
            self.unexpected(expected)

    def unexpected(self, expected: str) -> NoReturn:
        raise unexpected(self.text, self.next, self.before, expected)

    def fail(self, message: str, hint: str = "", token: Token | None = None) -> NoReturn:
        token = token or self.next
        raise ExpressionError(message, token.start, token.end - token.start, hint)

    def whole(self) -> ast.expr:
        if self.next.kind == "end":
            self.fail("the expression is empty", "write null for nothing")
        node = self.expression()
        self.end()
        return node

    def end(self) -> None:
        if self.next.text == "for":
            self.fail("'for' stands outside of brackets", "write [item.name for item in list]")
        if self.next.kind != "end":
            self.unexpected("an operator or the end")

    def place(self, node: ast.expr, start: int, end: int | None = None) -> ast.expr:
        """The node with its offsets, in characters."""
        if end is None:
            end = self.before.end if self.before else start
        node.lineno = node.end_lineno = 1
        node.col_offset, node.end_col_offset = start, end
        return node

    # Operators, loosest first

    def expression(self, generator: bool = False) -> ast.expr:
        self.depth += 1
        if self.depth > limits.MAX_DEPTH:
            self.fail(*limits.TOO_DEEP)
        start = self.next.start
        node = self.binary(_OR, generator)
        if self.took("if"):
            test = self.binary(_OR)
            self.expect("else", "else: a condition is written a if condition else b")
            node = self.place(ast.IfExp(test, node, self.expression()), start)
        self.depth -= 1
        return node

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
                left = self.choice(left, sign, start)
        return left

    def choice(self, left: ast.expr, sign: str, start: int) -> ast.expr:
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
                self.fail("'is' compares with null only", "write == or !=", token)
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

    # Look-ups and calls

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
        token = self.take()
        name, written = token.text, self.text[owner.col_offset : owner.end_col_offset]
        if token.kind != "name":
            self.before, self.next = None, token
            self.unexpected("a key behind the dot; any other key is written x['key']")
        if self.next.text == "(" and self.next.kind == "operator":
            cure = habits.METHODS.get(name) or (
                f"write {name}({written})" if name in FUNCTIONS else "functions stand before: f(x)"
            )
            self.fail(f"values have no methods such as .{name}()", cure.replace("{0}", written), token)
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
        return self.place(ast.Call(function, arguments, []), start)

    def argument(self, function: str) -> ast.expr:
        start = self.next.start
        if self.next.text in {"*", "**", "..."}:
            self.fail("arguments are written one by one", "join lists with + and pass the list")
        node = self.expression(generator=True)
        if self.next.text == "=":
            signature = FUNCTIONS[function].signature if function in FUNCTIONS else f"{function}(a, b)"
            self.fail("functions take no named arguments", f"write {signature}")
        if self.next.text == "for":
            return self.place(ast.GeneratorExp(node, self.loops()), start)
        return node

    # Atoms

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
        if token.text == ":" or token.text == ",":
            self.before = None
        self.unexpected("a value")

    def name(self) -> ast.expr:
        token = self.next
        name = token.text
        if name in _CONSTANTS:
            self.take()
            return self.place(ast.Constant(_CONSTANTS[name]), token.start)
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

    def check_name(self, token: Token) -> None:
        if token.text.startswith("_"):
            self.fail(f"the name {token.text} begins with _", "names begin with a letter", token)
        if unicodedata.normalize("NFKC", token.text) != token.text:
            plain = unicodedata.normalize("NFKC", token.text)
            self.fail(f"Python reads the name {token.text} as {plain}", f"write {plain}", token)
        if not token.text.isidentifier():
            self.fail(f"{token.text} is not a name", "names are made of letters, digits and _", token)

    def quoted(self) -> ast.expr:
        node = self.f_string() if self.next.text.startswith("f") else self.plain_text()
        if self.next.kind == "text" and self.text[self.next.start - 1] != "{":
            self.fail("two texts stand side by side", "join them with +, or a comma is missing")
        return node

    def plain_text(self) -> ast.expr:
        token = self.next
        end = self.find_quote(token)
        value = unescape(self.text, token.end, end)
        self.jump(end + 1)
        return self.place(ast.Constant(value), token.start, end + 1)

    def find_quote(self, token: Token) -> int:
        """Where the text ends that the token begins."""
        quote = token.text[-1]
        found = re.compile(rf"(?:[^\\\n{quote}]|\\[^\n])*{quote}").match(self.text, token.end)
        if found is None:
            self.unclosed(token)
        return found.end() - 1

    def unclosed(self, token: Token) -> NoReturn:
        self.fail("the text has no closing quote", f"it ends with {token.text[-1]} on the same line", token)

    def jump(self, position: int) -> None:
        self.before = Token("text", "", position, position)
        self.next = read_token(self.text, position)

    def f_string(self) -> ast.expr:
        token = self.next
        quote, position = token.text[-1], token.end
        piece = re.compile(rf"(?:[^\\\n{quote}{{}}]|\\[^\n]|{{{{|}}}})*")
        values: list[ast.expr] = []
        while True:
            found = piece.match(self.text, position)
            assert found is not None
            if found[0]:
                values.append(self.f_text(position, found.end()))
            position = found.end()
            char = self.text[position : position + 1]
            if char == quote:
                break
            if char == "}":
                raise ExpressionError(
                    "'}' stands without its '{'", position, 1, "a plain brace is written }}"
                )
            if char != "{":
                self.unclosed(token)
            value, position = self.hole(position, quote)
            values.append(value)
        self.jump(position + 1)
        return self.place(ast.JoinedStr(values), token.start, position + 1)

    def f_text(self, start: int, end: int) -> ast.expr:
        value = unescape(self.text, start, end).replace("{{", "{").replace("}}", "}")
        return self.place(ast.Constant(value), start, end)

    def hole(self, start: int, quote: str) -> tuple[ast.expr, int]:
        """The hole of an f-string and the position behind it."""
        if re.compile(r"[ \n]*[}:!]").match(self.text, start + 1):
            raise ExpressionError("the hole is empty", start, 2, "write {name}; a plain brace is written {{")
        inner = _Parser(self.text, start + 1, self.depth) if start else self
        value = inner.expression()
        spec, token = None, inner.next
        if token.text in {"=", "!", "!="}:
            message = "'=' in a hole" if token.text == "=" else "a conversion such as !r"
            self.fail(f"{message} is not allowed", "write {name}: the text of the value", token)
        position = token.end
        if token.text == ":":
            spec, position = self.format_spec(token)
        elif token.text != "}":
            if token.kind == "end" or token.text == quote:
                raise ExpressionError("the hole is not closed", start, 1, "write }")
            inner.unexpected("an operator or }")
        hole = ast.FormattedValue(value, -1, spec)
        return self.place(hole, start, position), position

    def format_spec(self, colon: Token) -> tuple[ast.JoinedStr, int]:
        end = self.text.find("}", colon.end)
        if end < 0:
            self.fail("the hole is not closed", "write }", colon)
        spec = self.text[colon.end : end]
        if not _SPEC.fullmatch(spec):
            computed = "{" in spec
            raise ExpressionError(
                "a computed format is not allowed" if computed else f"the format {spec!r} is not allowed",
                colon.end,
                len(spec),
                "a constant such as .2f or 03d, at most 99 wide",
            )
        text = self.place(ast.Constant(spec), colon.end, end)
        joined = ast.JoinedStr([text])
        self.place(joined, colon.end, end)
        return joined, end + 1

    def brackets(self, generator: bool) -> ast.expr:
        opening = self.take()
        if self.next.text == ")":
            self.fail("the brackets are empty", "an empty list is written []")
        node = self.expression()
        if self.next.text == ",":
            self.fail("',' makes a tuple, and JSON has none", "a list is written [a, b]")
        if self.next.text == "for":
            node = ast.GeneratorExp(node, self.loops())
            if not generator:
                raise ExpressionError(
                    "a generator stands outside of a call",
                    opening.start,
                    self.next.end - opening.start,
                    "write [ ] around it: [item.name for item in list]",
                )
            self.place(node, opening.start, self.next.end)
        if not self.took(")"):
            self.unexpected("an operator or ')'")
        return node

    def list_display(self) -> ast.expr:
        opening = self.take()
        items: list[ast.expr] = []
        while not self.took("]"):
            if self.next.text in {"*", "..."}:
                self.fail("a list is not spread", "write [a] + list")
            items.append(self.expression())
            if self.next.text == "for" and len(items) == 1:
                loops = self.loops()
                if not self.took("]"):
                    self.unexpected("']'")
                return self.place(ast.ListComp(items[0], loops), opening.start)
            if not self.took(",") and self.next.text != "]":
                self.unexpected("',' or ']'")
        return self.place(ast.List(items, ast.Load()), opening.start)

    def mapping_display(self) -> ast.expr:
        opening = self.take()
        keys: list[ast.expr | None] = []
        values: list[ast.expr] = []
        while not self.took("}"):
            if self.next.text in {"*", "**", "..."}:
                self.fail("a mapping is not spread", "write merge(a, b)")
            keys.append(self.expression())
            if self.next.text in {",", "}", "for"}:
                self.fail("the key has no value", "a mapping is written {'key': value}, a list [a, b]")
            if not self.took(":"):
                self.unexpected("':' and a value")
            values.append(self.expression())
            if self.next.text == "for" and len(keys) == 1:
                return self.mapping_loop(opening, keys[0], values[0])
            if not self.took(",") and self.next.text != "}":
                self.unexpected("',' or '}'")
        return self.place(ast.Dict(keys, values), opening.start)

    def mapping_loop(self, opening: Token, key: ast.expr | None, value: ast.expr) -> ast.expr:
        assert key is not None
        loops = self.loops()
        if not self.took("}"):
            self.unexpected("'}'")
        return self.place(ast.DictComp(key, value, loops), opening.start)

    # Loops

    def loops(self) -> list[ast.comprehension]:
        found: list[ast.comprehension] = []
        while self.took("for"):
            variable = self.loop_variable("for item in list")
            self.expect("in", "in, as in for item in list")
            target = self.place(ast.Name(variable.text, ast.Store()), variable.start, variable.end)
            source = self.binary(_OR)
            condition = self.condition()
            found.append(ast.comprehension(target, source, [condition] if condition else [], 0))
        return found

    def loop_variable(self, example: str) -> Token:
        token = self.next
        if token.text == "(" or (token.kind == "name" and read_token(self.text, token.end).text == ","):
            self.fail(
                "a loop has one variable", "write item, then item[0]; of items(m), item.key and item.value"
            )
        if token.kind != "name":
            self.unexpected(f"a loop variable, as in {example}")
        if token.text in KEYWORDS or token.text in _CONSTANTS:
            self.fail(f"'{token.text}' cannot be a loop variable", f"write {example}")
        self.check_name(token)
        return self.take()

    def condition(self) -> ast.expr | None:
        conditions: list[ast.expr] = []
        start = self.next.start
        while self.took("if"):
            conditions.append(self.binary(_OR))
            if self.next.text == "else":
                self.fail("a condition of a loop has no else", "put a if b else c in brackets")
        if len(conditions) > 1:
            return self.place(ast.BoolOp(ast.And(), conditions), start)
        return conditions[0] if conditions else None


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


def _is_simple(node: ast.expr) -> bool:
    """Tells whether a node may stand in the middle of a chain, where it is looked at twice."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return isinstance(node.operand, ast.Constant)
    if isinstance(node, ast.Attribute):
        return _is_simple(node.value)
    if isinstance(node, ast.Subscript):
        return _is_simple(node.value) and not isinstance(node.slice, ast.Slice) and _is_simple(node.slice)
    return isinstance(node, (ast.Name, ast.Constant))
