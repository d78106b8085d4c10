"""Goes through the tokens of one expression."""

from __future__ import annotations

import ast
import unicodedata
from typing import NoReturn, TypeVar

from bff.expressions.tokens import ExpressionError, Token, check_characters, read_token, unexpected

_Node = TypeVar("_Node", bound=ast.expr)


class Cursor:
    """A position in a text: the token that comes next and the one before it.

    `closing` is, inside the hole of an f-string, the quote that ends it.
    """

    def __init__(self, text: str, position: int = 0, depth: int = 0) -> None:
        if position == 0:
            check_characters(text)
        self.text = text
        self.before: Token | None = None
        self.depth = depth
        self.closing = ""
        self.next = read_token(text, position)

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

    def end(self) -> None:
        if self.next.text == "for":
            self.fail("'for' stands outside of brackets", "write [item.name for item in list]")
        if self.next.kind != "end":
            quotes = "" if self.next.kind == "operator" else "; a text stands in quotes"
            self.unexpected(f"an operator or the end{quotes}")

    def place(self, node: _Node, start: int, end: int | None = None) -> _Node:
        """The node with its offsets, in characters."""
        if end is None:
            end = self.before.end if self.before else start
        node.lineno = node.end_lineno = 1
        node.col_offset, node.end_col_offset = start, end
        return node

    def check_name(self, token: Token) -> None:
        if token.text.startswith("_"):
            self.fail(f"the name {token.text} begins with _", "names begin with a letter", token)
        if unicodedata.normalize("NFKC", token.text) != token.text:
            plain = unicodedata.normalize("NFKC", token.text)
            self.fail(f"Python reads the name {token.text} as {plain}", f"write {plain}", token)
        if not token.text.isidentifier():
            self.fail(f"{token.text} is not a name", "names are made of letters, digits and _", token)
