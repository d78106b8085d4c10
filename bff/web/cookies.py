"""A cookie of this layer: its name with and without TLS, and the header that sets it."""

from __future__ import annotations

from flask import Request
from werkzeug.datastructures import MultiDict
from werkzeug.http import dump_cookie
from werkzeug.sansio.http import parse_cookie


class Cookie:
    """One cookie; `secure` is its name where a request comes over TLS, `plain` elsewhere."""

    def __init__(self, secure: str, plain: str) -> None:
        self.secure = secure
        self.plain = plain

    def name(self, request: Request) -> str:
        """Its name where a request came from."""
        return self.secure if request.is_secure else self.plain

    def value(self, request: Request) -> str | None:
        """What a request brings; None where it does not."""
        return cookies_of(request).get(self.name(request))

    def header(self, request: Request, value: str, max_age: int) -> str:
        """The Set-Cookie of an answer to a request; `max_age` in seconds, 0 takes the cookie away."""
        return dump_cookie(
            self.name(request),
            value,
            max_age=max_age,
            path="/",
            secure=request.is_secure,
            httponly=True,
            samesite="Lax",
            max_size=0,  # who sets a cookie has a bound of its own, which is no warning
        )


def cookies_of(request: Request) -> MultiDict[str, str]:
    """The cookies of a request, found where they are: Flask looks through all that the server says, its variables too.

    Whoever asks the request for them gets the same. A class of the project's own says itself what they are.
    """
    if type(request) is Request and "cookies" not in vars(request):
        found = parse_cookie(request.environ.get("HTTP_COOKIE"), request.dict_storage_class)
        request.cookies = found  # type: ignore[assignment]
    return request.cookies
