"""Media types of bodies that go through unread: which a browser may get as they are, and how."""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias

Manner: TypeAlias = Literal["inline", "attachment", "unknown", "refused"]

OCTETS: Final = "application/octet-stream"

SHOWN: Final = frozenset(
    {
        *("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp", "image/x-icon"),
        *("audio/mpeg", "audio/mp4", "audio/aac", "audio/ogg", "audio/wav", "audio/webm", "audio/flac"),
        *("video/mp4", "video/webm", "video/ogg", "video/quicktime"),
        *("application/json", "application/x-ndjson", "text/event-stream"),
    }
)
"""What a browser shows, plays or hands to a script, and never runs as a page."""

SAVED: Final = frozenset(
    {
        *("application/pdf", "application/zip", "application/gzip", "application/x-tar", OCTETS),
        *("text/plain", "text/csv", "text/calendar"),
    }
)
"""What is sent under its own name too, but to be saved: a viewer of the browser would open it as a page of ours."""

IN_RECORDS: Final = frozenset({"text/event-stream", "application/x-ndjson"})
"""What consists of records: one that is cut off is seen without a length."""

SENT_UP: Final = SHOWN | SAVED | {"multipart/form-data", "application/x-www-form-urlencoded"}
"""What a visitor's body may be called to a backend; any other is OCTETS."""

CODINGS: Final = frozenset({"br", "compress", "deflate", "gzip", "x-compress", "x-gzip", "zstd"})
"""How a visitor's body may be packed on its way to a backend, which is the one to unpack it."""

_TOKEN = r"[A-Za-z0-9!#$&^_.+-]{1,80}"
_VALUE = r"[A-Za-z0-9!#$&^_.+/:=?'(),-]{1,100}" + "|" + r'"[ !#-\[\]-~]{1,100}"'
_TYPE = re.compile(rf"({_TOKEN}/{_TOKEN})(?:[ \t]*;[ \t]*{_TOKEN}=(?:{_VALUE}))*[ \t]*")
_LONGEST = 256
# Pages, scripts and style of their own, and what contains parts that may be either.
_RUN = re.compile(
    r"text/(?:html|xml|javascript|ecmascript|x-.*script.*|vtt|cache-manifest)|.*[/+]xml|.*\+html|image/svg.*"
    r"|application/(?:javascript|ecmascript|x-javascript|xhtml.*|x-shockwave.*|wasm)|multipart/.*|message/.*"
)


def essence_of(content_type: str) -> str:
    """The type without its parameters, in lower case; empty for a text that is none."""
    match = _TYPE.fullmatch(content_type) if len(content_type) <= _LONGEST else None
    return "" if match is None else match[1].lower()


def manner_of(content_type: str) -> Manner:
    """How a browser may get a body of this type.

    `unknown` is what it might know better than we do: it gets it as OCTETS, to be saved. `refused` is what it would
    run as a page or a script.
    """
    essence = essence_of(content_type)
    if essence in SHOWN:
        return "inline"
    if essence in SAVED:
        return "attachment"
    return "refused" if _RUN.fullmatch(essence) else "unknown"


def sent_up(content_type: str) -> str:
    """What a visitor's body is called to a backend."""
    return content_type.strip() if essence_of(content_type.strip()) in SENT_UP else OCTETS


def codings_of(content_encoding: str) -> str | None:
    """How a body is packed, as it is told on; empty for one that is not, None where a way is not known."""
    named = (part.strip().lower() for part in content_encoding.split(","))
    packed = [name for name in named if name not in ("", "identity")]
    return ", ".join(packed) if CODINGS.issuperset(packed) else None
