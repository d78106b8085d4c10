"""Paths and queries as they are sent to a backend: encoded once, and nothing in them that leads elsewhere."""

from __future__ import annotations

import re
from urllib.parse import quote

from bff.memo import memoized

_ENCODED_PATH = re.compile(r"/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*")
_ENCODED_QUERY = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*")
_DOT_SEGMENT = re.compile(r"/(?:\.|%2e){1,2}(?=/|\Z)", re.IGNORECASE)
_NOT_AN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNSAFE_IN_SEGMENT = re.compile(r"[\x00-\x1f\x7f-\x9f/\\]")


def check_path(path: str) -> None:
    """Raises ValueError unless a path with its query can be sent as it is.

    It begins with a slash, is percent-encoded and has no dot segment.
    """
    before, _, query = path.partition("?")
    if not _ENCODED_PATH.fullmatch(before) or not _ENCODED_QUERY.fullmatch(query):
        raise ValueError("a path begins with / and is percent-encoded once")
    if _DOT_SEGMENT.search(before):
        raise ValueError("a path has no segment . or ..")


@memoized(entries=1024, longest=1024)
def encode_segment(text: str) -> str:
    """One segment of a path, percent-encoded; raises ValueError for what encoding does not make safe.

    Servers decode `%2F`, and clients on the way turn `%2E%2E` back.
    """
    if text in {"", ".", ".."} or _UNSAFE_IN_SEGMENT.search(text):
        raise ValueError("a part of a path is empty, a dot segment, or holds a slash or a control character")
    return quote(text, safe="")


def encode_constant(text: str) -> str:
    """A written part of a path (or query), percent-encoded where it is not yet; what it means stays."""
    return quote(_NOT_AN_ESCAPE.sub("%25", text), safe="/?%:@!$&'()*+,;=-._~")


@memoized(entries=1024, longest=1024)
def sendable(path: str) -> str:
    """A path, encoded and checked; most pages ask for the same few. Raises ValueError for one that cannot be sent."""
    encoded = encode_constant(path)
    check_path(encoded)
    return encoded


@memoized(entries=1024, longest=1024)
def quoted(text: str) -> str:
    """A name or value of a query, percent-encoded."""
    return quote(text, safe="")
