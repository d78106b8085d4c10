"""The replies that one client keeps in this process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from weakref import WeakKeyDictionary

from cachetools import TLRUCache

from bff import clock, forks
from bff.hashing import blake2b
from bff.http.cache.entry import CacheEntry
from bff.http.client import Client
from bff.http.freshness import UNKEYED_HEADERS
from bff.http.gate import Gate

_OVERHEAD = 512
_TOKENS = "authorization"
"""The header, in lower case, that carries a visitor's token."""

# The second is when an entry ends (on the cache's clock), the third its size.
_Entry = tuple[CacheEntry, float, int]


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

    def get(self, key: bytes) -> CacheEntry | None:
        """What is kept under a key."""
        with self._lock:
            try:
                return self._kept[key][0]
            except KeyError:
                return None

    def put(self, key: bytes, kept: CacheEntry, until: float) -> None:
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


_caches: WeakKeyDictionary[Gate, ReplyCache] = WeakKeyDictionary()
_lock = forks.lock()


def cache_of(client: Client) -> ReplyCache:
    """The replies that are kept of a client in this process; the same for copies of it, which share its gate too."""
    found = _caches.get(client.gate)
    if found is None:
        with _lock:
            found = _caches.setdefault(client.gate, ReplyCache(client.cache_entries, client.cache_bytes))
    return found


def key_of(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None, visitor: bytes | None
) -> bytes:
    """One key for all that may change a reply; a digest, so that it holds no secret and takes 32 bytes."""
    digest = blake2b(digest_size=32)
    texts = [method, url, *(text for pair in _keyed(headers) for text in pair)]
    for part in [*map(_encoded, texts), b"", body, visitor]:
        digest.update(_part(part))
    return digest.digest()


class ReadKeys:
    """The keys that `key_of` makes of plain reads: one method, one backend, no header but the client's, no body.

    All but the target, the visitor's token and their mark is put together once.
    """

    def __init__(self, method: str, base: str, headers: Mapping[str, str]) -> None:
        sent = _keyed(headers)
        self._base = base
        self._method = _part(_encoded(method))
        self._before = _parts_of(pair for pair in sent if pair[0] < _TOKENS)
        self._after = _parts_of(pair for pair in sent if pair[0] >= _TOKENS) + _part(b"") + _part(None)

    def key(self, target: str, token: str | None, visitor: bytes | None) -> bytes:
        """The key of a read of a target, both in ASCII; None for the visitor where it is kept for all of them."""
        url = (self._base + target).encode("latin-1", "surrogatepass")
        sent = b"" if token is None else _parts_of([(_TOKENS, f"Bearer {token}")])
        whose = b"-" if visitor is None else b"%d:%b" % (len(visitor), visitor)
        parts = (self._method, len(url), url, self._before, sent, self._after, whose)
        return blake2b(b"%b%d:%b%b%b%b%b" % parts, digest_size=32).digest()


def _keyed(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """The headers that are part of a key, in its order."""
    sent = sorted((name.lower(), value) for name, value in headers.items())
    return [pair for pair in sent if pair[0] not in UNKEYED_HEADERS]


def _parts_of(pairs: Iterable[tuple[str, str]]) -> bytes:
    return b"".join(_part(_encoded(text)) for pair in pairs for text in pair)


def _part(part: bytes | None) -> bytes:
    """A part of a key with its length, so that no two lists of parts are the same."""
    return b"-" if part is None else b"%d:%b" % (len(part), part)


def _encoded(text: str) -> bytes:
    return text.encode("latin-1", "surrogatepass")
