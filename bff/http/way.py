"""The way of one step's requests to their backend: all that is the same for each of them, chosen before the first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bff.http.client import Client
from bff.http.messages import CacheTerms


class Way:
    """Requests of one method to one client; `Calls.way` makes it.

    `timeout` and `hedge` are seconds. `safe` requests only read: they may be repeated, shared, kept on the terms of
    `cache`, and sent a second time when the first is late by `hedge`; `repeatable` ones may be repeated because of an
    idempotency key. `may_retry` says whether one is tried again after a failure that may pass. Equal requests are of
    one `kind`.

    `begin` sets a call going, and `layers` make what stands around each of its tries, the innermost first.
    """

    begin: Callable[..., None]
    layers: tuple[Callable[..., Any], ...]

    def __init__(
        self,
        client: Client,
        method: str,
        *,
        safe: bool = False,
        repeatable: bool = False,
        timeout: float | None = None,
        retries: int | None = None,
        hedge: float | None = None,
        cache: CacheTerms | None = None,
    ) -> None:
        self.client, self.method, self.safe = client, method, safe
        self.timeout = client.timeout if timeout is None else timeout
        self.retries = client.retries if retries is None else retries
        self.may_retry = (safe or repeatable) and self.retries > 0
        self.hedge = hedge if safe else None
        self.cache = cache if safe else None
        self.kind = (client, method, self.timeout, self.retries, self.hedge)
