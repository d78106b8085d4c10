"""Reads texts and f-strings."""

from __future__ import annotations

import ast
import re
from typing import NoReturn, Self

from bff.expressions import formats
from bff.expressions.cursor import Cursor
from bff.expressions.tokens import ExpressionError, Token, read_token, unescape

_EMPTY_HOLE = re.compile(r"[ \n]*[}:!]")


class Quoted(Cursor):
    """Adds what stands in quotes; the holes of f-strings are read by `expression`."""

    def expression(self) -> ast.expr:
        raise NotImplementedError

    def inner(self, position: int) -> Self:
        """Reads on from inside of a text."""
        return type(self)(self.text, position, self.depth)

    def quoted(self) -> ast.expr:
        node = self.f_string() if self.next.text.startswith("f") else self.plain_text()
        if self.next.kind == "text" and self.next.text != self.closing:
            self.fail("two texts stand side by side", "join them with +, or a comma is missing")
        return node

    def plain_text(self) -> ast.expr:
        token = self.next
        end = self.find_quote(token)
        is_raw = token.text.startswith("r")
        value = self.text[token.end : end] if is_raw else unescape(self.text, token.end, end)
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
        if _EMPTY_HOLE.match(self.text, start + 1):
            raise ExpressionError("the hole is empty", start, 2, "write {name}; a plain brace is written {{")
        inner = self.inner(start + 1)
        inner.closing = quote
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
        if not formats.is_format(spec):
            raise _no_format(spec, colon.end)
        text = self.place(ast.Constant(spec), colon.end, end)
        return self.place(ast.JoinedStr([text]), colon.end, end), end + 1


def _no_format(spec: str, offset: int) -> ExpressionError:
    if not spec:
        return ExpressionError("the format is empty", offset - 1, 1, "write {name} without the colon")
    message, hint = f"the format {spec!r} is not allowed", formats.ALL
    if "{" in spec:
        message = "a computed format is not allowed"
    elif meant := formats.nearest(spec):
        hint = f"write {meant}; {hint}"
    return ExpressionError(message, offset, len(spec), hint)
