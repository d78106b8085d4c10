"""Cuts the text of an expression into tokens and reads its texts and numbers."""

from __future__ import annotations

import keyword
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from bff.errors import BffError
from bff.expressions import habits

MAX_LENGTH = 4_000
MAX_INTEGER = 2**64 - 1
KEYWORDS = frozenset(keyword.kwlist)

_NAME = re.compile(r"[^\W\d]\w*")
_NUMBER = re.compile(
    r"0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+"
    r"|(?:[0-9](?:_?[0-9])*)?\.[0-9](?:_?[0-9])*(?:[eE][+-]?[0-9]+)?"
    r"|[0-9](?:_?[0-9])*\.?(?:[eE][+-]?[0-9]+)?"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]+Z?)?(?!\w)")
_TEXT_START = re.compile(r"((?:[rR][bBfF]?|[bBfF][rR]?|[uU])?)(['\"])")
_OPERATOR = re.compile(
    r"===|!==|\*\*|//|==|!=|<=|>=|<>|<<|>>|&&|\|\||\?\?|\?\.(?![0-9])|=>|->|:=|\.\.\.|[-+*/%|&]=|\$\{|."
)
ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|(.)|$)", re.DOTALL
)
_ESCAPED = {"\\": "\\", "'": "'", '"': '"', "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r"}
_ESCAPED |= {"t": "\t", "v": "\v"}
_BIDIRECTIONAL = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class ExpressionError(BffError):
    """A mistake in an expression; `offset` and `length` in characters of its text, `hint` the cure, if known."""

    def __init__(self, message: str, offset: int, length: int = 1, hint: str = "") -> None:
        super().__init__(f"{message}: {hint}" if hint else message)
        self.message = message
        self.offset = offset
        self.length = max(1, length)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Token:
    """One token; of a text only its opening (`'`, `f"`, `r'`) is read, its inside follows."""

    kind: Literal["name", "number", "text", "operator", "end"]
    text: str
    start: int
    end: int


def check_characters(text: str) -> None:
    """Refuses a text that is too long or holds what no editor shows."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            f"the expression is {len(text):,} characters long",
            MAX_LENGTH,
            hint=f"at most {MAX_LENGTH:,} are allowed; split it into value steps",
        )
    for offset, char in enumerate(text):
        if char == "\n" or not (unicodedata.category(char) in "Cc Cs" or char in _BIDIRECTIONAL):
            continue
        name = "half a character" if "\ud800" <= char <= "\udfff" else "a control character"
        hint = "write \\t in a text, a space elsewhere" if char == "\t" else "remove it"
        raise ExpressionError(f"{name} (U+{ord(char):04X}) stands here", offset, hint=hint)


def is_name(text: str) -> bool:
    """Tells whether expressions can name a value so."""
    return (
        text.isidentifier()
        and not text.startswith("_")
        and text not in KEYWORDS
        and text not in {"true", "false", "null", "undefined"}
        and unicodedata.normalize("NFKC", text) == text
    )


def read_token(text: str, position: int) -> Token:
    """The token at the position or behind the spaces there."""
    while position < len(text) and text[position] in " \n":
        position += 1
    if position == len(text):
        return Token("end", "", position, position)
    if found := _TEXT_START.match(text, position):
        return _text_start(text, found)
    if found := _NAME.match(text, position):
        return Token("name", found[0], position, found.end())
    if found := _NUMBER.match(text, position):
        return _number(text, found)
    found = _OPERATOR.match(text, position)
    assert found is not None
    return Token("operator", found[0], position, found.end())


def _text_start(text: str, found: re.Match[str]) -> Token:
    if found[1] not in {"", "f", "F", "r", "R"}:
        raise ExpressionError(
            f"a text begins with {found[0]} here",
            found.start(),
            len(found[0]),
            "f or r may stand before the quotes: f'…{name}…', r'…\\d…'",
        )
    if text.startswith(found[2] * 3, found.start(2)):
        raise ExpressionError(
            "a text stands in three quotes", found.start(), 3, "write one quote, and \\n for a new line"
        )
    return Token("text", found[0].lower(), found.start(), found.end())


def _number(text: str, found: re.Match[str]) -> Token:
    if date := _DATE.match(text, found.start()):
        raise ExpressionError(
            "a date without quotes is arithmetic",
            found.start(),
            len(date[0]),
            f"write {date[0]!r}",
        )
    if re.fullmatch(r"0[0-9_]*[1-9][0-9_]*", found[0]):
        raise ExpressionError(
            f"the number {found[0]} begins with 0",
            found.start(),
            len(found[0]),
            "write it without the 0, or in quotes as a text",
        )
    if behind := re.compile(r"[\w.]+").match(text, found.end()):
        whole = text[found.start() : behind.end()]
        item = f"an item of a list is read by x[{found[0][1:]}]" if found[0].startswith(".") else ""
        raise ExpressionError(
            f"{whole} is not a number", found.start(), len(whole), item or "a text stands in quotes"
        )
    return Token("number", found[0], found.start(), found.end())


def number(token: Token) -> int | float:
    """The value of a number token."""
    digits = token.text.replace("_", "")
    if re.fullmatch(r"0[xXoObB].*", digits):
        value: int | float = int(digits, 0)
    elif digits.isdigit():
        value = int(digits) if len(digits) < 40 else MAX_INTEGER + 1
    else:
        value = float(digits)
    if value > MAX_INTEGER if isinstance(value, int) else value == float("inf"):
        raise ExpressionError(
            "the number is over 64 bits", token.start, token.end - token.start, "write it as a text"
        )
    return value


def unescape(text: str, start: int, end: int) -> str:
    """The part of a text with its escapes read."""

    def character(found: re.Match[str]) -> str:
        if found[5] in _ESCAPED:
            return _ESCAPED[found[5]]
        for group, base in ((1, 16), (2, 16), (3, 16), (4, 8)):
            if (
                found[group]
                and (code := int(found[group], base)) <= 0x10FFFF
                and not 0xD800 <= code <= 0xDFFF
            ):
                return chr(code)
        half = found[2] and 0xD800 <= int(found[2], 16) <= 0xDFFF
        raise ExpressionError(
            f"{found[0]} is half a character" if half else f"{found[0]} is not a character",
            found.start(),
            len(found[0]),
            "write the character itself" if half else "a backslash is written \\\\",
        )

    pieces, position = [], start
    for found in ESCAPE.finditer(text, start, end):
        pieces += [text[position : found.start()], character(found)]
        position = found.end()
    return "".join([*pieces, text[position:end]])


def unexpected(text: str, token: Token, before: Token | None, expected: str) -> ExpressionError:
    """The error for a token that cannot stand where it does; knows the habits of other languages."""
    if token.kind == "end":
        return ExpressionError("the expression ends too early", token.start, hint=f"expected {expected}")
    length = token.end - token.start
    for word in (before, token):
        if word is not None and word.kind == "name" and word.text in habits.WORDS:
            message, hint = habits.WORDS[word.text]
            return ExpressionError(message, word.start, word.end - word.start, hint)
    if token.kind == "operator" and token.text in habits.OPERATORS:
        message, hint = habits.OPERATORS[token.text]
        return ExpressionError(message, token.start, length, hint)
    if token.kind == "operator" and not token.text.isascii():
        return _foreign_character(token)
    if token.kind == "name" and token.text in habits.KEYWORDS:
        message, hint = habits.KEYWORDS[token.text]
        return ExpressionError(message, token.start, length, hint)
    if token.kind == "number" and token.text.startswith("."):
        expected = f"an operator; an item of a list is read by x[{token.text[1:]}]"
    shown = "a text" if token.kind == "text" else f"'{token.text}'"
    return ExpressionError(f"{shown} cannot stand here", token.start, length, f"expected {expected}")


def _foreign_character(token: Token) -> ExpressionError:
    char = token.text
    plain = "'" if char in "‘’“”「」『』" else unicodedata.normalize("NFKC", char)
    name = unicodedata.name(char, f"U+{ord(char):04X}").lower()
    hint = "it may stand in a text only"
    if plain == " ":
        hint = "write a plain space"
    elif plain.isascii() and plain:
        hint = f"write {plain}"
    return ExpressionError(f"{char!r} ({name}) has no meaning here", token.start, 1, hint)
