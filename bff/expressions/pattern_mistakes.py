"""What is wrong with a pattern, and where: RE2 says what it has not understood, its place is found here."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import NoReturn

from bff.expressions.rooms import PATTERNED
from bff.expressions.tokens import ESCAPE, ExpressionError
from bff.settings import installing

_EXAMPLE = "written out, as in {}(text, r'^[a-z]+$'{})"
_LINEAR = "RE2 has no look-around and no back-references, so that no text takes it long"
_REFERENCE = re.compile(r"\\(.?)", re.DOTALL)
_GROUP = re.compile(r"\\[0-9]")

# What RE2 says, what we say of the part that it names, and the cure.
_KINDS: dict[str, tuple[str, str]] = {
    "missing argument to repetition operator": ("{0!r} repeats nothing", "a plain {0} is written \\{0}"),
    "no argument for repetition operator": ("{0!r} repeats nothing", "a plain {0} is written \\{0}"),
    "bad repetition operator": ("{0!r} repeats what is repeated", "write it once"),
    "invalid repetition size": (
        "the repetition {0} is not allowed",
        "at most 1,000 times in all, the smaller number first",
    ),
    "invalid character class range": (
        "{0} is no class of characters",
        "such as [a-z], [[:alpha:]] or \\p{{L}}",
    ),
    "invalid character class": ("{0} is no class of characters", "such as [a-z], [[:alpha:]] or \\p{{L}}"),
    "invalid escape sequence": ("{0} is no escape of RE2", "a plain backslash is written \\\\"),
    "invalid perl operator": ("{0} is not allowed", _LINEAR),
    "invalid named capture group": ("{0} names no group", "write (?P<name>…)"),
    "missing ]": ("the class is not closed", "write ]; a plain bracket is written \\["),
    "missing )": ("the group is not closed", "write ); a plain bracket is written \\("),
    "unexpected )": ("')' closes no group", "a plain bracket is written \\)"),
    "trailing \\": ("the pattern ends with a backslash", "a plain backslash is written \\\\"),
    "pattern too large": ("the pattern is too large", "repeat less: {{1,1000}} is a thousand patterns"),
}


def check_pattern(text: str, function: ast.Name, arguments: Sequence[ast.expr]) -> None:
    """Raises ExpressionError for a call whose pattern is none, or whose constant names a group that is not there."""
    name = function.id
    if name not in PATTERNED:
        return
    node = arguments[1]
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        more = ", 'new'" if name == "sub" else ""
        _fail(node, f"the pattern of {name}() is computed", f"it is {_EXAMPLE.format(name, more)}")
    try:
        from bff.expressions.patterns import NoPattern, Pattern  # few recipes have patterns
    except ImportError:
        raise ExpressionError(
            f"{name}() needs the package re2", function.col_offset, len(name), installing("re2")
        ) from None
    try:
        pattern = Pattern(node.value)
    except NoPattern as error:
        raise _mistake(text, node, str(error)) from None
    if name == "sub":
        _check_groups(text, arguments[2], pattern.groups)


def parts_of(new: str) -> str | tuple[str | int, ...]:
    r"""The texts and groups that a constant puts in place of a hit: of `\1`, `\0`, and `\\` for a backslash."""
    parts: list[str | int] = []
    at = 0
    for found in _REFERENCE.finditer(new):
        parts += [new[at : found.start()], int(found[1]) if found[1].isdecimal() else "\\"]
        at = found.end()
    parts.append(new[at:])
    texts = [part for part in parts if isinstance(part, str)]
    return "".join(texts) if len(texts) == len(parts) else tuple(part for part in parts if part != "")


def _check_groups(text: str, node: ast.expr, groups: int) -> None:
    if isinstance(node, ast.JoinedStr):
        for part in node.values:
            if isinstance(part, ast.Constant) and _GROUP.search(str(part.value)):
                _fail(part, "a group stands in a constant only", "take it by find(text, r'…')[1]")
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return
    places = _places(text, node)
    for found in _REFERENCE.finditer(node.value):
        start, end = places[found.start()], places[found.end()]
        if found[1] == "\\":
            continue
        if not found[1].isdecimal() or not found[1].isascii():
            raise ExpressionError(
                f"{found[0]} stands for nothing",
                start,
                end - start,
                "\\1 is a group, a plain backslash is \\\\",
            )
        if int(found[1]) > groups:
            has = "no group" if not groups else "one group" if groups == 1 else f"{groups} groups"
            raise ExpressionError(
                f"the pattern has {has}, not {found[0]}", start, end - start, "a group stands in ( )"
            )


def _mistake(text: str, node: ast.Constant, said: str) -> ExpressionError:
    pattern = str(node.value)
    kind, _, part = said.partition(": ")
    kind = kind.removesuffix(" - compile failed")
    message, cure = _KINDS.get(
        kind, (f"this is no pattern of RE2: {kind}", "see github.com/google/re2/wiki/Syntax")
    )
    start, end = _place(pattern, kind, part)
    shown = pattern[start:end]
    if kind == "invalid escape sequence":
        if shown == "\\Z":
            cure = "the end of the text is \\z, or $"
        elif shown[1:2].isdigit():
            cure = _LINEAR
    places = _places(text, node)
    return ExpressionError(
        message.format(shown), places[start], max(1, places[end] - places[start]), cure.format(shown)
    )


def _place(pattern: str, kind: str, part: str) -> tuple[int, int]:
    """Where in a pattern is what RE2 has not understood."""
    if kind == "missing )":
        start = _open_group(pattern)
        return start, start + 1
    if kind == "unexpected )":
        part = ")"
    if kind == "trailing \\":
        return len(pattern) - 1, len(pattern)
    for found in re.finditer(re.escape(part), pattern) if part else ():
        if _says(pattern[: found.end()], kind):
            return found.start(), found.start() + 1 if kind == "missing ]" else found.end()
    return 0, len(pattern)


def _says(pattern: str, kind: str) -> bool:
    from bff.expressions.patterns import NoPattern, Pattern

    try:
        Pattern(pattern)
    except NoPattern as error:
        return str(error).startswith(kind)
    return False


def _open_group(pattern: str) -> int:
    """Where the innermost group begins that is not closed."""
    opened: list[int] = []
    for found in re.finditer(r"\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|[()]", pattern, re.DOTALL):
        if found[0] == "(":
            opened.append(found.start())
        elif found[0] == ")" and opened:
            opened.pop()
    return opened[-1] if opened else 0


def _places(text: str, node: ast.Constant) -> list[int]:
    """Where each character of a constant stands in the expression, and its end."""
    start, end = node.col_offset, (node.end_col_offset or 0) - 1
    if text[start] in "rR":
        return list(range(start + 2, end + 1))
    places: list[int] = []
    at = start + 1
    while at < end:
        places.append(at)
        found = ESCAPE.match(text, at)
        at = found.end() if found else at + 1
    return [*places, end]


def _fail(node: ast.expr, message: str, hint: str) -> NoReturn:
    raise ExpressionError(message, node.col_offset, (node.end_col_offset or 0) - node.col_offset, hint)
