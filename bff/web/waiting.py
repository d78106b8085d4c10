"""A bound on the wait for a body that the page's own thread reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bff.problems import problem


@contextmanager
def waiting_at_most(environ: Mapping[str, Any], seconds: float | None) -> Iterator[None]:
    """Each wait for bytes of a body ends the page after so long (408), where the server shows its connection.

    `bff serve` shows none: there a body has come, or has bounds of its own, before a page reads it.
    """
    connection = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    if connection is None or seconds is None:
        yield
        return
    before = connection.gettimeout()
    connection.settimeout(seconds)
    try:
        yield
    except Exception as error:
        # What reads a body takes every failure of the connection for its end.
        if not _is_of_time(error):
            raise
        raise problem("upload-too-slow", "The body was not whole in time.") from None
    finally:
        connection.settimeout(before)


def _is_of_time(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, TimeoutError):
        error = error.__context__
    return error is not None
