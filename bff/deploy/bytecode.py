"""Bytecode beside the sources: a host may not let it be written, and without it a start takes four times as long."""

from __future__ import annotations

import marshal
from collections.abc import Mapping
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash

# Hash-based, and not looked at again: nobody edits a bundle, and times get lost on the way (PEP 552).
_UNCHECKED = (1).to_bytes(4, "little")


def with_bytecode(sources: Mapping[str, bytes]) -> dict[str, bytes]:
    """The sources by path, and the bytecode of each for this Python where it looks for it."""
    return {**sources, **{_place(path): _bytecode(path, source) for path, source in sources.items()}}


def _place(path: str) -> str:
    return cache_from_source(path, optimization="")


def _bytecode(path: str, source: bytes) -> bytes:
    code = compile(source, path, "exec", dont_inherit=True, optimize=0)
    return MAGIC_NUMBER + _UNCHECKED + source_hash(source) + marshal.dumps(code)
