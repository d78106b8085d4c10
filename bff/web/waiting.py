"""A bound on the wait for a body that the page's own thread reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from werkzeug.exceptions import ClientDisconnected

from bff.problems import problem


@contextmanager
def waiting_at_most(environ: Mapping[str, Any], seconds: float) -> Iterator[None]:
    """Each wait for bytes of a body ends the page after so long (408), where the server shows its connection.

    `bff serve` shows none: there a body has come, or has bounds of its own, before a page reads it.
    """
    connection = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    if connection is None:
        yield
        return
    before = connection.gettimeout()
    connection.settimeout(seconds)
    try:
        yield
    except (TimeoutError, ClientDisconnected) as error:
        # What reads for werkzeug takes every failure of the connection for its end.
        if not isinstance(error.__context__ or error, TimeoutError):
            raise
        raise problem("upload-too-slow", "The body was not whole in time.") from None
    finally:
        connection.settimeout(before)
