"""The replies that one client keeps in this process."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from cachetools import TLRUCache

from bff import clock, forks
from bff.http.freshness import UNKEYED_HEADERS
from bff.http.kept import Kept

_OVERHEAD = 512

# The second is when an entry ends (on the cache's clock), the third its size.
_Entry = tuple[Kept, float, int]


class ReplyCache:
    """Replies by key, bounded by entries and bytes; thread-safe. Whether one may be used is not asked here."""

    def __init__(self, entries: int, size: int) -> None:
        self._lock = forks.lock()
        # An entry counts as a share of the bytes, which bounds the entries too.
        self._least = max(1, size // entries)
        self._kept: TLRUCache[bytes, _Entry] = TLRUCache(
            maxsize=size,
            ttu=lambda _key, entry, _now: entry[1],
            timer=clock.monotonic,
            getsizeof=lambda entry: entry[2],
        )

    def get(self, key: bytes) -> Kept | None:
        """What is kept under a key."""
        with self._lock:
            entry = self._kept.get(key)
        return None if entry is None else entry[0]

    def put(self, key: bytes, kept: Kept, until: float) -> None:
        """Keeps a reply until then (monotonic); one larger than the cache is not kept, nor what was there before."""
        size = max(self._least, kept.size + len(key) + _OVERHEAD)
        with self._lock:
            self._kept.pop(key, None)
            if size <= self._kept.maxsize and until > clock.monotonic():
                self._kept[key] = (kept, until, size)

    def drop(self, key: bytes) -> None:
        """Forgets what is kept under a key."""
        with self._lock:
            self._kept.pop(key, None)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()

    def __len__(self) -> int:
        with self._lock:
            return len(self._kept)


def key_of(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None, visitor: bytes | None
) -> bytes:
    """One key for all that may change a reply; a digest, so that it holds no secret and takes 32 bytes."""
    digest = hashlib.blake2b(digest_size=32)
    sent = sorted((name.lower(), value) for name, value in headers.items())
    parts = [method, url, *(part for pair in sent if pair[0] not in UNKEYED_HEADERS for part in pair)]
    for part in [*(text.encode("latin-1", "surrogatepass") for text in parts), b"", body, visitor]:
        digest.update(b"-" if part is None else b"%d:" % len(part))
        digest.update(part or b"")
    return digest.digest()
