"""Where a request comes from: the cross-site rule and CORS."""

from __future__ import annotations

from collections.abc import Collection, Mapping

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
EXPOSED = "ETag, Idempotent-Replayed, Location, Retry-After, Server-Timing, X-Page-Partial, X-Page-Stale, X-Request-ID"


def passes(
    *,
    method: str,
    signs_in: bool,
    has_cookie: bool,
    has_bearer: bool,
    fetch_site: str | None,
    origin: str | None,
    own: str,
    allowed: Collection[str],
) -> bool:
    """Whether a request may act for the visitor whose browser sent it.

    Only requests that carry the cookie and change something, and those that sign in, can be misused across sites.
    """
    acts = method not in SAFE_METHODS and (has_cookie or signs_in)
    if not acts or (has_bearer and not has_cookie):
        return True
    if fetch_site in ("same-origin", "none"):
        return True
    if origin is not None:
        return origin == own or origin in allowed
    return fetch_site is None  # neither header: no browser sends that


def cors_headers(
    origin: str | None, allowed: Collection[str], *, preflight: bool, methods: str
) -> Mapping[str, str]:
    """The CORS headers of an answer: only for origins that the operator listed, spelled as listed."""
    if not allowed:
        return {}
    if origin not in allowed or origin is None:
        return {"Vary": "Origin"}
    headers = {
        "Vary": "Origin",
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": EXPOSED,
    }
    if preflight:
        headers["Access-Control-Allow-Methods"] = methods
        headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, Idempotency-Key, X-Request-ID"
        headers["Access-Control-Max-Age"] = "600"
    return headers
