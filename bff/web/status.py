"""The status line of an answer."""

from __future__ import annotations

from collections.abc import Mapping

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


class _Lines(dict[int, str]):
    """What is not there yet is made at its first use."""

    def __missing__(self, code: int) -> str:
        from http.client import responses  # a first page went well

        name = _NAMED_OTHERWISE.get(code) or responses.get(code, "unknown")
        line = self[code] = f"{code} {name.upper()}"
        return line


STATUS_LINES: Mapping[int, str] = _Lines({200: "200 OK"})
"""The line of each status that a page may have."""
