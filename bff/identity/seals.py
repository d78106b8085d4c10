"""What a page seals for itself, as a cursor that the browser brings back: encrypted for the page and the visitor.

AES-SIV (RFC 5297, from `cryptography`): the same value for the same page and visitor is the same text, so that a page
with a cursor in it is still not modified, and nothing has to be kept. What is sealed for whom is authenticated beside
it. Keys of its own are made of the session's, so that no cookie can stand in for it; they rotate as those do.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from bff import jsontext
from bff.hashing import blake2b
from bff.identity.visitor import Visitor

MAX_SEALED = 2048
"""Characters of the longest text."""
MAX_PLAIN = MAX_SEALED // 4 * 3 - 16
_VERSION = b"bff seal 1"
_MOST_OF_VISITOR = 64 * 1024


class Seals:
    """Seals for one page; `keys` are those of the session, newest first."""

    def __init__(self, keys: Sequence[str], page: str) -> None:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESSIV  # only where a page seals

        self.not_ours: type[Exception] = InvalidTag
        self.ciphers = [AESSIV(_own_key(key)) for key in keys]
        self.page = page.encode()

    def of(self, visitor: Visitor) -> VisitorsSeals:
        """What seals for a visitor: by `iss` and `sub` of a Bearer token, by the `user` of a session.

        A session whose tokens were renewed is the same visitor; those who have not signed in are one.
        """
        who = visitor.user
        if visitor.bearer is not None and isinstance(who, dict) and who.get("sub"):
            who = [who.get("iss"), who["sub"]]
        return VisitorsSeals(self, who)


class VisitorsSeals:
    """Seals what one visitor of one page takes along, and opens what they bring."""

    __slots__ = ("_bound_to", "_seals", "_who")

    def __init__(self, seals: Seals, who: Any) -> None:
        self._seals = seals
        self._who = who
        self._bound_to: list[bytes] | None = None

    def seal(self, plain: bytes) -> str:
        """The text of up to MAX_PLAIN bytes, at most MAX_SEALED long."""
        sealed = self._seals.ciphers[0].encrypt(plain, self._bound())
        return _text_of(sealed)

    def open(self, text: str) -> bytes | None:
        """What was sealed; None where it was not, or elsewhere, for somebody else, or with a key that is gone."""
        if len(text) > MAX_SEALED or not text.isascii():
            return None
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        except ValueError:
            return None
        if _text_of(sealed) != text:  # the same bytes, written in another way
            return None
        for cipher in self._seals.ciphers:
            try:
                return cipher.decrypt(sealed, self._bound())
            except (self._seals.not_ours, ValueError):
                continue
        return None

    def _bound(self) -> list[bytes]:
        if self._bound_to is None:
            nodes = _MOST_OF_VISITOR
            who = jsontext.encode_sorted_within(self._who, nodes, _MOST_OF_VISITOR, 100)
            self._bound_to = [_VERSION, self._seals.page, who]
        return self._bound_to


def _text_of(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")


def _own_key(key: str) -> bytes:
    secret = base64.urlsafe_b64decode(key)
    return blake2b(secret, digest_size=64, person=b"bff seal").digest()
