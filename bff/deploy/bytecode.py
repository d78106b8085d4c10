"""Bytecode of a module: the same bytes wherever and whenever it is made.

Another Python runs this file as well, which therefore imports nothing but what every Python has.
"""

from __future__ import annotations

import ast
import marshal
import sys
from types import CodeType
from typing import Any

# From 3.14 on code holds slices, which only version 5 can write.
_VERSION = 4 if sys.version_info < (3, 14) else 5
_PARTS = [
    name
    for name in dir(CodeType)
    if name.startswith("co_") and name not in ("co_lines", "co_lnotab", "co_positions")
]
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
# How an entry of a table of places begins that has a line alone, and one that has no place.
_LINE, _NO_PLACE = 0x80 | 13 << 3, 0x80 | 15 << 3
_MOST_UNITS = 8


def code_of(path: str, source: bytes, bare: bool) -> bytes:
    """What a module's file of bytecode holds behind its head; empty for what is no Python.

    With `bare` there are no docstrings, and no columns beside the lines.
    """
    try:
        tree = ast.parse(source)
        code = compile(_undocumented(tree) if bare else tree, path, "exec", dont_inherit=True, optimize=0)
    except SyntaxError:
        return b""
    code = _apart(_with_lines_alone(code) if bare else code)
    # Which objects are written as ones that come again depends on who else holds them, and the bytes must not: here
    # all of them are held.
    held = _parts_of(code)
    written = marshal.dumps(code, _VERSION)
    del held
    return written


def _undocumented(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body[:1] = [] if len(node.body) > 1 else [ast.copy_location(ast.Pass(), node.body[0])]
    return tree


def _with_lines_alone(code: CodeType) -> CodeType:
    """As `-X no_debug_ranges` has it: without a source there is no column to show."""
    table, line = bytearray(), code.co_firstlineno
    for start, end, number in code.co_lines():
        for left in range((end - start) // 2, 0, -_MOST_UNITS):
            table.append((_NO_PLACE if number is None else _LINE) + min(left, _MOST_UNITS) - 1)
            if number is not None:
                table += _signed(number - line)
                line = number
    consts = tuple(_with_lines_alone(one) if isinstance(one, CodeType) else one for one in code.co_consts)
    return code.replace(co_linetable=bytes(table), co_consts=consts)


def _signed(number: int) -> bytes:
    """A number as tables of places have it: six bits a byte, the sign the first of all."""
    left, found = number << 1 if number >= 0 else -number << 1 | 1, bytearray()
    while left > 63:
        found.append(left & 63 | 64)
        left >>= 6
    return bytes([*found, left])


def _apart(value: Any) -> Any:
    """The same with each set an object of its own: which of equal ones are one depends on more than the source."""
    if isinstance(value, CodeType):
        return value.replace(co_consts=_apart(value.co_consts))
    if isinstance(value, tuple):
        return tuple(map(_apart, value))
    return frozenset([*value]) if isinstance(value, frozenset) else value


def _parts_of(code: CodeType) -> list[Any]:
    """All objects that are in a code, itself among them."""
    found: list[Any] = [code]
    for part in found:
        if isinstance(part, tuple | frozenset):
            found += part
        elif isinstance(part, CodeType):
            found += [getattr(part, name) for name in _PARTS]
        elif isinstance(part, str) and len(part) < 2 and part < "\u0100":
            sys.intern(part)  # there is one object of each, and it is written so if somebody has interned it
    return found
