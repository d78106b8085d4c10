"""The visitor of one request, however they said who they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import field

from bff.records import Unshown


class Visitor(Unshown, frozen=True):
    """`user` is what expressions see; `tokens` go to the clients that name them; `bearer` to those that want it.

    `mark` is a keyed hash that tells visitors apart without telling who they are; empty for anybody.
    """

    user: Any = None
    tokens: Mapping[str, str] = field(default_factory=dict)
    bearer: str | None = None
    mark: bytes = b""

    def token(self, name: str, *, or_bearer: bool) -> str | None:
        """The token that goes to clients of this name; a Bearer token only to those that want it."""
        return self.tokens.get(name) or (self.bearer if or_bearer else None)

    def __repr__(self) -> str:
        return "<Visitor>" if self.mark else "<Visitor anybody>"


ANYBODY = Visitor()
