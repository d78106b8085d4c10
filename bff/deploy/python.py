"""The Python that a bundle is for, and its bytecode: without that a start takes four times as long."""

from __future__ import annotations

import ast
import base64
import json
import marshal
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from importlib.util import MAGIC_NUMBER, source_hash
from pathlib import Path
from typing import Any, Protocol

from bff.errors import OperatorError
from bff.expressions.running import PLACE
from bff.plan.compiled import ANY_PYTHON

# Hash-based, and not looked at again: nobody edits a bundle, and times get lost on the way (PEP 552).
_UNCHECKED = (1).to_bytes(4, "little")


class _Compiler(Protocol):
    """Makes the bytecode of one Python; `code` is empty for what is no Python, as some packages' templates.

    With `bare` it has no docstrings, and of places no more than lines.
    """

    tag: str
    magic: bytes

    def code(self, path: str, source: bytes, bare: bool) -> bytes: ...

    def close(self) -> None: ...


class Python:
    """A Python by its version, such as 3.12; one that can be run here makes its own bytecode.

    `head` says what compiled pages are for, as `bff.plan.compiled` reads it.
    """

    def __init__(self, version: str, compiler: _Compiler | None) -> None:
        self.version = version
        self._compiler = compiler
        self._codes: dict[tuple[str, bytes, bool], bytes] = {}
        self.head = ANY_PYTHON if compiler is None else f"{compiler.tag} {compiler.magic[:2].hex()}"

    @property
    def has_bytecode(self) -> bool:
        return self._compiler is not None

    def encode(self, source: str) -> bytes | str:
        """What compiled pages hold of generated source."""
        return source if self._compiler is None else self._compiler.code(PLACE, source.encode(), False)

    def with_bytecode(self, sources: Mapping[str, bytes]) -> dict[str, bytes]:
        """The files by path, and the bytecode of each module where this Python looks for it.

        What several bundles hold is compiled once.
        """
        found = dict(sources)
        if self._compiler is not None:
            for path, source in sources.items():
                if path.endswith(".py") and (code := self._code(self._compiler, path, source, bare=False)):
                    found[_place(path, self._compiler.tag)] = code
        return found

    def as_bytecode(self, sources: Mapping[str, bytes]) -> dict[str, bytes]:
        """The files by path, bytecode in place of each module, without its docstrings; tracebacks name lines alone.

        As they are where this Python makes none.
        """
        if self._compiler is None:
            return dict(sources)
        found = {}
        for path, source in sources.items():
            code = self._code(self._compiler, path, source, bare=True) if path.endswith(".py") else b""
            found[f"{path}c" if code else path] = code or source
        return found

    def _code(self, compiler: _Compiler, path: str, source: bytes, *, bare: bool) -> bytes:
        """What a file of bytecode holds; nothing for what is no Python."""
        key = path, source, bare
        if key not in self._codes:
            code = compiler.code(path, source, bare)
            head = compiler.magic + _UNCHECKED + source_hash(source)
            self._codes[key] = head + code if code else b""
        return self._codes[key]

    def close(self) -> None:
        if self._compiler is not None:
            self._compiler.close()


def running_version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


@cache
def running_python() -> Python:
    """The Python that runs this; there is one."""
    return Python(running_version(), _Here())


def python_of(version: str | None, binary: Path | None) -> Python:
    """The Python that is asked for, the running one by default.

    Raises OperatorError for a version that the engine does not run on, and for a binary of another one.
    """
    version = version or running_version()
    if not re.fullmatch(r"3\.(1[1-9])", version):
        raise OperatorError(f"--python {version}: expected 3.11 or newer, such as 3.12")
    if binary is not None:
        return Python(version, _Other(binary, version))
    return running_python() if version == running_version() else Python(version, None)


def _place(path: str, tag: str) -> str:
    folder, slash, file = path.rpartition("/")
    return f"{folder}{slash}__pycache__/{file.removesuffix('.py')}.{tag}.pyc"


_COMPILE = """
CODE = type((lambda: 0).__code__)
PARTS = [part for part in dir(CODE) if part.startswith("co_") and part not in ("co_lines", "co_lnotab", "co_positions")]
DOCUMENTED = ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef
LINE, NO_PLACE = 0x80 | 13 << 3, 0x80 | 15 << 3

def code_of(path, source, bare):
    try:
        tree = ast.parse(source)
        code = compile(undocumented(tree) if bare else tree, path, "exec", dont_inherit=True, optimize=0)
    except SyntaxError:
        return b""
    code = apart(with_lines_alone(code) if bare else code)
    # Which objects are written as ones that come again depends on what else the process holds, and the bytes must not:
    # here it holds them all.
    held = parts_of(code)
    # From 3.14 on code holds slices, which only version 5 can write.
    return marshal.dumps(code, 4 if sys.version_info < (3, 14) else 5)

def undocumented(tree):
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body[:1] = [] if len(node.body) > 1 else [ast.copy_location(ast.Pass(), node.body[0])]
    return tree

def with_lines_alone(code):
    # As -X no_debug_ranges has it: without a source there is no column to show.
    table, line = bytearray(), code.co_firstlineno
    for start, end, number in code.co_lines():
        for left in range((end - start) // 2, 0, -8):
            table.append((NO_PLACE if number is None else LINE) + min(left, 8) - 1)
            if number is not None:
                table += signed(number - line)
                line = number
    consts = tuple(with_lines_alone(one) if isinstance(one, CODE) else one for one in code.co_consts)
    return code.replace(co_linetable=bytes(table), co_consts=consts)

def signed(number):
    left, found = number << 1 if number >= 0 else -number << 1 | 1, bytearray()
    while left > 63:
        found.append(left & 63 | 64)
        left >>= 6
    return found + bytes([left])

def apart(value):
    # Which of equal sets are one object depends on more than the source.
    if isinstance(value, CODE):
        return value.replace(co_consts=apart(value.co_consts))
    if isinstance(value, tuple):
        return tuple(map(apart, value))
    return frozenset([*value]) if isinstance(value, frozenset) else value

def parts_of(value):
    found = [value]
    for part in found:
        if isinstance(part, (tuple, frozenset)):
            found += part
        elif isinstance(part, CODE):
            found += [getattr(part, name) for name in PARTS]
        elif isinstance(part, str) and len(part) < 2 and part < "\\u0100":
            sys.intern(part)  # there is one object of each, which somebody may have interned and is written so
    return found
"""
_SERVE = f"""
import ast, base64, importlib.util, json, marshal, sys
{_COMPILE}
version = ".".join(map(str, sys.version_info[:2]))
print(json.dumps([version, sys.implementation.cache_tag, importlib.util.MAGIC_NUMBER.hex()]), flush=True)
for line in sys.stdin:
    path, source, bare = json.loads(line)
    print(base64.b64encode(code_of(path, base64.b64decode(source), bare)).decode(), flush=True)
"""


class _Here:
    """The running Python."""

    def __init__(self) -> None:
        assert sys.implementation.cache_tag is not None
        self.tag, self.magic = sys.implementation.cache_tag, MAGIC_NUMBER
        names: dict[str, Any] = {"ast": ast, "marshal": marshal, "sys": sys}
        exec(_COMPILE, names)  # the same lines as in another Python, so that both make the same
        self.code = names["code_of"]

    def close(self) -> None:
        pass


class _Other:
    """A Python in a process of its own, which compiles what it is sent, a line for each file."""

    def __init__(self, binary: Path, version: str) -> None:
        # Isolated: what the caller's environment adds to the path is nothing of the bundle's.
        command = [os.fspath(binary), "-I", "-c", _SERVE]
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
            )
        except OSError as error:
            raise OperatorError(f"--python-bin {binary} cannot be run: {error.strerror}") from None
        try:
            found, self.tag, magic = json.loads(self._read())
        except ValueError:
            self.close()
            raise OperatorError(f"--python-bin {binary} is no Python") from None
        self.magic = bytes.fromhex(magic)
        if found != version:
            self.close()
            raise OperatorError(f"--python-bin {binary} is Python {found}, and the bundle is for {version}")

    def code(self, path: str, source: bytes, bare: bool) -> bytes:
        assert self._process.stdin is not None
        asked = json.dumps([path, base64.b64encode(source).decode(), bare])
        print(asked, file=self._process.stdin, flush=True)
        return base64.b64decode(self._read())

    def close(self) -> None:
        self._process.communicate()

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()
