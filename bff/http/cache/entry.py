"""A reply that is kept: how old it is, to whom it may still be given, and how its backend is asked for a newer one.

What is kept is judged when it is asked for. An entry holds what its backend allows and when it was asked for and
came; whether that is fresh, may be given old or is too old for this visitor is worked out from the terms of the read
that wants it. So two steps with other terms may share an entry, and neither gets one older than it asked for. A test
asks in random order, with random headers, and compares with a small model.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from bff import clock
from bff.http.freshness import allowed, moment_of, varies_by_more
from bff.http.headers import check_header
from bff.http.messages import Broken, CacheTerms, Reply
from bff.records import Unshown

REVALIDATED_FOR = 600.0
"""Seconds for which a reply that its backend can confirm is kept after it has ceased to be fresh."""
MARGIN = 1.0
"""Seconds by which the clocks of instances may differ."""

CONDITIONS = frozenset({"if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since"})
"""Request headers, in lower case, that ask under a condition."""

_ENTITY_TAG = re.compile(r'(?:W/)?"[^"]*"')
_OF_ONE_DELIVERY = frozenset({"age", "date"})
_OF_THE_BODY = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "content-range",
        "content-type",
        "keep-alive",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


class CacheEntry(Unshown, frozen=True):
    """A successful reply; `asked` (epoch seconds) is when its request was sent, `arrived` (monotonic) when it came.

    `fresh` are the seconds since then for which its backend lets it be taken for fresh; `stale` says whether it
    may be given after that at all. `took` are the seconds between the two.
    """

    status: int
    headers: Mapping[str, str]
    raw: bytes
    asked: float
    arrived: float
    fresh: float = math.inf
    stale: bool = True
    took: float = 0.0

    @property
    def size(self) -> int:
        """The bytes of its body and headers."""
        return len(self.raw) + sum(len(name) + len(value) for name, value in self.headers.items())

    def age(self, now: float) -> float:
        """Seconds since it came, at `now` (monotonic)."""
        return max(0.0, now - self.arrived)

    def too_old(self, terms: CacheTerms) -> bool:
        """Whether it was asked for before what this visitor has done since."""
        return terms.newer_than > 0 and self._asked_by_now() <= terms.newer_than + MARGIN

    def _asked_by_now(self) -> float:
        """When it was asked for by the clock as it was then, or as it is, whichever is earlier: one was put back."""
        return min(self.asked, clock.wall() - self.age(clock.monotonic()) - self.took)

    def is_fresh(self, terms: CacheTerms, now: float) -> bool:
        """Whether it answers a read on these terms as a new reply would."""
        if terms.newer_than > 0 and self.too_old(terms):
            return False
        return max(0.0, now - self.arrived) < min(terms.ttl, self.fresh)

    def may_stand_in(self, terms: CacheTerms, seconds: float, now: float) -> bool:
        """Whether it may be given although it has not been fresh for at most so many seconds."""
        lifetime = min(terms.ttl, self.fresh) + seconds
        return seconds > 0 and self.stale and not self.too_old(terms) and self.age(now) < lifetime

    def kept_for(self, terms: CacheTerms) -> float:
        """Seconds since it came for which keeping it may be of use."""
        fresh = min(terms.ttl, self.fresh)
        more = [0.0]
        if self.stale:
            more += [terms.stale_while_revalidate, terms.stale_if_error]
        if _conditions(self.headers):
            more.append(REVALIDATED_FOR)
        return fresh + max(more)

    def conditions(self, terms: CacheTerms) -> dict[str, str]:
        """The headers that ask whether it still holds; empty where that cannot be asked.

        A date tells seconds apart only, so that of what is too old only an entity tag can tell.
        """
        found = _conditions(self.headers)
        if self.too_old(terms):
            found.pop("If-Modified-Since", None)
        return found

    def reply(self, now: float, stale: Broken | int | None = None) -> Reply:
        """It as a reply of its own."""
        held = self.age(now)
        return Reply(
            self.status, dict(self.headers), self.raw, attempts=0, from_cache=True, held=held, stale=stale
        )

    def confirmed(self, found: Reply) -> Reply | None:
        """It as a new reply, after a 304; None where the 304 is about something else."""
        mine, others = self.headers.get("etag"), found.headers.get("etag")
        if others is not None and _weak(others) != _weak(mine or ""):
            return None
        date = found.headers.get("last-modified")
        if mine is None and date is not None and date != self.headers.get("last-modified"):
            return None
        headers = {name: value for name, value in self.headers.items() if name not in _OF_ONE_DELIVERY}
        headers |= {name: value for name, value in found.headers.items() if name not in _OF_THE_BODY}
        return Reply(self.status, headers, self.raw)


def entry_of(reply: Reply, *, private: bool, asked: float, arrived: float, took: float) -> CacheEntry | None:
    """What may be kept of a reply that took so many seconds; None where nothing may be."""
    if not reply.ok or reply.status == 206 or varies_by_more(reply.headers):
        return None
    says = allowed(reply.headers, asked + took)
    if says.scope == "no-store" or (says.scope == "private" and not private):
        return None
    fresh = says.fresh if private else says.fresh_for_all
    left = math.inf if fresh is None else max(0.0, fresh - took)
    return CacheEntry(reply.status, dict(reply.headers), reply.raw, asked, arrived, left, says.stale, took)


def _conditions(headers: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    tag, date = headers.get("etag", ""), headers.get("last-modified", "")
    if _ENTITY_TAG.fullmatch(tag) and _can_be_sent(tag):  # never *, which everything matches
        found["If-None-Match"] = tag
    if moment_of(date) is not None and _can_be_sent(date):
        found["If-Modified-Since"] = date
    return found


def _can_be_sent(value: str) -> bool:
    try:
        check_header("X", value)
    except ValueError:
        return False
    return True


def _weak(tag: str) -> str:
    return tag.strip().removeprefix("W/")
