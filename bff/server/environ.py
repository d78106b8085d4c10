"""What a WSGI app sees of an ASGI request: every header with all its bytes, and the path as it was sent."""

from __future__ import annotations

import sys
from typing import Any
from urllib.parse import unquote_to_bytes

Scope = dict[str, Any]
Environ = dict[str, Any]

_SAME_FOR_ALL: Environ = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
    "wsgi.input_terminated": True,
}


def environ_of(scope: Scope) -> Environ:
    """The environ of a request; bytes become the characters of the same numbers, as WSGI wants it.

    A name with an underscore is left out: it would look like the same name with a hyphen.
    """
    path: bytes = scope["raw_path"]
    query: bytes = scope["query_string"]
    target = b"%s?%s" % (path, query) if query else path
    environ = {
        **_SAME_FOR_ALL,
        "REQUEST_METHOD": scope["method"],
        "PATH_INFO": (unquote_to_bytes(path) if b"%" in path else path).decode("latin-1"),
        "RAW_URI": target.decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": scope["server"][0],
        "SERVER_PORT": str(scope["server"][1]),
        "REMOTE_ADDR": scope["client"][0],
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.errors": sys.stderr,
    }
    for name, value in scope["headers"]:
        if b"_" not in name:
            key = _KEYS.get(name) or _key_of(name)
            text = value.decode("latin-1")
            if key in environ:
                text = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{text}"
            environ[key] = text
    return environ


def _key_of(name: bytes) -> str:
    text = name.decode("latin-1").upper().replace("-", "_")
    return text if text in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{text}"


_KEYS = {
    name: _key_of(name)
    for name in (
        *(
            b"accept",
            b"accept-encoding",
            b"accept-language",
            b"authorization",
            b"cache-control",
            b"connection",
        ),
        *(b"content-length", b"content-type", b"cookie", b"host", b"if-none-match", b"origin", b"referer"),
        *(b"sec-fetch-dest", b"sec-fetch-mode", b"sec-fetch-site", b"user-agent"),
        *(b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-request-id"),
    )
}
"""What is seen on most requests."""
