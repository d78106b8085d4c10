"""Bodies in another charset than UTF-8, as their Content-Type declares it or their first bytes show."""

from __future__ import annotations

import codecs
import json
import re
from encodings.aliases import aliases
from typing import Final

from bff.jsontext import NotJSON

IN_UTF8: Final = frozenset(
    {None, "application/json", "application/json; charset=utf-8", "application/json;charset=utf-8"}
    | {"application/json; charset=UTF-8", "application/json;charset=UTF-8", "text/plain; charset=utf-8"}
)
"""The types that need no look at what they declare."""

_CHARSET = re.compile(r";[ \t]*charset[ \t]*=[ \t]*\"?([A-Za-z0-9_.:+-]{1,40})", re.IGNORECASE)
_LONGEST = 256
# Not all that Python knows: some take time that is quadratic, and some are no charsets.
_CODECS: Final = frozenset(
    {"utf_8", "ascii", "utf_16", "utf_16_le", "utf_16_be", "utf_32", "utf_32_le", "utf_32_be", "latin_1"}
    | {f"iso8859_{part}" for part in range(2, 17)}
    | {"cp874", *(f"cp{page}" for page in range(1250, 1259)), "koi8_r", "koi8_u", "mac_roman", "tis_620"}
    | {"gb2312", "gbk", "gb18030", "big5", "big5hkscs", "shift_jis", "cp932", "euc_jp", "euc_kr", "cp949"}
)


# Those of UTF-32 first: one of them begins as one of UTF-16 does.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf_8"),
    (codecs.BOM_UTF32_LE, "utf_32_le"),
    (codecs.BOM_UTF32_BE, "utf_32_be"),
    (codecs.BOM_UTF16_LE, "utf_16_le"),
    (codecs.BOM_UTF16_BE, "utf_16_be"),
)


class UnknownCharset(NotJSON):
    """A charset that nobody knows."""


def codec_of(charset: str) -> str | None:
    """The codec of a charset by one of its names; None for one that is not known."""
    name = charset.lower().replace("-", "_")
    codec = aliases.get(name, name)  # looking a codec up would remember every name for ever
    return codec if codec in _CODECS else None


def in_utf8(raw: bytes, content_type: str | None) -> bytes:
    """A body in UTF-8; raises UnknownCharset where its type declares one that is not known, NotJSON for another."""
    found = _CHARSET.search(content_type) if content_type and len(content_type) <= _LONGEST else None
    if found is None:
        return raw
    codec = codec_of(found[1])
    if codec is None:
        raise UnknownCharset("a charset that is not known")
    marked = by_its_marks(raw)
    if marked is not None:
        return marked
    return raw if codec in ("utf_8", "ascii") else _from(raw, codec)


def as_text(raw: bytes, content_type: str | None) -> str:
    """A body that need not be JSON, without its byte order mark; raises UnknownCharset, or UnicodeError for another.

    Without a charset it is in UTF-8, unless it begins with the mark of UTF-16 or UTF-32.
    """
    found = _CHARSET.search(content_type) if content_type and len(content_type) <= _LONGEST else None
    codec = "utf_8" if found is None else codec_of(found[1])
    if codec is None:
        raise UnknownCharset("a charset that is not known")
    for mark, marked in _MARKS:
        if raw.startswith(mark):
            return raw[len(mark) :].decode(marked)
    return raw.decode(codec)


def by_its_marks(raw: bytes) -> bytes | None:
    """A body in UTF-8 that begins as JSON in UTF-16 or UTF-32 does; None for any other. Raises NotJSON."""
    codec = json.detect_encoding(raw[:4])
    return None if codec.startswith("utf-8") else _from(raw, codec)


def _from(raw: bytes, codec: str) -> bytes:
    try:
        return raw.decode(codec).encode()
    except ValueError:
        raise NotJSON("it is not in its charset") from None
