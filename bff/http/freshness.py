"""What a backend's headers allow of its reply: for how long it is fresh, for whom, and whether it may be old.

Everything here only shortens what a recipe says. Where a header cannot be read, the careful reading is taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from bff.memo import Memo

Scope: TypeAlias = Literal["", "private", "no-store"]

UNKEYED_HEADERS = frozenset({"x-request-id", "x-request-deadline-ms"})
"""Request headers, in lower case, that differ from request to request without changing the reply."""

_DIRECTIVE = r'[!#$%&\'*+\-.^_`|~0-9A-Za-z]+(?:[ \t]*=[ \t]*(?:"[^"\\]*"|[^\s",;]*))?'
_CACHE_CONTROL = re.compile(rf"[\s,]*(?:{_DIRECTIVE}[ \t]*(?:,[\s,]*|\Z))*")
_VARYING = UNKEYED_HEADERS | {"*", "traceparent", "tracestate"}
_LONGEST_NUMBER = 10


class Allowed(Struct, frozen=True):
    """What a reply's headers allow.

    `fresh` and `fresh_for_all` are the seconds for which it is fresh, counted from when the backend was asked, in
    a cache of one visitor and in one for all; None where the backend says nothing. `stale` is False where it must
    not be given once it is not fresh any more.
    """

    scope: Scope
    fresh: float | None
    fresh_for_all: float | None
    stale: bool


def allowed(headers: Mapping[str, str], now: float) -> Allowed:
    """What these headers (names in lower case) allow, of a reply that came at `now` (epoch seconds)."""
    written = headers.get("cache-control", headers.get("pragma", "").lower())
    directives = _directives(written)
    well_formed = _CACHE_CONTROL.fullmatch(written) is not None
    scope: Scope = "no-store" if "no-store" in directives else "private" if "private" in directives else ""
    never_unasked = "no-cache" in directives
    fresh = _least_seconds(directives.get("max-age"))
    if fresh is None and "expires" in headers:
        fresh = _until_expiry(headers, now)
    fresh_for_all = _least_seconds(directives.get("s-maxage"))
    if fresh_for_all is None:
        fresh_for_all = fresh
    if never_unasked or not well_formed:
        fresh = fresh_for_all = 0.0
    age = _age(headers)
    return Allowed(
        scope,
        None if fresh is None else max(0.0, fresh - age),
        None if fresh_for_all is None else max(0.0, fresh_for_all - age),
        not (never_unasked or "must-revalidate" in directives or "proxy-revalidate" in directives),
    )


ALLOWED_BY: Final = Memo[Allowed](lambda written: allowed({"cache-control": written}, 0.0), 200, 600)
"""What a `Cache-Control` allows where no header of the reply tells of a time; backends say few different ones."""


def varies_by_more(headers: Mapping[str, str]) -> bool:
    """Whether a reply depends on more than the request that a key holds."""
    names = headers.get("vary", "").lower().split(",")
    return any(name.strip() in _VARYING for name in names)


def _directives(written: str) -> dict[str, list[str]]:
    """Names in lower case to their values; what stands in quotes is read too, because all of it only forbids."""
    found: dict[str, list[str]] = {}
    for part in written.split(","):
        name, _, value = part.partition("=")
        found.setdefault(name.strip(' \t"').lower(), []).append(value.strip(' \t"'))
    return found


def _least_seconds(values: list[str] | None) -> float | None:
    """The least of what was written, 0 for what is no number."""
    return None if values is None else min(_seconds(value) for value in values)


def _seconds(text: str) -> float:
    return float(text[:_LONGEST_NUMBER]) if text.isascii() and text.isdigit() else 0.0


def _age(headers: Mapping[str, str]) -> float:
    """Seconds that a reply has spent in caches on its way; endless for an Age that cannot be read."""
    written = headers.get("age")
    if written is None:
        return 0.0
    texts = [text.strip() for text in written.split(",")]
    if not all(text.isascii() and text.isdigit() for text in texts):
        return float("inf")
    return max(_seconds(text) for text in texts)


def _until_expiry(headers: Mapping[str, str], now: float) -> float:
    expires = moment_of(headers["expires"])
    date = moment_of(headers["date"]) if "date" in headers else None
    return 0.0 if expires is None else max(0.0, expires - (now if date is None else date))


def moment_of(text: str) -> float | None:
    """The epoch seconds of an HTTP date."""
    if text.count(":") != 2:  # one date, not several joined
        return None
    from email.utils import parsedate_to_datetime  # a first page reads no date

    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() if found else None
