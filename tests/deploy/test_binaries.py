"""Native modules without what debuggers read: those of real wheels are shorter, and load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httptools.parser.parser
import msgspec._core
import pytest

from bff.deploy.binaries import stripped

LOAD = """
import sys
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_loader
loader = ExtensionFileLoader(*sys.argv[1:])
loader.exec_module(module_from_spec(spec_from_loader(loader.name, loader)))
"""


@pytest.mark.parametrize("module", [httptools.parser.parser, msgspec._core])
def test_a_library_ends_where_its_last_segment_does_and_loads(module: object, tmp_path: Path) -> None:
    name, file = module.__name__, Path(module.__file__)  # type: ignore[attr-defined]
    content = file.read_bytes()
    made = stripped(content)
    assert len(made) < len(content)
    assert content.startswith(made[:40])
    assert stripped(made) == made
    (tmp_path / file.name).write_bytes(made)
    done = subprocess.run(
        [sys.executable, "-c", LOAD, name, str(tmp_path / file.name)], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"text", b"\x7fELF", b"\x7fELF\x01\x01" + bytes(60)),
        b"\x7fELF\x02\x01" + bytes(10) + b"\x01" + bytes(60),  # not linked
    ],
)
def test_what_is_no_library_stays_as_it_is(content: bytes) -> None:
    assert stripped(content) == content
