"""What the records of a running page have in common.

They are structs of msgspec: a class of them is there in 20 µs, where a dataclass with slots is written, compiled and
made twice, in half a millisecond; a hundred of those are a fifth of a start. What only authors need may be a dataclass.
"""

from __future__ import annotations

from msgspec import Struct


class Unshown(Struct, frozen=True):
    """A record whose repr, which may reach a log, tells nothing of what it holds."""

    def __repr__(self) -> str:
        return object.__repr__(self)
