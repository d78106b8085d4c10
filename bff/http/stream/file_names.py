"""Names of files in `Content-Disposition`: read as they are written in the wild, written as RFC 6266 asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote_to_bytes

from bff.http.charsets import codec_of

_LONGEST_HEADER = 1_500
_LONGEST_NAME = 120
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,8}\Z")
_PARAMETER = re.compile(r';\s*([A-Za-z*]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)')
_QUOTED_PAIR = re.compile(r'\\(["\\])')
_EXTENDED = re.compile(r"(utf-8|iso-8859-1|us-ascii)'[A-Za-z0-9-]*'(.*)", re.IGNORECASE | re.DOTALL)
_CHARSETS = re.compile(r"(?==\?([^?]*)\?[bBqQ]\?)")
"""The charset of each encoded word (RFC 2047), as the standard library finds them."""
_NOT_IN_NAMES = re.compile(
    r'[\x00-\x1f\x7f-\x9f"\\/:*?<>|\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffd]'
)


def name_in(written: str) -> str:
    """The plain name that a `Content-Disposition` gives; '' where it gives none that can be used."""
    if len(written) > _LONGEST_HEADER:
        return ""
    found: dict[str, str] = {}
    for name, value in _PARAMETER.findall(f";{_as_utf_8(written)}"):
        found.setdefault(name.lower(), _unquoted(value.strip()))
    return plain_name(_extended(found)) or plain_name(_decoded(found.get("filename", "")))


def plain_name(text: str) -> str:
    """A name that a file may have anywhere: no path, no control or direction characters, not hidden, not long.

    What of a long one is cut off stands before its ending.
    """
    last = re.split(r"[/\\]", text)[-1]
    name = _NOT_IN_NAMES.sub("", last).strip(" .")
    if len(name) <= _LONGEST_NAME:
        return name
    ending = _ENDING.search(name)
    kept = "" if ending is None else ending[0]
    return name[: _LONGEST_NAME - len(kept)].strip(" .") + kept


def disposition(manner: str, name: str) -> str:
    """The header for a plain name, '' for none: in ASCII, and in UTF-8 beside it where that says more."""
    if not name:
        return manner
    plain = name.encode("ascii", "ignore").decode().strip(" .")
    ascii_name = f'; filename="{plain}"' if plain else ""
    # Some browsers take `%41` in the plain form for a letter.
    extended = "" if plain == name and "%" not in name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f"{manner}{ascii_name}{extended}"


def _as_utf_8(text: str) -> str:
    """A header's text, which comes as Latin-1, as the UTF-8 that it mostly is."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"':
        return _QUOTED_PAIR.sub(r"\1", value[1:-1])
    return value


def _extended(found: Mapping[str, str]) -> str:
    """What `filename*` says, which counts before `filename` wherever it stands (RFC 8187)."""
    match = _EXTENDED.fullmatch(found.get("filename*", ""))
    if match is None:
        return ""
    try:
        return unquote_to_bytes(match[2]).decode(match[1])
    except UnicodeDecodeError:
        return ""


def _decoded(text: str) -> str:
    """A text whose encoded words (RFC 2047) are read, as mail programs write them and browsers take them."""
    charsets = _CHARSETS.findall(text)
    if not charsets:
        return text
    if not all(map(codec_of, charsets)):
        return ""
    from email.errors import HeaderParseError
    from email.header import decode_header, make_header  # few names are written like that

    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, ValueError):
        return ""
