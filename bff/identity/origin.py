"""Where a request comes from: the cross-site rule."""

from __future__ import annotations

from collections.abc import Collection

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


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
