"""Where an answer sends the browser: its `Location` is written out, and nobody's value can choose where it leads."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from bff.expressions.tree import Constant, EachClause, Expression, Sequence
from bff.recipe.check.page import Page, Spot, leaves

_HOLE = "\0"
_BEGINS = re.compile(rf"/(?:[^/\\{_HOLE}]|$)|https://[^/\\?#@\s{_HOLE}]+/")
_CURE = 'begin with a path or a host: f"/todos/{url_encode(id)}", f"https://host/…", url(\'/todos\', {…})'


def check_locations(page: Page) -> None:
    """Say a `Location` that a value could lead elsewhere: a backend's as well as the visitor's."""
    headers = page.recipe.headers
    for name, tree in headers.items if headers is not None else ():
        if name.lower() == "location":
            if isinstance(tree, Sequence) or (isinstance(tree, Constant) and tree.value is not None):
                page.say(page.recipe.marks.value(f"headers.{name}"), f"{name} is one text", _CURE)
                continue
            for spot in leaves(tree, Spot(None, "headers", Expression("", ast.Constant(None)), ())):
                if not isinstance(spot.leaf, EachClause):
                    _check(page, name, spot, spot.leaf.node)


def _check(page: Page, header: str, spot: Spot, node: ast.expr) -> None:
    match node:
        case ast.Constant(value=None):
            return
        case ast.IfExp(body=one, orelse=other):
            choices = [one, other]
        case ast.BoolOp(values=choices):
            pass
        case ast.Call(func=ast.Name(id="default"), args=choices):
            pass
        case ast.Subscript(value=ast.Dict(values=choices) | ast.List(elts=choices)):
            pass
        case ast.Call(func=ast.Name(id="url"), args=[base, *_]):
            choices = [base]
        case ast.Constant() | ast.JoinedStr() | ast.BinOp(op=ast.Add()):
            _check_text(page, header, spot, node)
            return
        case _:
            _say(page, spot, node, f"'{_written(spot, node)}' can choose where {header} leads", _CURE)
            return
    for choice in choices:
        _check(page, header, spot, choice)


def _check_text(page: Page, header: str, spot: Spot, node: ast.expr) -> None:
    """Say a text that does not begin as it must; else what stands in it without being encoded."""
    parts = list(_parts(node))
    text = "".join(str(part.value) if isinstance(part, ast.Constant) else _HOLE for part in parts)
    if not _BEGINS.match(text):
        first = next((part for part in parts if not isinstance(part, ast.Constant)), None)
        if first is None or not _BEGINS.match(text.replace(_HOLE, "x")):
            message = f"{header} begins neither with a path nor with https://host/"
            _say(page, spot, node, message, _CURE)
        else:
            value = first.value if isinstance(first, ast.FormattedValue) else first
            _say(page, spot, value, f"'{_written(spot, value)}' can choose where {header} leads", _CURE)
        return
    for part in parts:
        if isinstance(part, ast.FormattedValue):
            if part.format_spec is not None or not _is_encoded(part.value):
                written = _written(spot, part.value)
                _say_unencoded(page, header, spot, part.value, _written_format(part, written))
        elif not isinstance(part, ast.Constant) and not _is_encoded(part):
            _say_unencoded(page, header, spot, part, _written(spot, part))


def _say_unencoded(page: Page, header: str, spot: Spot, node: ast.expr, encoded: str) -> None:
    message = f"'{_written(spot, node)}' stands in {header} as it is"
    within = any(isinstance(part, ast.expr) and _is_encoded(part) for part in ast.walk(node))
    cure = (
        "put url_encode(…) around all of it, and nowhere within" if within else f"write url_encode({encoded})"
    )
    _say(page, spot, node, message, cure)


def _parts(node: ast.expr) -> Iterator[ast.expr]:
    """The pieces of a text that is put together."""
    if isinstance(node, ast.JoinedStr):
        yield from node.values
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from _parts(node.left)
        yield from _parts(node.right)
    else:
        yield node


def _is_encoded(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "url_encode"


def _written(spot: Spot, node: ast.expr) -> str:
    return spot.leaf.text[node.col_offset : node.end_col_offset]


def _written_format(hole: ast.FormattedValue, written: str) -> str:
    spec = hole.format_spec
    if not isinstance(spec, ast.JoinedStr) or not isinstance(spec.values[0], ast.Constant):
        return written
    return f"f'{{{written}:{spec.values[0].value!s}}}'"


def _say(page: Page, spot: Spot, node: ast.expr, message: str, hint: str) -> None:
    page.say(spot.mark_of(node), message, hint)
