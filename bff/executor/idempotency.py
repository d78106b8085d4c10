"""The idempotency keys of one request's writes."""

from __future__ import annotations

import os

from msgspec import Struct

from bff import jsontext
from bff.hashing import blake2b


def once() -> str:
    """A key that nobody has used before."""
    return os.urandom(16).hex()


class KeySource(Struct):
    """Makes the keys that go to backends.

    `visitor` is the mark of who asks, `route` the method and path as asked. `given` is what
    `idempotency_key: true` stands for: the visitor's own key, or, made when it is first needed, one of this
    request alone.
    """

    visitor: bytes = b""
    route: str = ""
    given: str | None = None

    __repr__ = object.__repr__  # who asks is no log's business

    def key(self, step: str, item: int | None, text: str | None = None) -> str:
        """The key of a step's request (of one item under `each`), 32 hex digits.

        Everything goes in, so that the keys of two visitors, routes, steps or items never meet.
        """
        if text is None:
            text = self.given = self.given or once()
        parts = [self.visitor.hex(), self.route, step, item, text]
        return blake2b(jsontext.encode(parts), digest_size=16, person=b"bff idempotency").hexdigest()
