"""Conditional requests: whether a visitor has a page already, as they tell it by its ETag."""

from __future__ import annotations

import re
from typing import Any

from bff import clock
from bff.web.headers import Headers

_TAG = re.compile(
    r"""[ \t]*(?:[Ww]/)?(?:"([^"]*)"|([^" \t,]+))[ \t]*(?:,|\Z)""",  # also one without quotes
    re.ASCII,
)


def status_for(environ: dict[str, Any], etag: str) -> int:
    """304 for who has the page with this (quoted) ETag, 412 for who wants only another one, else 200."""
    if "HTTP_IF_MATCH" in environ:
        return _by_werkzeug(environ, etag)
    asked = environ.get("HTTP_IF_NONE_MATCH")
    return 304 if asked and _names(asked, etag) else 200


def dated(headers: Headers) -> None:
    """Say when a page was compared with what its visitor has."""
    from email.utils import formatdate  # nobody has a first page already

    headers.append(("Date", formatdate(clock.wall(), usegmt=True)))


def _names(asked: str, etag: str) -> bool:
    """Whether a list of ETags, weak or strong, names one; what is malformed is passed over up to the next comma."""
    if asked in (etag, "*"):
        return True
    at, wanted = 0, etag[1:-1]
    while True:
        found = _TAG.match(asked, at)
        if found is None:
            at = asked.find(",", at) + 1
            if at == 0:
                return False
        elif (found[1] or found[2]) == wanted:
            return True
        else:
            at = found.end()


def _by_werkzeug(environ: dict[str, Any], etag: str) -> int:
    """The same where `If-Match` is sent, as nobody does who reads pages."""
    from werkzeug.http import is_resource_modified, parse_etags

    if is_resource_modified(environ, etag):
        return 200
    return 412 if parse_etags(environ["HTTP_IF_MATCH"]) else 304
