"""Reads the texts of recipes: expressions, `each` clauses and paths with holes.

The grammar is Python's own, cut down to what is safe and means something over JSON. It is read here and not by
`ast.parse`, so that each mistake has its exact place (also inside f-strings) and a message made for it. The nodes
are `ast` nodes; their offsets count characters.
"""

from __future__ import annotations

import ast
import re

from bff.expressions import limits
from bff.expressions.grammar import OR, Grammar
from bff.expressions.tokens import ExpressionError, check_characters, is_name
from bff.expressions.tree import EachClause, Expression, PathTemplate

__all__ = [
    "ExpressionError",
    "PathTemplate",
    "is_name",
    "parse",
    "parse_each",
    "parse_file_name",
    "parse_path",
]

_PATH_TEXT = re.compile(r"[^\s{}\\#?\x00-\x1f\x7f]*")
_FOREIGN_HOLE = re.compile(r"(?<=/):\w+|\$\{|<\w+>")
_NAME_TEXT = re.compile(r'[^{}"\\/:*?<>|\x00-\x1f\x7f]+')
_QUERY_TEXT = re.compile(r"[^\s{}\\#\x00-\x1f\x7f]*")


def parse(text: str, origin: object | None = None) -> Expression:
    """One expression; raises `ExpressionError`."""
    parser = Grammar(text)
    node = parser.whole()
    limits.check(node)
    return Expression(text, node, origin)


def parse_each(text: str, origin: object | None = None, allow_condition: bool = True) -> EachClause:
    """`todo in todos if todo.done`; the list may be a generator expression in brackets."""
    parser = Grammar(text)
    variable = parser.loop_variable("todo in todos")
    parser.expect("in", "in, as in todo in todos")
    source = parser.binary(OR, generator=True)
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
        _refuse_other_holes(text, found)
        parts.append(found[0])
        position = found.end()
    _check_segments(text, parts)
    return PathTemplate(tuple(parts), _query(text, position), text, origin)


def parse_file_name(text: str, origin: object | None = None) -> Expression:
    """`orders-{query.day}.csv`: the text that such a name makes, whose holes are as those of a path."""
    check_characters(text)
    parts: list[ast.expr] = []
    position = 0
    while position < len(text):
        if text[position] == "{":
            hole, end = _hole(text, position)
            parts.append(_placed(ast.FormattedValue(hole, -1, None), position, end))
        else:
            found = _NAME_TEXT.match(text, position)
            if found is None:
                message = (
                    "'}' stands without its '{'"
                    if text[position] == "}"
                    else f"'{text[position]}' cannot stand in a file's name"
                )
                raise ExpressionError(
                    message, position, 1, "letters, digits, spaces, - _ . and holes such as {query.day}"
                )
            end = found.end()
            parts.append(_placed(ast.Constant(found[0]), position, end))
        position = end
    if len(parts) == 1 and isinstance(parts[0], ast.Constant):
        return Expression(text, parts[0], origin)
    node = _placed(ast.JoinedStr(parts), 0, len(text))
    limits.check(node)
    return Expression(text, node, origin)


def _placed(node: ast.expr, start: int, end: int) -> ast.expr:
    node.lineno = node.end_lineno = 1
    node.col_offset, node.end_col_offset = start, end
    return node


def _hole(text: str, start: int) -> tuple[ast.expr, int]:
    if text[start + 1 :].lstrip(" \n").startswith("}"):
        raise ExpressionError("the hole is empty", start, 2, "write {name}")
    parser = Grammar(text, start + 1)
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
    shown = "a line break" if char == "\n" else "a space" if char.isspace() else f"'{char}'"
    return ExpressionError(f"{shown} cannot stand in a path", position, 1, hint)


def _refuse_other_holes(text: str, constant: re.Match[str]) -> None:
    habit = _FOREIGN_HOLE.search(text, constant.start(), constant.end() + 1)
    if habit and habit.start() < constant.end():
        raise ExpressionError(f"{habit[0]!r} is not a hole", habit.start(), len(habit[0]), "write {name}")


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
