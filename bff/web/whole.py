"""A Flask response whose body is there as a whole, and which goes to the server as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set
from typing import TYPE_CHECKING, Any

from flask import Response
from werkzeug.datastructures import Headers

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_MADE_AGAIN = frozenset({"location", "content-location"})


class WholeResponse(Response):
    """Tells the server what Flask's own response does, without a second look at what needs none.

    Werkzeug copies every header and wraps the body, for what it may have to correct and for who waits until the body
    has been sent. Where there is neither, both go out as they are: servers send a list of bytes in one piece.
    """

    def __init__(self, body: bytes, status: int, headers: Iterable[tuple[str, str]]) -> None:
        made = Headers()
        put_last(made, [*headers, ("Content-Length", str(len(body)))])
        super().__init__([body], status, made)
        self._is_waited_for = False

    def call_on_close(self, func: Callable[[], Any]) -> Callable[[], Any]:
        """As ever; the body then goes out with its end told."""
        self._is_waited_for = True
        return super().call_on_close(func)

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        """The headers, corrected where there is something to correct."""
        if self._has_body:
            names = {name.lower() for name, _ in self.headers}
            if "content-length" in names and names.isdisjoint(_MADE_AGAIN):
                return self.headers
        return super().get_wsgi_headers(environ)

    def get_app_iter(self, environ: WSGIEnvironment) -> Iterable[bytes]:
        """The body; where somebody changed it or waits for its end, in Werkzeug's wrapping."""
        body = self.response
        if not self._has_body or self._is_waited_for or environ["REQUEST_METHOD"] == "HEAD":
            return super().get_app_iter(environ)
        return (
            body if type(body) is list and set(map(type, body)) == {bytes} else super().get_app_iter(environ)
        )

    @property
    def _has_body(self) -> bool:
        return self.status_code >= 200 and self.status_code not in (204, 304)


def put_last(headers: Headers, pairs: Sequence[tuple[str, str]]) -> None:
    """Add headers behind those that there are, all at once: one by one each costs three times that."""
    headers[len(headers) :] = pairs


def set_last(headers: Headers, pairs: Sequence[tuple[str, str]], there: Set[str]) -> None:
    """Set headers; `there` are the names of those that there are, in lower case."""
    if any(name.lower() in there for name, _ in pairs):
        headers.update(pairs)
    else:
        put_last(headers, pairs)
