"""Read your writes on every instance: the cookie that says what a visitor wrote, and when."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

from bff import clock
from bff.identity.recent_writes import CLOCKS, NO_RECENT_WRITES, RecentWrites, RecentWritesSeal
from bff.plan.model import Plan, PlannedRequest
from bff.web.cookies import Cookie
from bff.web.headers import Headers, put
from bff.web.identity import has_only_bearer
from bff.web.journal import Journal
from bff.web.request import PageRequest
from bff.web.site import Page, Site

COOKIE = Cookie("__Host-bff-written", "bff-written")
OTHERS_KEEP = 24 * 3600.0
"""Seconds for which pages that are not of this app may keep something."""


class RecentWritesCookie:
    """Reads and sets the cookie; made once at start."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._lifetimes: tuple[Mapping[str, Page], float] | None = None

    def reader_of(self, plan: Plan) -> Callable[[PageRequest], RecentWrites] | None:
        """What gives what a visitor wrote lately; None for a page that keeps nothing."""
        return self._of if any(step.cache for step in plan.requests) else None

    def _of(self, request: PageRequest) -> RecentWrites:
        value = COOKIE.value(request)
        return NO_RECENT_WRITES if value is None else self._open(value)

    def tell(self, headers: Headers, request: PageRequest, journal: Journal) -> None:
        """Set the cookie on the answer to a request that has written, or may have."""
        has_written = journal.writes is not None and journal.writes.may_have_happened
        if not (journal.repeated or has_written):
            return
        lifetime, seal = self._lifetime(), self._seal()
        if not journal.invalidates or seal is None or not lifetime:
            return
        if has_only_bearer(request):
            return
        before = COOKIE.value(request)
        written = NO_RECENT_WRITES if before is None else self._open(before)
        value = seal.seal(written.also(journal.invalidates, clock.wall()))
        headers.append(("Set-Cookie", COOKIE.header(request, value, math.ceil(lifetime + CLOCKS))))
        put(headers, "Cache-Control", "no-store")

    def _open(self, value: str) -> RecentWrites:
        seal, lifetime = self._seal(), self._lifetime()
        if seal is None or not lifetime:
            return NO_RECENT_WRITES
        return seal.open(value, lifetime, clock.wall())

    def _seal(self) -> RecentWritesSeal | None:
        return self._site.identity.written

    def _lifetime(self) -> float:
        """For how long a write can matter; worked out again when the site has other pages."""
        pages = self._site.pages
        if self._lifetimes is None or self._lifetimes[0] is not pages:
            self._lifetimes = (pages, longest_kept(page.plan for page in pages.values()))
        return self._lifetimes[1] if self._site.whole else max(self._lifetimes[1], OTHERS_KEEP)


def longest_kept(plans: Iterable[Plan]) -> float:
    """The longest that any reply is kept which a visitor's write makes old for them, in seconds; 0 for none."""
    plans = list(plans)
    named = {name for plan in plans for name in plan.recipe.invalidates}
    return max(
        (_kept(step) for plan in plans for step in plan.requests if _concerned(step, named)), default=0.0
    )


def _concerned(step: PlannedRequest, named: set[str]) -> bool:
    return step.cache is not None and (step.private or not named.isdisjoint(step.known_as))


def _kept(step: PlannedRequest) -> float:
    cache = step.cache
    assert cache is not None, "only what is kept is asked for"
    return cache.ttl + max(cache.stale_while_revalidate, cache.stale_if_error)
