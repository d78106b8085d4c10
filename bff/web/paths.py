"""One name for each page: a path in another form of its own is no page, so that a proxy's rule cannot be gone around.

`//metrics`, `/%6detrics` and `/a/../metrics` mean `/metrics` to a server that tidies paths, and not to a proxy that
compares them. Where the server says how the path was sent, that is looked at, else what it has made of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# Encoded: a letter or digit or -._~ , which need not be; / and \ , which another decodes; control characters.
_NEEDLESS = r"%(?:[01]|2[DEF]|3\d|4[1-9A-F]|5[0-9ACF]|6[1-9A-F]|7[0-9AEF])"
_AS_SENT = re.compile(
    rf"/?|(?:/(?!\.\.?(?:/|$))(?:[^/%\\?#\x00-\x20\x7f]|(?!{_NEEDLESS})%[0-9A-F]{{2}})+)+/?", re.IGNORECASE
)
_AS_DECODED = re.compile(r"//|/\.\.?(?:/|$)|[\\\x00-\x1f\x7f]")
_HOST_BEFORE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")


def is_canonical(environ: Mapping[str, Any]) -> bool:
    """Whether a request's path is the one name of what it asks for."""
    sent: str | None = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if sent is None:
        return is_tidy(environ["PATH_INFO"])
    if sent[:1] != "/":
        sent = _HOST_BEFORE.sub("", sent, count=1)
    return _AS_SENT.fullmatch(sent.partition("?")[0]) is not None


def is_tidy(path: str) -> bool:
    """Whether a decoded path is the one name of what it asks for."""
    return _AS_DECODED.search(path) is None
