"""Zip archives that are the same bytes for the same files."""

from __future__ import annotations

import io
from collections.abc import Mapping
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

# The first day that a zip can name; when it was built says nothing about what is in it.
_DAY = (1980, 1, 1, 0, 0, 0)
_READABLE, _RUNNABLE = 0o100644, 0o100755


def archive(files: Mapping[str, bytes]) -> bytes:
    """The archive of files by path; what begins with `#!` may be run."""
    raw = io.BytesIO()
    with ZipFile(raw, "w", ZIP_DEFLATED, compresslevel=6) as packed:
        for path, content in sorted(files.items()):
            info = ZipInfo(path, _DAY)
            info.compress_type = ZIP_DEFLATED
            info.create_system = 3  # Unix, wherever it is built: only there are permissions read
            info.external_attr = (_RUNNABLE if content.startswith(b"#!") else _READABLE) << 16
            packed.writestr(info, content)
    return raw.getvalue()
