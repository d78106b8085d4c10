"""Paths whose bytes are no text in UTF-8: what stands for such bytes must not go up to a backend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias
from urllib.parse import unquote_to_bytes

from bff.web.request import PageRequest

Place: TypeAlias = tuple[str, str]

_STAND_IN = "\N{REPLACEMENT CHARACTER}"


def undecodable_in_path(request: PageRequest, path: Mapping[str, str]) -> list[Place]:
    """The parts of a path that are no text. A stand-in that was sent as such is a text like any other."""
    if _STAND_IN not in "".join(path.values()) or _is_path_of_text(request.environ):
        return []
    return [("path", name) for name, text in path.items() if _STAND_IN in text]


def _is_path_of_text(environ: Mapping[str, str]) -> bool:
    """Whether a path is text, as it was sent too: some servers put the stand-in into PATH_INFO themselves."""
    sent = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    raw = unquote_to_bytes(sent.partition("?")[0].encode("latin-1"))
    return _is_text(raw) and _is_text(environ.get("PATH_INFO", "").encode("latin-1"))


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeError:
        return False
    return True
