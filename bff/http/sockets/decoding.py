"""Takes the Content-Encoding off a body."""

from __future__ import annotations

import io
import zlib

from bff.http.sockets.parser import BadReplyError

_BLOCK = 64 * 1024


def decoded(raw: bytes, encoding: str, most: int) -> bytes | None:
    """The body without its encoding, None where that is longer than `most`; raises BadReplyError for a broken one.

    What is unpacked is bounded while it is unpacked. An encoding that nothing here knows stays on.
    """
    if not raw or encoding.strip().lower() in {"", "identity"}:
        return raw
    if encoding.strip().lower() == "gzip":
        plain = _one_gzip(raw, most)
        if plain is not None:
            return plain
    return _by_urllib3(raw, encoding, most)


def _one_gzip(raw: bytes, most: int) -> bytes | None:
    """What nearly all packed replies are; None for what is more than one member, broken or too long."""
    unpacking = zlib.decompressobj(31)
    try:
        plain = unpacking.decompress(raw, most + 1)
    except zlib.error:
        return None
    return plain if unpacking.eof and not unpacking.unused_data and len(plain) <= most else None


def _by_urllib3(raw: bytes, encoding: str, most: int) -> bytes | None:
    import urllib3

    response = urllib3.HTTPResponse(
        io.BytesIO(raw), headers={"Content-Encoding": encoding}, preload_content=False
    )
    parts: list[bytes] = []
    size = 0
    try:
        for part in response.stream(_BLOCK, decode_content=True):
            parts.append(part)
            size += len(part)
            if size > most:
                return None
    except urllib3.exceptions.HTTPError as error:
        raise BadReplyError(f"{type(error).__name__} in its encoding") from None
    return b"".join(parts)
