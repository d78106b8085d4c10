"""The idempotency keys of one request's writes."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field

from bff import jsontext


def once() -> str:
    """A key that nobody has used before."""
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True, repr=False)
class KeySource:
    """Makes the keys that go to backends.

    `visitor` is the mark of who asks, `route` the method and path as asked. `given` is what
    `idempotency_key: true` stands for: the visitor's own key, or one of this request alone.
    """

    visitor: bytes = b""
    route: str = ""
    given: str = field(default_factory=once)

    def key(self, step: str, item: int | None, text: str | None = None) -> str:
        """The key of a step's request (of one item under `each`), 32 hex digits.

        Everything goes in, so that the keys of two visitors, routes, steps or items never meet.
        """
        parts = [self.visitor.hex(), self.route, step, item, self.given if text is None else text]
        return hashlib.blake2b(jsontext.encode(parts), digest_size=16, person=b"bff idempotency").hexdigest()
