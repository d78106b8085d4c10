"""Which headers may be sent, to a backend and to a visitor, and how they go over the wire."""

from __future__ import annotations

import re
from collections.abc import Mapping

FORBIDDEN_REQUEST_HEADERS = frozenset(
    {
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "cookie",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-request-deadline-ms",
        "x-request-id",
    }
)
"""Names, in lower case, that no recipe and no client's `headers` may send to a backend."""

FORBIDDEN_RESPONSE_HEADERS = frozenset(
    {
        "access-control-allow-credentials",
        "access-control-allow-headers",
        "access-control-allow-methods",
        "access-control-allow-origin",
        "access-control-allow-private-network",
        "access-control-expose-headers",
        "access-control-max-age",
        "alt-svc",
        "clear-site-data",
        "connection",
        "content-encoding",
        "content-length",
        "content-security-policy",
        "content-security-policy-report-only",
        "cross-origin-embedder-policy",
        "cross-origin-embedder-policy-report-only",
        "cross-origin-opener-policy",
        "cross-origin-opener-policy-report-only",
        "cross-origin-resource-policy",
        "date",
        "keep-alive",
        "origin-agent-cluster",
        "permissions-policy",
        "proxy-authenticate",
        "proxy-connection",
        "referrer-policy",
        "refresh",
        "server",
        "set-cookie",
        "set-cookie2",
        "strict-transport-security",
        "te",
        "timing-allow-origin",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "www-authenticate",
        "x-content-type-options",
        "x-frame-options",
        "x-page-partial",
        "x-page-stale",
        "x-permitted-cross-domain-policies",
        "x-request-id",
        "x-xss-protection",
    }
)
"""Names, in lower case, that no recipe may set on its answer."""

_LONGEST_FIELD = 64 * 1024
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


def check_header(name: str, value: str) -> None:
    """Raises ValueError for a header that could not be sent as it is; the message holds no value."""
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a header")
    if len(value) > _LONGEST_FIELD:
        raise ValueError(f"the value of header {name} is longer than {_LONGEST_FIELD} characters")
    if not _FIELD_VALUE.fullmatch(value):
        raise ValueError(f"the value of header {name} holds a control character or one outside Latin-1")


def set_header(headers: dict[str, str], name: str, value: str) -> None:
    """Puts a header in the place of one of that name in any case; raises ValueError where it cannot be sent."""
    check_header(name, value)
    for written in [written for written in headers if written.lower() == name.lower()]:
        del headers[written]
    headers[name] = value


def header_text(headers: Mapping[str, str]) -> str:
    """Headers as they go over the wire, each with its line end."""
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
