"""Reads what stands in brackets: lists, mappings and the loops that make them."""

from __future__ import annotations

import ast

from bff.expressions.quoted import Quoted
from bff.expressions.tokens import KEYWORDS, ExpressionError, Token, read_token

CONSTANTS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}


class Displays(Quoted):
    """Adds displays, comprehensions and generators."""

    def choice(self) -> ast.expr:
        """A value without an if of its own, as the list of a loop is."""
        raise NotImplementedError

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
                self.fail(
                    "the key has no value",
                    "a mapping is written {'key': value}, a list [a, b], a name without braces",
                )
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

    def loops(self) -> list[ast.comprehension]:
        found: list[ast.comprehension] = []
        while self.took("for"):
            variable = self.loop_variable("for item in list")
            self.expect("in", "in, as in for item in list")
            target = self.place(ast.Name(variable.text, ast.Store()), variable.start, variable.end)
            source = self.choice()
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
        if token.text in KEYWORDS or token.text in CONSTANTS:
            self.fail(f"'{token.text}' cannot be a loop variable", f"write {example}")
        self.check_name(token)
        return self.take()

    def condition(self) -> ast.expr | None:
        conditions: list[ast.expr] = []
        start = self.next.start
        while self.took("if"):
            conditions.append(self.choice())
            if self.next.text == "else":
                self.fail("a condition of a loop has no else", "put a if b else c in brackets")
        if len(conditions) > 1:
            return self.place(ast.BoolOp(ast.And(), conditions), start)
        return conditions[0] if conditions else None
