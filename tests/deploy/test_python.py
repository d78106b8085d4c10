"""The Python of a bundle: bytecode as that Python makes it, by itself or in another process, or none."""

from __future__ import annotations

import marshal
import os
import subprocess
import sys
import traceback
from contextlib import closing
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

from bff.deploy.python import Python, python_of, running_python, running_version
from bff.errors import OperatorError
from bff.plan.compiled import ANY_PYTHON, this_python
from tests.servers import ROOT

SOURCES = {
    "mine/page.py": b"def page():\n    return {'a': 1, **{}}, frozenset(), 'text'\n",
    "mine/data.json": b"{}",
    "template.py": b"def {{ name }}(): pass\n",
    "top.py": b"X = 1\n",
}


def test_modules_get_unchecked_bytecode_where_this_python_looks_for_it() -> None:
    found = running_python().with_bytecode(SOURCES)
    places = {path: cache_from_source(path, optimization="") for path in ("mine/page.py", "top.py")}
    assert found.keys() == {*SOURCES, *places.values()}
    for path, place in places.items():
        head, code = found[place][:16], found[place][16:]
        assert head == MAGIC_NUMBER + (1).to_bytes(4, "little") + source_hash(SOURCES[path])
        assert marshal.loads(code).co_filename == path


class Counting:
    """A compiler that notes what it is asked for."""

    tag, magic = "cpython-311", b"0123"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def code(self, path: str, source: bytes, bare: bool) -> bytes:
        self.asked.append(path)
        return b"code of " + source

    def close(self) -> None:
        pass


def test_what_several_bundles_hold_is_compiled_once() -> None:
    compiler = Counting()
    python = Python("3.11", compiler)
    first = python.with_bytecode({"a.py": b"1", "b.txt": b"2"})
    again = python.with_bytecode({"a.py": b"1", "c/a.py": b"1"})
    other = python.with_bytecode({"a.py": b"3"})
    assert compiler.asked == ["a.py", "c/a.py", "a.py"]
    assert first["__pycache__/a.cpython-311.pyc"] == again["__pycache__/a.cpython-311.pyc"]
    assert other["__pycache__/a.cpython-311.pyc"].endswith(b"code of 3")


def test_bytecode_in_place_of_modules_has_their_lines_and_no_docstrings() -> None:
    head = b'"""About it."""\n\n\ndef page(row):\n    """What it gives."""\n\n'
    source = head + b"    return (\n        row.\n        total\n    )\n"
    found = running_python().as_bytecode({**SOURCES, "mine/told.py": source})
    assert found.keys() == {"mine/page.pyc", "mine/data.json", "template.py", "top.pyc", "mine/told.pyc"}
    page, whole = (
        function_in(code)
        for code in (marshal.loads(found["mine/told.pyc"][16:]), compile(source, "mine/told.py", "exec"))
    )
    assert (page.__doc__, page.__code__.co_filename) == (None, "mine/told.py")
    assert lines_of(page) == lines_of(whole)


def function_in(code: CodeType) -> FunctionType:
    names: dict[str, Any] = {}
    exec(code, names)
    found: FunctionType = names["page"]
    return found


def lines_of(function: FunctionType) -> tuple[int | None, list[int | None]]:
    """The line in which a call with null raises, and that of each instruction."""
    with pytest.raises(AttributeError) as raised:
        function(None)
    raised_in = traceback.extract_tb(raised.value.__traceback__)[-1].lineno
    return raised_in, [first for first, *_ in function.__code__.co_positions()]


PROBE = """
import sys, hashlib
{before}
from bff.deploy.imports import engine_files
from bff.deploy.python import running_python
made = running_python()
sets = b"class A:\\n  B = '/' in {{'DISCARD', 'EXEC'}}\\nclass C:\\n  D = '' in {{'DISCARD', 'EXEC'}}\\n"
sources = dict(engine_files(serves=True)) | {{"sets.py": sets}}
content = hashlib.sha256()
for files in (made.as_bytecode(sources), made.with_bytecode(sources)):
    for path, file in files.items():
        content.update(path.encode() + file)
print(content.hexdigest())
"""


@pytest.mark.full
def test_bytecode_is_the_same_whatever_else_the_process_holds() -> None:
    """Objects that are held elsewhere are written otherwise by marshal, and so are texts that somebody has interned."""
    others = "import asyncio, flask, hypothesis, redis, requests, unittest.mock\nsys.intern('/')"
    made = [
        subprocess.run(
            [sys.executable, "-c", PROBE.format(before=before)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for before, seed in (("", "0"), (others, "1"))
    ]
    assert made[0] == made[1]


def test_a_python_in_another_process_makes_the_same() -> None:
    with closing(python_of(running_version(), Path(sys.executable))) as other:
        assert other.with_bytecode(SOURCES) == running_python().with_bytecode(SOURCES)
        assert other.as_bytecode(SOURCES) == running_python().as_bytecode(SOURCES)
        assert other.encode("x = 1") == running_python().encode("x = 1")
        assert (other.head, other.has_bytecode) == (this_python(), True)


def test_a_python_that_is_not_here_has_no_bytecode() -> None:
    other = python_of("3.19", None)
    assert other.with_bytecode(SOURCES) == SOURCES
    assert other.as_bytecode(SOURCES) == SOURCES
    assert other.encode("x = 1") == "x = 1"
    assert (other.version, other.head, other.has_bytecode) == ("3.19", ANY_PYTHON, False)


@pytest.mark.parametrize("version", ["3", "3.10", "3.9", "2.7", "3.11.7", "python3.11", ""])
def test_a_python_that_the_engine_does_not_run_on_is_refused(version: str) -> None:
    if version:
        with pytest.raises(OperatorError) as raised:
            python_of(version, None)
        assert str(raised.value) == f"--python {version}: expected 3.11 or newer, such as 3.12"
    else:
        assert python_of(version, None).version == running_version()


def test_a_binary_of_another_version_is_refused() -> None:
    with pytest.raises(OperatorError) as raised:
        python_of("3.19", Path(sys.executable))
    assert str(raised.value) == (
        f"--python-bin {sys.executable} is Python {running_version()}, and the bundle is for 3.19"
    )


@pytest.mark.parametrize(
    ("binary", "message"),
    [
        ("/nowhere/python3", "--python-bin /nowhere/python3 cannot be run: No such file or directory"),
        ("/bin/true", "--python-bin /bin/true is no Python"),
    ],
)
def test_a_binary_that_is_no_python_is_refused(binary: str, message: str) -> None:
    with pytest.raises(OperatorError) as raised:
        python_of(None, Path(binary))
    assert str(raised.value) == message
