"""Native modules without what only debuggers read, which is up to six sevenths of one."""

from __future__ import annotations

import struct

_HEAD = struct.Struct("<16xH14xQQ6xHH6x")
"""Of a file: its type, where its segments and sections are told, and how long and how many the entries of those are."""
_SEGMENT = struct.Struct("<8xQ16xQ16x")
"""Of a segment: where it stands in the file, and how long it is there."""
_MAGIC = b"\x7fELF\x02\x01"
"""Of ELF, 64 bits, the least byte first: what the hosts have."""
_LIBRARY = 3


def stripped(content: bytes) -> bytes:
    """A shared library up to where its last segment ends; what is no such library stays as it is.

    Loading looks at segments. Behind them stand the symbols and lines of debuggers, and the table that names them.
    """
    if not content.startswith(_MAGIC) or len(content) < _HEAD.size:
        return content
    kind, begins, _, size, count = _HEAD.unpack_from(content)
    if kind != _LIBRARY or size != _SEGMENT.size:
        return content
    places = [_SEGMENT.unpack_from(content, begins + at * size) for at in range(count)]
    end = max([begins + count * size, *(offset + length for offset, length in places)])
    kept = bytearray(content[:end])
    struct.pack_into("<Q", kept, 40, 0)  # where the table of sections was
    struct.pack_into("<HH", kept, 60, 0, 0)  # how many there were, and which had their names
    return bytes(kept)
