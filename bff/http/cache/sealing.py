"""The entries of the store that instances share: their names, and how they are written."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from bff import clock, jsontext
from bff.hashing import blake2b
from bff.http.cache.entry import CacheEntry

if TYPE_CHECKING:
    from bff.http.client import Client

MAX_VALUE = 2**20
"""The longest body that instances keep together, in bytes."""

_VERSION = 2
_PREFIX = "bff:cache:"
_LONGEST_HEAD = 64 * 1024


class EntrySeal:
    """Names, writes and reads entries; with keys (the newest first) each is encrypted for its name alone."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys]) if keys else None
        secret = base64.urlsafe_b64decode(keys[0]) if keys else b""
        self._hash_key = blake2b(secret, digest_size=32, person=b"bff cache").digest()

    def takes(self, *, private: bool) -> bool:
        """Whether such a reply may leave the process."""
        return self._fernet is not None or not private

    def fits(self, kept: CacheEntry) -> bool:
        return len(kept.raw) <= MAX_VALUE

    def name(self, client: Client, key: bytes) -> str:
        """Where a reply of a client is kept; tells nothing of what was asked."""
        digest = blake2b(key=self._hash_key, digest_size=24)
        for part in (str(_VERSION).encode(), client.name.encode(), client.url("").encode(), key):
            digest.update(len(part).to_bytes(8, "big") + part)
        return _PREFIX + digest.hexdigest()

    def sealed(self, name: str, kept: CacheEntry, left: int) -> bytes:
        """A reply as it is written for so many more milliseconds."""
        fresh = None if math.isinf(kept.fresh) else kept.fresh
        age = kept.age(clock.monotonic())
        times = [kept.asked, kept.took, age, left]
        head = [_VERSION, name, kept.status, dict(kept.headers), times, fresh, kept.stale]
        whole = jsontext.encode(head) + b"\n" + kept.raw
        return whole if self._fernet is None else self._fernet.encrypt(whole)

    def opened(self, name: str, sealed: Any, left: int) -> CacheEntry | None:
        """The reply that was written under a name and has so many milliseconds left; None for anything else."""
        try:
            whole = sealed if self._fernet is None else self._fernet.decrypt(sealed)
            head, found, raw = whole.partition(b"\n")
            if not found or len(head) > _LONGEST_HEAD:
                return None
            return _read(jsontext.decode(head), name, raw, left)
        except (InvalidToken, ValueError, TypeError, AttributeError, OverflowError):
            return None


def _read(head: Any, name: str, raw: bytes, left: int) -> CacheEntry | None:
    version, written_for, status, headers, times, fresh, stale = head
    asked, took, age, whole = times
    numbers = [*times, 0.0 if fresh is None else fresh]
    if not (
        version == _VERSION
        and written_for == name  # another's entry that was put here
        and type(status) is int
        and 200 <= status < 300
        and type(stale) is bool
        and all(type(number) in (int, float) and number >= 0 for number in numbers)
        and 0 < left <= whole
        and all(isinstance(text, str) for pair in headers.items() for text in pair)
    ):
        return None
    # By Redis's clock, so that those of instances may differ.
    arrived = clock.monotonic() - age - (whole - left) / 1000
    return CacheEntry(status, headers, raw, asked, arrived, math.inf if fresh is None else fresh, stale, took)
