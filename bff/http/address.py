"""What a base URL may be."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from bff.http.paths import check_path

_BASE_URL = re.compile(r"[Hh][Tt][Tt][Pp][Ss]?://[!-\[\]-~]+")


def problem_of_base_url(url: str) -> str | None:
    """What keeps a text from being a base URL, None if nothing does; names no part of it: it may hold a secret."""
    if not isinstance(url, str) or not _BASE_URL.fullmatch(url):
        return "must begin with http:// or https:// and hold only ASCII characters, none of them a space"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "has no right host or port"
    if not parts.hostname or port == 0:
        return "has no right host or port"
    if "@" in parts.netloc:
        return "must hold no user name or password: use auth="
    if "?" in url or "#" in url:
        return "must have no query and no fragment"
    try:
        check_path(parts.path or "/")
    except ValueError as error:
        return f"has a wrong path: {error}"
    return None
