"""The app that is overloaded, with a stopwatch around it that is no part of the product."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from bff import create_app

app = create_app()
_inner = app.wsgi_app


def _timed(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Tells, in a header, the microseconds from here to the beginning of the answer."""
    begun = time.perf_counter()

    def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        taken = round((time.perf_counter() - begun) * 1e6)
        return start_response(status, [*headers, ("X-Microseconds", str(taken))], *rest)

    return _inner(environ, start)


app.wsgi_app = _timed  # type: ignore[method-assign, assignment]
