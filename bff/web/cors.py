"""CORS: what pages of other origins that the operator listed may send and read, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct

from bff.plan.model import Plan
from bff.web.headers import Headers, put, value_of, vary_with
from bff.web.request import PageRequest

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
    """Puts the headers on the answers of an app; made once, where the operator lists origins."""

    def __init__(self, origins: tuple[str, ...]) -> None:
        self._origins = frozenset(origins)

    def tell(
        self, headers: Headers, request: PageRequest, names_for: Callable[[str | None], CorsNames | None]
    ) -> None:
        """Say what a listed origin, spelled as listed, may do with this answer; to others nothing.

        `names_for` gives the names of what is asked for, and of what would be with the method of a preflight.
        """
        vary_with(headers, "Origin")
        origin = request.environ.get("HTTP_ORIGIN")
        if origin is None or origin not in self._origins:
            return
        asked = request.environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD")
        preflight = request.method == "OPTIONS" and asked is not None
        names = names_for(asked if preflight else None) or _ANY
        put(headers, "Access-Control-Allow-Origin", origin)
        put(headers, "Access-Control-Allow-Credentials", "true")
        # A view by hand may have named some of its own.
        put(headers, _EXPOSE, ", ".join(filter(None, (value_of(headers, _EXPOSE.lower()), names.exposed))))
        if preflight:
            put(headers, "Access-Control-Allow-Methods", value_of(headers, "allow") or "GET")
            put(headers, "Access-Control-Allow-Headers", names.allowed)
            put(headers, "Access-Control-Max-Age", _MAX_AGE)
