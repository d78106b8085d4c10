"""The parameters of a query as texts."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from bff.problems import problem

Texts = dict[str, list[str]]

_UNDECODABLE = re.compile("[\udc80-\udcff]")


def texts_of(query: str) -> Texts:
    """The texts of each parameter of a query as WSGI has it; raises PageError where that is no text in UTF-8.

    A byte of an escaped text that is none is in it as it was escaped.
    """
    if query.isascii() and "%" not in query and "+" not in query:
        return _split(query)
    found: Texts = {}
    for name, text in _pairs(query):
        found.setdefault(_requoted(name), []).append(_requoted(text))
    return found


def undecodable_in(query: str, names: frozenset[str]) -> list[str]:
    """The parameters of these names that are no text; raises PageError where nobody can read the query."""
    if query.isascii() and "%" not in query:
        return []
    return sorted({name for name, text in _pairs(query) if name in names and _UNDECODABLE.search(text)})


def _split(query: str) -> Texts:
    found: Texts = {}
    for pair in query.split("&"):
        if pair:
            name, _, text = pair.partition("=")
            found.setdefault(name, []).append(text)
    return found


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        text = query.encode("latin-1").decode()
    except UnicodeDecodeError:
        raise problem("invalid-input", "The query is not text in UTF-8.") from None
    return parse_qsl(text, keep_blank_values=True, errors="surrogateescape")


def _requoted(text: str) -> str:
    return _UNDECODABLE.sub(lambda found: f"%{ord(found[0]) - 0xDC00:02X}", text)
