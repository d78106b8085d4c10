"""The status line of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from http.client import responses

# As Werkzeug names them, whatever Python does: it has other names for some since 3.13.
_NAMED_OTHERWISE = {
    203: "Non Authoritative Information",
    207: "Multi Status",
    306: "Switch Proxy",
    413: "Request Entity Too Large",
    414: "Request URI Too Long",
    416: "Requested Range Not Satisfiable",
    418: "I'm a teapot",
    422: "Unprocessable Entity",
    449: "Retry With",
    511: "Network Authentication Failed",
}
_NAMES: Mapping[int, str] = responses | _NAMED_OTHERWISE

STATUS_LINES: Mapping[int, str] = {
    code: f"{code} {_NAMES.get(code, 'unknown').upper()}" for code in range(200, 600)
}
"""The line of each status that a page may have."""
