"""How often one visitor may ask for a page: counted by `limits`, in Redis for all instances or in this process."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from bff.hashing import blake2b
from bff.identity import Visitor
from bff.plan.model import Plan
from bff.problems import problem
from bff.recipe.model import RateLimit, Recipe
from bff.settings import Settings
from bff.web.network import network_of
from bff.web.request import PageRequest

if TYPE_CHECKING:
    from bff.web.counting import Counter

_WORDS = {1.0: "second", 60.0: "minute", 3600.0: "hour"}


class Rates:
    """Counts the requests of each visitor for each page with a `rate_limit`; made once at start."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.state_url
        self._secret = "".join(settings.session_keys[:1]).encode()
        self._counter: Counter | None = None

    def require_for(self, plan: Plan) -> None:
        """Make the counter, if this page is the first to need it."""
        if plan.recipe.rate_limit is not None and self._counter is None:
            from bff.web.counting import Counter, SharedCounter  # their library takes a while to import

            self._counter = SharedCounter(self._url) if self._url else Counter()

    def counter_of(self, recipe: Recipe) -> Callable[[Visitor, PageRequest], None] | None:
        """What counts a request for a page; None where nobody limits it. With the store away, none is counted.

        It raises PageError 429 for one too many.
        """
        rate, name, counter = recipe.rate_limit, recipe.name, self._counter
        if rate is None or counter is None:
            return None

        def count(visitor: Visitor, request: PageRequest) -> None:
            wait = counter.hit(rate, name, self._who(visitor, request))
            if wait is not None:
                later = str(max(1, math.ceil(wait)))
                raise problem("too-many-requests", _detail(rate), headers={"Retry-After": later})

        return count

    def _who(self, visitor: Visitor, request: PageRequest) -> str:
        """The visitor, or for anybody the network that the request comes from, as a hash."""
        if visitor.mark:
            return visitor.mark.hex()
        network = network_of(request.remote_address or "")
        return blake2b(
            network.encode(), key=self._secret[:64], digest_size=16, person=b"bff address"
        ).hexdigest()


def _detail(rate: RateLimit) -> str:
    times = "once" if rate.count == 1 else f"{rate.count} times"
    return f"You may ask for this {times} in one {_WORDS[rate.period]}."
