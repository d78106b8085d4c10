"""The head of a request, as it goes over the wire."""

from __future__ import annotations

from collections.abc import Mapping

from bff.http.headers import header_text

_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})


def head_of(
    method: str, target: str, host: str, headers: Mapping[str, str], body: bytes | None, left: float
) -> bytes:
    """Request line and headers, with `left` seconds told upstream.

    Raises ValueError where a part holds what would end its line or begin another request.
    """
    length, breaks = "", len(headers) + 4
    if body is not None or method not in _WITHOUT_BODY:
        length, breaks = f"Content-Length: {len(body or b'')}\r\n", breaks + 1
    deadline = f"X-Request-Deadline-Ms: {max(1, int(left * 1000))}\r\n"
    text = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{header_text(headers)}{deadline}{length}\r\n"
    # Whatever made them, and whoever checked them before: nothing but our own line ends goes out.
    if text.count("\r") != breaks or text.count("\n") != breaks or "\0" in text:
        raise ValueError("a header or target holds a line end or NUL")
    if not (method.isalpha() and target.isascii() and target.isprintable()) or " " in target:
        raise ValueError("a method or target cannot be sent as it is")
    return text.encode("latin-1")
