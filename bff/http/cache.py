"""Replies kept for a while in this process, one cache per client."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic

from cachetools import TLRUCache

from bff.http.freshness import UNKEYED_HEADERS
from bff.http.messages import Reply

_OVERHEAD = 512


@dataclass(frozen=True, slots=True)
class _Entry:
    status: int
    headers: Mapping[str, str]
    raw: bytes
    ttl: float
    size: int


class ReplyCache:
    """Successful replies of safe requests, bounded by entries and bytes; thread-safe."""

    def __init__(self, entries: int, size: int, clock: Callable[[], float] = monotonic) -> None:
        self._lock = threading.Lock()
        self._least = max(
            1, size // entries
        )  # an entry counts as a share of the bytes, which bounds the entries too
        self._kept: TLRUCache[bytes, _Entry] = TLRUCache(
            maxsize=size,
            ttu=lambda _key, entry, now: now + entry.ttl,
            timer=clock,
            getsizeof=lambda entry: entry.size,
        )

    def get(self, key: bytes) -> Reply | None:
        """The reply kept under a key, as a copy of its own."""
        with self._lock:
            entry = self._kept.get(key)
        if entry is None:
            return None
        return Reply(entry.status, dict(entry.headers), entry.raw, attempts=0, from_cache=True)

    def put(self, key: bytes, reply: Reply, ttl: float) -> None:
        """Keeps a 2xx reply for `ttl` seconds; one larger than the cache is not kept."""
        if not reply.ok or ttl <= 0:
            return
        written = sum(len(name) + len(value) for name, value in reply.headers.items())
        size = max(self._least, len(reply.raw) + written + len(key) + _OVERHEAD)
        with self._lock:
            if size <= self._kept.maxsize:
                self._kept[key] = _Entry(reply.status, dict(reply.headers), reply.raw, ttl, size)

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
