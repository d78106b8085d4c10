"""Addresses of further pages of a list, as a backend gives them: a path and query below its client's base, no more."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from bff.http.paths import sendable

_LONGEST = 8_000
_SCHEMES = frozenset({"", "http", "https"})
_SEPARATORS = re.compile(r"[/\\]")


def target_of_next(address: str, current: str, base: str) -> str | None:
    """What a client whose base URL has the path `base` asks for to get the page at an address; None for nothing.

    `current` is what it asked for last, which a relative address begins at. The host of an address is not looked at:
    its path must be below that of the base, and have no segment that could lead out of there.
    """
    if len(address) > _LONGEST:
        return None
    try:
        parts = urlsplit(address)
        path = _path_of(parts.netloc, parts.path, f"{base}{current.partition('?')[0]}")
        is_elsewhere = parts.scheme not in _SCHEMES or (parts.scheme != "" and not parts.netloc)
        if is_elsewhere or not f"{path}/".startswith(f"{base}/") or _may_lead_out(path):
            return None
        below = path[len(base) :] or "/"
        return sendable(f"{below}?{parts.query}" if parts.query else below)
    except ValueError:
        return None


def _path_of(host: str, path: str, current: str) -> str:
    """The whole path of an address, of which a relative one begins at that of the current page."""
    if host or path.startswith("/"):
        return path or "/"
    return f"{current.rpartition('/')[0]}/{path}" if path else current


def _may_lead_out(path: str) -> bool:
    """Whether a server could take a segment for one that leads up, if it decodes it or leaves its parameters out."""
    return any(part.partition(";")[0] in (".", "..") for part in _SEPARATORS.split(unquote(path)))
