"""Files as they go out: read once, with a strong ETag, and a gzip copy where that is shorter."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cachetools import LRUCache
from msgspec import Struct

from bff import forks
from bff.hashing import blake2b
from bff.memo import memoized
from bff.settings import MIB

INDEX = "index.html"
LARGEST = 4 * MIB
"""Bytes of the largest file that is kept in memory; larger ones are read anew each time."""
_KEPT = 32 * MIB
_NOT_PLAIN = frozenset("\\:\0")
"""Characters that some system reads as more than a part of a name."""
_NO_NAMES = frozenset({"", ".", ".."})
_WORTH = 512  # a shorter file fits one packet either way
_TEXT = ("text/", "application/javascript", "application/json", "application/manifest", "image/svg+xml")


class Copy(Struct, frozen=True):
    """One form of a file: its bytes, and the headers that tell of them."""

    body: bytes
    etag: str
    headers: tuple[tuple[str, str], ...]


class File(Struct, frozen=True):
    """A file as it was at one moment; `zipped` is None where that would save nothing."""

    version: tuple[int, int]
    plain: Copy
    zipped: Copy | None

    @property
    def size(self) -> int:
        return len(self.plain.body) + (len(self.zipped.body) if self.zipped else 0)

    def copy_for(self, accepted: str) -> Copy:
        """The form for a request with this Accept-Encoding."""
        return self.zipped if self.zipped is not None and _takes_gzip(accepted) else self.plain


class Files:
    """The files below a folder, kept in memory while they are as they were; thread-safe."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)
        self._lock = forks.lock()
        self._kept: LRUCache[str, File] = LRUCache(_KEPT, getsizeof=lambda file: max(1, file.size))

    def find(self, name: str) -> File | None:
        """The file of a relative path; None where there is none, or one too large to keep."""
        path = self._path_of(name)
        found = None if path is None else _stat(path)
        if found is None or path is None or found.st_size > LARGEST:
            return None
        version = (found.st_mtime_ns, found.st_size)
        with self._lock:
            kept = self._kept.get(path)
        if kept is not None and kept.version == version:
            return kept
        read = _read(path, version)
        if read is not None:
            with self._lock:
                self._kept[path] = read
        return read

    def has(self, name: str) -> bool:
        """Whether there is a file of a relative path, however large."""
        path = self._path_of(name)
        return path is not None and _stat(path) is not None

    def _path_of(self, name: str) -> str | None:
        """Where the file of a relative path would be; None for one that leads out of the folder."""
        if _NOT_PLAIN.isdisjoint(name) and _NO_NAMES.isdisjoint(name.split("/")):
            return f"{self.folder}/{name}"
        from werkzeug.security import safe_join  # few paths are written in another way

        return None if name.endswith("/") else safe_join(self.folder, name)


def _stat(path: str) -> os.stat_result | None:
    """What the system knows of a file; None for what is none."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found if stat.S_ISREG(found.st_mode) else None


@memoized(entries=64, longest=1024)
def _takes_gzip(accepted: str) -> bool:
    if ";" not in accepted:  # as browsers send it
        return any(coding.strip().lower() in ("gzip", "*") for coding in accepted.split(","))
    from werkzeug.datastructures import Accept
    from werkzeug.http import parse_accept_header

    return len(accepted) < 1000 and parse_accept_header(accepted, Accept).quality("gzip") > 0


def _read(path: str, version: tuple[int, int]) -> File | None:
    import gzip
    import mimetypes  # a first page is no file

    try:
        with open(path, "rb") as file:
            body = file.read()
    except OSError:
        return None
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    etag = blake2b(body, digest_size=16).hexdigest()
    if not kind.startswith(_TEXT) or len(body) < _WORTH:
        return File(version, _copy(body, kind, etag), None)
    zipped = gzip.compress(body, 9, mtime=0)
    varies = (("Vary", "Accept-Encoding"),)
    return File(
        version,
        _copy(body, kind, etag, varies),
        _copy(zipped, kind, f"{etag}-gzip", (*varies, ("Content-Encoding", "gzip"))),
    )


def _copy(body: bytes, kind: str, etag: str, more: tuple[tuple[str, str], ...] = ()) -> Copy:
    charset = "; charset=utf-8" if kind.startswith(("text/", "application/javascript")) else ""
    headers = (
        ("Content-Type", kind + charset),
        ("Content-Length", str(len(body))),
        ("ETag", f'"{etag}"'),
        ("Cache-Control", "no-cache"),
        ("Accept-Ranges", "bytes"),
        *more,
    )
    return Copy(body, etag, headers)
