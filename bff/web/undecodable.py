"""Paths and queries whose bytes are no text in UTF-8: what stands for such bytes must not go up to a backend."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeAlias
from urllib.parse import parse_qsl, unquote_to_bytes

from flask import Request

from bff.problems import problem

Place: TypeAlias = tuple[str, str]

_STAND_IN = "\N{REPLACEMENT CHARACTER}"


def undecodable_in_path(request: Request, path: Mapping[str, str]) -> list[Place]:
    """The parts of a path that are no text. A stand-in that was sent as such is a text like any other."""
    if _STAND_IN not in "".join(path.values()) or _is_path_of_text(request.environ):
        return []
    return [("path", name) for name, text in path.items() if _STAND_IN in text]


def undecodable_in_query(request: Request, names: Collection[str]) -> list[Place]:
    """The parameters of these names that are no text; raises PageError where nobody can read the query."""
    raw = request.query_string
    if raw.isascii() and b"%" not in raw:
        return []
    try:
        query = raw.decode()
    except UnicodeDecodeError:
        raise problem("invalid-input", "The query is not text in UTF-8.") from None
    pairs = parse_qsl(query, keep_blank_values=True, errors="surrogateescape")
    wrong = {name for name, text in pairs if name in names and not _is_encodable(text)}
    return [("query", name) for name in sorted(wrong)]


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


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
