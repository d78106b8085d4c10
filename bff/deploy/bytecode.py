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


def code_of(path: str, source: bytes, bare: bool) -> bytes:
    """What a module's file of bytecode holds behind its head; empty for what is no Python.

    With `bare` there are no docstrings.
    """
    try:
        tree = ast.parse(source)
        code = compile(_undocumented(tree) if bare else tree, path, "exec", dont_inherit=True, optimize=0)
    except SyntaxError:
        return b""
    code = _apart(code)
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
