"""CORS: what pages of other origins that the operator listed may send and read, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flask import Flask, Request, Response
from msgspec import Struct
from werkzeug.exceptions import HTTPException

from bff.plan import Plan
from bff.web.journal import name_of

_EXPOSED = (
    *("Accept-Ranges", "Allow", "Content-Disposition", "Content-Range", "ETag", "Idempotent-Replayed"),
    *("Location", "Retry-After", "Server-Timing", "WWW-Authenticate"),
    *("X-Page-Partial", "X-Page-Stale", "X-Request-ID"),
)
_ALLOWED = (
    *("Authorization", "Content-Type", "Idempotency-Key", "If-Modified-Since", "If-None-Match", "If-Range"),
    *("Last-Event-ID", "Range", "traceparent", "tracestate", "X-Request-ID"),
)
_EXPOSE = "Access-Control-Expose-Headers"
_MAX_AGE = "600"


class CorsNames(Struct, frozen=True):
    """The names of headers that a page of another origin may read on an answer, and send with a request."""

    exposed: str
    allowed: str

    @classmethod
    def of(cls, plan: Plan) -> CorsNames:
        """The names of one page: those of every page, what its recipe sets and what its input declares."""
        declared = (parameter.name for parameter in plan.recipe.input.headers)
        return cls(_joined(_EXPOSED, plan.header_names), _joined(_ALLOWED, declared))


def _joined(always: tuple[str, ...], more: Iterable[str]) -> str:
    """Names in one text, each once in whatever case."""
    return ", ".join({name.lower(): name for name in (*always, *more)}.values())


_ANY = CorsNames(_joined(_EXPOSED, ()), _joined(_ALLOWED, ()))
"""Of what is no page: views by hand, and errors before it is known what was asked for."""


class Cors:
    """Puts the headers on the answers of an app; made once, where the operator lists origins.

    `of_page` gives the names of a page by its own.
    """

    def __init__(
        self, app: Flask, of_page: Callable[[str], CorsNames | None], origins: tuple[str, ...]
    ) -> None:
        self._app = app
        self._of_page = of_page
        self._origins = frozenset(origins)

    def tell(self, response: Response, request: Request) -> None:
        """Say what a listed origin, spelled as listed, may do with this answer; to others nothing."""
        response.vary.add("Origin")
        origin = request.headers.get("Origin")
        if origin is None or origin not in self._origins:
            return
        asked = request.headers.get("Access-Control-Request-Method")
        preflight = request.method == "OPTIONS" and asked is not None
        endpoint = self._endpoint(request, asked) if preflight else request.endpoint
        names = self._of_page(name_of(endpoint)) or _ANY
        headers = response.headers
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Allow-Credentials"] = "true"
        # A view by hand may have named some of its own.
        headers[_EXPOSE] = ", ".join(filter(None, (headers.get(_EXPOSE), names.exposed)))
        if preflight:
            headers["Access-Control-Allow-Methods"] = headers.get("Allow", "GET")
            headers["Access-Control-Allow-Headers"] = names.allowed
            headers["Access-Control-Max-Age"] = _MAX_AGE

    def _endpoint(self, request: Request, method: str | None) -> str | None:
        """What would be asked with a method; a path may be that of several pages."""
        adapter = self._app.create_url_adapter(request)
        try:
            return None if adapter is None else adapter.match(method=method)[0]
        except HTTPException:
            return None
