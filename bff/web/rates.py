"""How often one visitor may ask for a page: counted by `limits`, in Redis for all instances or in this process."""

from __future__ import annotations

import hashlib
import logging
import math
import time
from typing import TYPE_CHECKING

from flask import Request

from bff.identity import Visitor
from bff.plan import Plan
from bff.problems import problem
from bff.recipe import RateLimit, Recipe
from bff.settings import Settings
from bff.web.network import network_of

if TYPE_CHECKING:
    from bff.web.counting import Counter

_log = logging.getLogger("bff")
_WORDS = {1.0: "second", 60.0: "minute", 3600.0: "hour"}
_PAUSE = 5.0
"""Seconds that a store that did not answer is not asked again: waiting for it would slow every page."""


class Rates:
    """Counts the requests of each visitor for each page with a `rate_limit`; made once at start."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.state_url
        self._secret = "".join(settings.session_keys[:1]).encode()
        self._counter: Counter | None = None
        self._away_until = 0.0

    def require_for(self, plan: Plan) -> None:
        """Make the counter, if this page is the first to need it."""
        if plan.recipe.rate_limit is not None and self._counter is None:
            from bff.web.counting import Counter  # its library takes a while to import

            self._counter = Counter(self._url)

    def count(self, recipe: Recipe, visitor: Visitor, request: Request) -> None:
        """Count a request; raises PageError 429 for one too many. With the store away, none is."""
        rate = recipe.rate_limit
        if rate is None or self._counter is None or time.monotonic() < self._away_until:
            return
        from bff.web.counting import StoreAway

        try:
            wait = self._counter.hit(rate, recipe.name, self._who(visitor, request))
        except StoreAway as exc:
            self._away_until = time.monotonic() + _PAUSE
            _log.error("bff: rates are not limited now, the state store failed (%s)", exc)
            return
        if wait is not None:
            raise problem(
                "too-many-requests", _detail(rate), headers={"Retry-After": str(max(1, math.ceil(wait)))}
            )

    def _who(self, visitor: Visitor, request: Request) -> str:
        """The visitor, or for anybody the network that the request comes from, as a hash."""
        if visitor.mark:
            return visitor.mark.hex()
        network = network_of(request.remote_addr or "")
        return hashlib.blake2b(
            network.encode(), key=self._secret[:64], digest_size=16, person=b"bff address"
        ).hexdigest()


def _detail(rate: RateLimit) -> str:
    times = "once" if rate.count == 1 else f"{rate.count} times"
    return f"You may ask for this {times} in one {_WORDS[rate.period]}."
