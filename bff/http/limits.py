"""What one page's calls may take."""

from __future__ import annotations

from msgspec import Struct


class Limits(Struct, frozen=True):
    """Bounds of one page's calls.

    Tries; bytes of one reply and of all, unzipped; depth of a reply's JSON; least seconds for a try to start.
    """

    max_requests: int = 250
    max_reply: int = 8 * 2**20
    max_replies: int = 32 * 2**20
    max_depth: int = 100
    min_try: float = 0.020
