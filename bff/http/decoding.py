"""Takes the Content-Encoding off a body that is whole; one that ends before its coding does is cut short."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from bff.http.faults import BadReplyError

_MOST_CODINGS: Final = 5
_GZIP_MAGIC: Final = b"\x1f\x8b"
_ZEROS: Final = re.compile(rb"\0*")
# To begin a member costs some microseconds, and an empty one is 20 bytes long.
_MOST_MEMBERS: Final = 10_000
_FIRST_PIECE: Final = 1024


def decoded(raw: bytes, encoding: str, most: int) -> bytes | None:
    """The body without its codings, None where that is longer than `most`; raises BadReplyError for a broken one.

    What is unpacked is bounded while it is unpacked. A coding that nothing here knows stays on.
    """
    codings = [coding for part in encoding.split(",") if (coding := part.strip().lower()) not in _NONE]
    if not raw or not codings:
        return raw
    if len(codings) > _MOST_CODINGS:
        raise BadReplyError("too many codings", "coding")
    unpackers = [_unpacker(coding) for coding in reversed(codings)]
    for unpack in unpackers:
        if unpack is None:
            return raw
    plain: bytes | None = raw
    for unpack in unpackers:
        if plain is not None and unpack is not None:
            plain = unpack(plain, most)
    return plain


_NONE: Final = frozenset({"", "identity"})


def _unpacker(coding: str) -> Callable[[bytes, int], bytes | None] | None:
    return _OWN.get(coding) or _of_urllib3(coding)


def _gzip(raw: bytes, most: int) -> bytes | None:
    """Every member of it; zeros and whatever else is no member may stand behind the last."""
    unpacking = zlib.decompressobj(31)
    first = _inflated(unpacking, raw, most)
    rest = unpacking.unused_data
    if first is None or not rest:
        return first
    parts = [first]
    room, at = most - len(first), 0
    while (at := _next_member(rest, at)) < len(rest):
        if len(parts) == _MOST_MEMBERS:
            raise BadReplyError("too many members", "coding")
        part, at = _member(rest, at, room)
        if part is None:
            return None
        parts.append(part)
        room -= len(part)
    return b"".join(parts)


def _next_member(raw: bytes, at: int) -> int:
    """Where behind a member the next one begins; the end where what follows is none."""
    begin = _ZEROS.match(raw, at).end()  # type: ignore[union-attr]
    return begin if raw.startswith(_GZIP_MAGIC, begin) or raw[begin:] == _GZIP_MAGIC[:1] else len(raw)


def _member(raw: bytes, at: int, most: int) -> tuple[bytes | None, int]:
    """What is in the member that begins there, None where that is longer than `most`, and where it ends.

    It is given piece by piece, each twice as long: what stands behind a member is copied when the member ends.
    """
    unpacking = zlib.decompressobj(31)
    parts: list[bytes] = []
    room, length = most, _FIRST_PIECE
    while not unpacking.eof and at < len(raw):
        part = _unpacked(unpacking, raw[at : at + length], room)
        parts.append(part)
        room -= len(part)
        if room < 0:
            return None, at
        at, length = min(at + length, len(raw)), 2 * length
    if not unpacking.eof:
        raise _cut()
    return b"".join(parts), at - len(unpacking.unused_data)


def _deflate(raw: bytes, most: int) -> bytes | None:
    try:
        return _inflated(zlib.decompressobj(), raw, most)
    except BadReplyError as error:
        if error.reason != "coding":
            raise
    return _inflated(zlib.decompressobj(-15), raw, most)  # as some servers have it


def _inflated(unpacking: Any, raw: bytes, most: int) -> bytes | None:
    plain = _unpacked(unpacking, raw, most)
    if len(plain) > most:
        return None
    if not unpacking.eof:
        raise _cut()
    return plain


def _unpacked(unpacking: Any, raw: bytes, most: int) -> bytes:
    """What of it can be unpacked, at most one byte more than `most`."""
    try:
        plain: bytes = unpacking.decompress(raw, most + 1)
    except zlib.error:
        raise BadReplyError("a broken coding", "coding") from None
    return plain


_OWN: Final[Mapping[str, Callable[[bytes, int], bytes | None]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
}


def _of_urllib3(coding: str) -> Callable[[bytes, int], bytes | None] | None:
    """What unpacks a coding that urllib3 knows where a library for it is installed."""
    name = {"br": "BrotliDecoder", "zstd": "ZstdDecoder"}.get(coding)
    if name is None:
        return None
    import urllib3

    decoder = getattr(urllib3.response, name, None)
    return None if decoder is None else lambda raw, most: _driven(decoder(), raw, most)


def _driven(decoder: Any, raw: bytes, most: int) -> bytes | None:
    parts: list[bytes] = []
    size = 0
    try:
        while True:
            part = decoder.decompress(raw, max_length=most + 1 - size)
            parts.append(part)
            size += len(part)
            if size > most:
                return None
            raw = b""
            if not part or not decoder.has_unconsumed_tail:
                break
    except Exception:  # each library has errors of its own
        raise BadReplyError("a broken coding", "coding") from None
    if not _has_ended(decoder._obj):
        raise _cut()
    return b"".join(parts)


def _has_ended(unpacking: Any) -> bool:
    """Whether a library's object has come to the end of what it unpacks."""
    if hasattr(unpacking, "is_finished"):
        return bool(unpacking.is_finished())
    return bool(getattr(unpacking, "eof", True))


def _cut() -> BadReplyError:
    return BadReplyError("its coding ends before its end", "cut-short")
