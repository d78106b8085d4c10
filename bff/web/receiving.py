"""A visitor's body as it comes in: not beyond its length, nor beyond what is taken."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_PIECE = 64 * 1024
_NUMBER = re.compile(r"-?\d+", re.ASCII)


class TooLong(Exception):
    """A body is longer than is taken."""


class Cut(Exception):
    """The visitor left before the end of their body."""


class Incoming:
    """The bytes of one body.

    A server that ends bodies itself (`wsgi.input_terminated`) has them read until their end, at most `most` bytes.
    Elsewhere a body without a length is empty: nobody would know where it ends.
    """

    __slots__ = ("_is_announced", "_left", "_stream")

    def __init__(self, environ: Mapping[str, Any], most: int | None) -> None:
        length = announced_length(environ)
        if length is not None and most is not None and length > most:
            raise TooLong
        self._stream = environ["wsgi.input"]
        is_terminated = "wsgi.input_terminated" in environ
        self._left: int | None = most if is_terminated else length or 0
        self._is_announced = not is_terminated

    def read(self, size: int) -> bytes:
        """At most so many bytes, none at the end."""
        left = self._left
        if left is not None and left <= 0:
            if not self._is_announced:
                raise TooLong
            return b""
        found = self._next(size if left is None else min(size, left))
        if not found and self._is_announced:
            raise Cut
        if left is not None:
            self._left = left - len(found)
        return found

    def _next(self, size: int) -> bytes:
        if self._left is None:
            found: bytes = self._stream.read(size)
            return found
        try:
            found = self._stream.read(size)
        except (OSError, ValueError) as error:
            raise Cut from error
        return found

    def read_all(self) -> bytes:
        """All that is to come; one that is as long as may be is not looked at further."""
        if self._left == 0:
            return self.read(_PIECE)
        pieces = []
        while self._left != 0 and (piece := self.read(_PIECE)):
            pieces.append(piece)
        return b"".join(pieces)


def announced_length(environ: Mapping[str, Any]) -> int | None:
    """The length that a request says; None where it says none or comes in chunks, 0 for what is no number."""
    length, coding = environ.get("CONTENT_LENGTH"), environ.get("HTTP_TRANSFER_ENCODING")
    if length is None or (coding is not None and _is_chunked(coding)):
        return None
    if _NUMBER.fullmatch(digits := length.strip(" \t")) is None:
        return 0
    try:
        return max(0, int(digits))
    except ValueError:  # more digits than Python reads
        return 0


def _is_chunked(coding: str) -> bool:
    if coding == "chunked":
        return True
    from werkzeug.http import parse_set_header  # several codings are rare

    return "chunked" in parse_set_header(coding)
