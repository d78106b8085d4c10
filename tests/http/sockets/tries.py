"""Tries as the layer makes them, below the calls of a page."""

from __future__ import annotations

import time
from typing import Any

from bff.http import Client, SocketTransport, Try
from tests.fakes import PATIENCE

MEGABYTE = 2**20


def try_of(client: Client, method: str = "GET", **parts: Any) -> Try:
    """A try as the layer makes it, with a minute to go."""
    given = {"headers": {}, "body": None, "max_bytes": MEGABYTE, "url": client.url("/a")} | parts
    end = time.monotonic() + 60
    return Try(client=client, method=method, start_by=end, until=end, **given)


def ended(transport: SocketTransport, request: Try) -> Any:
    """What comes of a try."""
    started = transport.start(request)
    assert transport.wait([started], time.monotonic() + PATIENCE) == [started]
    return started.outcome
