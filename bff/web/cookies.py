"""A cookie of this layer: its name with and without TLS, and the header that sets it."""

from __future__ import annotations

import re

from bff import clock
from bff.memo import Memo
from bff.web.request import PageRequest

_PAIR = re.compile(
    r"""
    [ \t]*([^ \t=";]+)                                     # name
    (?:[ \t]*=[ \t]*("(?:[^\\"]|\\.)*"|[^ \t";]*))?[ \t]*  # value, which may be quoted
    (?:;|\Z)
    """,
    re.ASCII | re.VERBOSE,
)
_ESCAPED = re.compile(rb"\\([0-3][0-7]{2}|.)")
_REMEMBERED, _LONGEST = 256, 8 * 1024


class Cookie:
    """One cookie; `secure` is its name where a request comes over TLS, `plain` elsewhere."""

    def __init__(self, secure: str, plain: str) -> None:
        self.secure = secure
        self.plain = plain
        # A visitor's next page brings the same cookies.
        self.in_secure = Memo(lambda sent: value_in(sent, secure), _REMEMBERED, _LONGEST)
        self.in_plain = Memo(lambda sent: value_in(sent, plain), _REMEMBERED, _LONGEST)

    def name(self, request: PageRequest) -> str:
        """Its name where a request came from."""
        return self.secure if request.is_secure else self.plain

    def value(self, request: PageRequest) -> str | None:
        """What a request brings; None where it does not."""
        environ = request.environ
        sent = environ.get("HTTP_COOKIE")
        if not sent:
            return None
        is_secure = environ["wsgi.url_scheme"] in ("https", "wss")
        return self.in_secure[sent] if is_secure else self.in_plain[sent]

    def header(self, request: PageRequest, value: str, max_age: int) -> str:
        """The Set-Cookie of an answer to a request; `max_age` in seconds, 0 takes the cookie away.

        The value is one that needs no quotes.
        """
        from email.utils import formatdate  # few pages set a cookie

        expires = formatdate(clock.wall() + max_age, usegmt=True)
        secure = "; Secure" if request.is_secure else ""
        return (
            f"{self.name(request)}={value}; Expires={expires}; Max-Age={max_age}{secure}"
            "; HttpOnly; Path=/; SameSite=Lax"
        )


def value_in(sent: str, name: str) -> str | None:
    """The first value of a name in a Cookie header; what is malformed is passed over up to the next semicolon."""
    at = 0
    while True:
        pair = _PAIR.match(sent, at)
        if pair is None:
            at = sent.find(";", at) + 1
            if at == 0:
                return None
        elif pair[1] == name:
            return _unquoted(pair[2] or "")
        else:
            at = pair.end()


def _unquoted(value: str) -> str:
    if not (value.startswith('"') and value.endswith('"')):
        return value
    return _ESCAPED.sub(_plain_byte, value[1:-1].encode()).decode(errors="replace")


def _plain_byte(escaped: re.Match[bytes]) -> bytes:
    found = escaped[1]
    return found if len(found) == 1 else int(found, 8).to_bytes(1, "big")
