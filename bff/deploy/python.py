"""The Python that a bundle is for, and its bytecode: without that a start takes four times as long."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from importlib.util import MAGIC_NUMBER, source_hash
from pathlib import Path
from typing import Protocol

from bff.deploy import bytecode
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


_SERVE = f"""
{Path(bytecode.__file__).read_text("utf-8")}
import base64, importlib.util, json
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

    def code(self, path: str, source: bytes, bare: bool) -> bytes:
        return bytecode.code_of(path, source, bare)

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
