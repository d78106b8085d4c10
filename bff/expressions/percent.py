"""How the holes of an address are written when a page runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import quote

from bff.problems import problem

BEHIND_PATH, IN_PATH = "_encoded", "_in_path"
"""What the functions are called in an address; no author can write these names."""


def percent_encoded(text: str) -> str:
    """A text that stands for itself wherever it is in an address."""
    return quote(text, safe="", errors="replace")


def encoded_in_path(text: str) -> str:
    """A text as a part of a path; raises PageError for dots, which lead elsewhere however they are encoded."""
    if text in (".", ".."):
        raise problem("unsent", "A value cannot be part of the address that this page answers with.")
    return percent_encoded(text)


ENCODERS: Mapping[str, Callable[[str], str]] = {BEHIND_PATH: percent_encoded, IN_PATH: encoded_in_path}
