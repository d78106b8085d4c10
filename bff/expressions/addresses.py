"""Headers of an answer that hold an address: their holes are percent-encoded, all else stands as it is.

A hole is one of an f-string whose text before it settles the host: `/todos/`, `https://example.org/`, `?page=`.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterable, Iterator
from typing import TypeVar

from msgspec.structs import replace

from bff.expressions.percent import BEHIND_PATH, ENCODERS, IN_PATH
from bff.expressions.tree import Expression, Mapping, Sequence, Tree

_ADDRESSES = frozenset(
    {
        *("location", "content-location", "link", "sourcemap", "x-accel-redirect", "x-sendfile"),
        *("hx-location", "hx-redirect", "hx-push-url", "hx-replace-url", "turbolinks-location"),
    }
)
_ENCODED = frozenset({*ENCODERS, "url_encode"})
_HOLE = "\0"
_SETTLES = re.compile(rf"https?://[^/\\?#@\s{_HOLE}]+[/?#]|/[^/\\{_HOLE}]|[?#]")

Node = TypeVar("Node", bound=ast.expr)


def holds_address(header: str) -> bool:
    """Whether a header of an answer leads somewhere."""
    return header.lower() in _ADDRESSES


def with_encoded_holes(headers: Mapping | None) -> Mapping | None:
    """The headers with each hole of an address in a call of the function that encodes it."""
    if headers is None:
        return None
    return Mapping(
        tuple((name, encoded(name, tree) if holds_address(name) else tree) for name, tree in headers.items)
    )


def encoded(header: str, tree: Tree) -> Tree:
    """One header's value, or each of its values, with its holes encoded."""
    if isinstance(tree, Sequence):
        return Sequence(tuple(encoded(header, item) for item in tree.items))
    if isinstance(tree, Expression):
        return replace(tree, node=_encoded(header.lower(), tree.node))
    return tree


def as_it_is(node: ast.expr) -> Iterator[ast.expr]:
    """The look-ups and names in a value whose text stands in it as it is: neither encoded nor only looked at."""
    match node:
        case ast.Call(func=ast.Name(id=name)) if name in _ENCODED:
            return
        case ast.Call(func=ast.Name(id="url"), args=[base, *_]):
            yield from as_it_is(base)
        case ast.Compare() | ast.UnaryOp(op=ast.Not()) | ast.Constant():
            return
        case ast.Name() | ast.Attribute() | ast.Subscript():
            root = _root(node)
            yield from [node] if isinstance(root, ast.Name) else as_it_is(root)
            if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
                yield from _in_all(ast.iter_child_nodes(node.slice))
        case ast.IfExp(body=body, orelse=orelse):
            yield from _in_all((body, orelse))
        case ast.Call(args=arguments):
            yield from _in_all(arguments)
        case ast.ListComp(generators=loops, elt=element) | ast.GeneratorExp(generators=loops, elt=element):
            yield from _in_all([element, *(loop.iter for loop in loops)])
        case ast.DictComp(generators=loops, key=key, value=value):
            yield from _in_all([key, value, *(loop.iter for loop in loops)])
        case _:
            yield from _in_all(ast.iter_child_nodes(node))


def _in_all(nodes: Iterable[ast.AST]) -> Iterator[ast.expr]:
    for node in nodes:
        if isinstance(node, ast.expr):
            yield from as_it_is(node)


def keys_of(node: ast.expr) -> tuple[str, ...]:
    """The keys that a look-up goes down from its name, up to the first that is computed: `user.address.city`."""
    keys: tuple[str, ...] = ()
    while isinstance(node, ast.Attribute | ast.Subscript):
        constant = (
            isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and node.slice.value
        )
        key = node.attr if isinstance(node, ast.Attribute) else constant
        keys = (key, *keys) if isinstance(key, str) else ()
        node = node.value
    return keys


def root_name(node: ast.expr) -> str:
    """The name that a look-up begins with."""
    root = _root(node)
    return root.id if isinstance(root, ast.Name) else ""


def _root(node: ast.expr) -> ast.expr:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node


# --- encoding ----------------------------------------------------------------------------------------------------


def _encoded(header: str, node: ast.expr, before: str = "") -> ast.expr:
    """The node with the holes of the texts encoded that its value can begin with; `before` is what stands there."""

    def all_of(values: Iterable[ast.expr]) -> list[ast.expr]:
        return [_encoded(header, value, before) for value in values]

    match node:
        case ast.JoinedStr(values=parts):
            return _changed(node, values=list(_parts(header, parts, before)))
        case ast.IfExp(body=body, orelse=orelse):
            return _changed(
                node, body=_encoded(header, body, before), orelse=_encoded(header, orelse, before)
            )
        case ast.BoolOp(values=values):
            return _changed(node, values=all_of(values))
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            behind = before + _written(left)
            return _changed(node, left=_encoded(header, left, before), right=_encoded(header, right, behind))
        case ast.Call(func=ast.Name(id="default"), args=arguments):
            return _changed(node, args=all_of(arguments))
        case ast.Call(func=ast.Name(id="url"), args=[base, *others]):
            return _changed(node, args=[_encoded(header, base, before), *others])
        case ast.Call(func=ast.Name(id="url_encode"), args=[value]) if _SETTLES.match(
            _address(header, before)
        ):
            return _call(_encoder(_address(header, before)), value)
        case ast.Subscript(value=ast.Dict(values=values) as table):
            return _changed(node, value=_changed(table, values=all_of(values)))
        case ast.Subscript(value=ast.List(elts=values) as table):
            return _changed(node, value=_changed(table, elts=all_of(values)))
    return node


def _written(node: ast.expr) -> str:
    """A text that is put together, with a mark for each of its holes."""
    match node:
        case ast.Constant(value=value):
            return str(value)
        case ast.JoinedStr(values=parts):
            return "".join(map(_written, parts))
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return _written(left) + _written(right)
    return _HOLE


def _parts(header: str, parts: Iterable[ast.expr], before: str) -> Iterator[ast.expr]:
    written = before
    for part in parts:
        address = _address(header, written)
        written += _written(part)
        is_hole = not isinstance(part, ast.Constant)
        yield _in_call(part, address) if is_hole and _SETTLES.match(address) else part


def _address(header: str, written: str) -> str:
    """What of a header's text before a hole is the beginning of an address."""
    return written[written.rfind("<") + 1 :] if header == "link" and "<" in written else written


def _in_call(hole: ast.expr, address: str) -> ast.FormattedValue:
    """The hole with its text, formatted as it says, in a call of what encodes it."""
    match hole:
        case ast.FormattedValue(
            value=ast.Call(func=ast.Name(id="url_encode"), args=[value]), format_spec=None
        ):
            hole = ast.copy_location(
                ast.FormattedValue(value, -1), hole
            )  # encoded once, and by what knows dots
    text = ast.copy_location(ast.JoinedStr([hole]), hole)
    return ast.copy_location(ast.FormattedValue(_call(_encoder(address), text), -1), hole)


def _encoder(address: str) -> str:
    """The function that encodes what stands behind the beginning of an address."""
    return BEHIND_PATH if re.search("[?#>]", address) else IN_PATH


def _call(name: str, value: ast.expr) -> ast.expr:
    function = ast.copy_location(ast.Name(name, ast.Load()), value)
    return ast.copy_location(ast.Call(function, [value], []), value)


def _changed(node: Node, **parts: object) -> Node:
    found = copy.copy(node)
    for name, part in parts.items():
        setattr(found, name, part)
    return found
