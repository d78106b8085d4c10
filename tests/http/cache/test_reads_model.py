"""Whatever is asked in whatever order: nobody gets another's reply, and nobody gets one that is too old."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from bff.http import Broken, CacheTerms, Calls, Client, Reply
from bff.http.cache.entry import MARGIN
from tests.clock import Clock
from tests.http.calling import OnClock, get, start
from tests.properties import given, settings, st

HEADERS: list[dict[str, str]] = [
    {},
    {"cache-control": "no-store"},
    {"cache-control": "no-cache"},
    {"cache-control": "private"},
    {"cache-control": "max-age=3"},
    {"cache-control": "max-age=3, s-maxage=9, must-revalidate"},
    {"cache-control": "private, max-age=9", "age": "4"},
    {"vary": "*"},
]
LIFETIMES: list[tuple[float, float]] = [  # by the headers above: for one visitor, and for all; 0 is never
    (1e9, 1e9),
    (0, 0),
    (0, 0),
    (1e9, 0),
    (3, 3),
    (3, 9),
    (5, 0),
    (0, 0),
]
NEVER_OLD = {1, 2, 5, 7}
NEVER_OLD_FOR_ALL = NEVER_OLD | {3, 6}

Step = tuple[str, Any]
TERMS = st.builds(
    CacheTerms,
    ttl=st.sampled_from([1.0, 5.0]),
    stale_while_revalidate=st.sampled_from([0.0, 0.0, 4.0]),
    stale_if_error=st.sampled_from([0.0, 8.0, 8.0]),
    shared=st.booleans(),
    private=st.booleans(),
)
READ = st.tuples(
    st.sampled_from(["ann", "ann", "bo", ""]),  # the visitor
    st.sampled_from(["/a", "/a", "/a", "/b"]),
    TERMS,
    st.integers(0, len(HEADERS) - 1),
    # What the backend answers if it is asked, 0 for nothing, and how many seconds that takes.
    st.sampled_from([200, 200, 200, 304, 404, 429, 503, 503, 0]),
    st.sampled_from([0.0, 0.0, 2.0]),
    st.booleans(),  # whether the visitor writes something meanwhile
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("read"), READ),
        st.tuples(st.just("pass"), st.sampled_from([0.5, 2.0, 4.0, 10.0])),
        st.tuples(st.just("write"), st.sampled_from(["ann", "bo"])),
    ),
    min_size=12,
    max_size=40,
)


@dataclass
class Version:
    """A reply as the backend once gave it, or last confirmed it; times are monotonic."""

    path: str
    owner: str | None
    headers: int
    asked: float
    arrived: float


@dataclass
class Model:
    """The backend, and what it remembers of its replies by their bodies."""

    clock: Clock
    versions: dict[bytes, Version] = field(default_factory=dict)
    wrote: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.transport = OnClock(self.clock)
        self.client = Client(
            "http://people.test", timeout="5s", retries=0, breaker=None, cache_entries=4, cache_bytes=10**6
        )

    def read(
        self,
        visitor: str,
        path: str,
        terms: CacheTerms,
        headers: int,
        status: int,
        seconds: float,
        writes: bool,
    ) -> None:
        if visitor in self.wrote:
            at = self.wrote[visitor] + self.clock.wall - self.clock.monotonic
            terms = CacheTerms(
                terms.ttl,
                terms.stale_while_revalidate,
                terms.stale_if_error,
                terms.shared,
                terms.private,
                newer_than=at,
            )
        page = Calls(self.transport, self.clock.monotonic + 60.0)
        before, began = len(self.transport.flights), self.clock.monotonic
        call = start(page, self.client, get(path, cache=terms, visitor=visitor.encode() or None))
        asked = len(self.transport.flights) > before
        wrote = self.wrote.get(visitor)
        if asked:
            if writes and visitor and seconds:
                self.wrote[visitor] = self.clock.monotonic + seconds / 4
            self.clock.go_on(seconds)
            owner = visitor if terms.private else None
            self.transport.flights[-1].outcome = self.answer(path, owner, headers, status, began)
        while call.result is None:
            page.wait(self.clock.monotonic + 5.0)
        if isinstance(call.result, Reply) and call.result.status == 200:
            failed = asked and status in (0, 429, 503)
            self.judge(call.result, visitor, path, terms, wrote, failed=failed)

    def answer(self, path: str, owner: str | None, headers: int, status: int, began: float) -> Reply | Broken:
        tag = self.transport.flights[-1].request.headers.get("If-None-Match", "").strip('"').encode()
        now = self.clock.monotonic
        if status == 304 and tag:
            known = self.versions[tag]
            known.asked, known.arrived = began, now
            return Reply(304, {"etag": f'"{tag.decode()}"'})
        if status != 200 and status != 304:
            return Reply(status) if status else Broken("refused")
        body = b"%d" % len(self.versions)
        self.versions[body] = Version(path, owner, headers, began, now)
        return Reply(200, {**HEADERS[headers], "etag": f'"{body.decode()}"'}, body)

    def judge(
        self,
        reply: Reply,
        visitor: str,
        path: str,
        terms: CacheTerms,
        wrote: float | None = None,
        *,
        failed: bool,
    ) -> None:
        """Says whether this visitor, who had written at `wrote` when they asked, may get this reply."""
        found, now = self.versions[reply.raw], self.clock.monotonic
        assert found.path == path
        assert found.owner == (visitor if terms.private else None)
        if wrote is not None:
            assert found.asked >= wrote
            assert found.asked > wrote + MARGIN or not reply.from_cache
        if not reply.from_cache:
            assert found.arrived == now
            return
        said = LIFETIMES[found.headers][0 if terms.private else 1] - (found.arrived - found.asked)
        fresh = min(terms.ttl, max(0.0, said)) if LIFETIMES[found.headers][0 if terms.private else 1] else 0.0
        age = now - found.arrived
        if age < fresh:
            assert reply.stale is None
            return
        assert failed
        assert found.headers not in (NEVER_OLD if terms.private else NEVER_OLD_FOR_ALL)
        assert age < fresh + max(terms.stale_while_revalidate, terms.stale_if_error)
        assert (reply.stale is None) == (age < fresh + terms.stale_while_revalidate)


@settings(max_examples=200)
@given(STEPS)
def test_what_is_kept_is_given_to_whom_it_belongs_and_never_too_old(steps: list[Step]) -> None:
    with closing(Clock()) as clock:
        model = Model(clock)
        for what, given_ in steps:
            if what == "read":
                model.read(*given_)
            elif what == "pass":
                clock.go_on(given_)
            else:
                model.wrote[given_] = clock.monotonic


def test_the_model_sees_what_it_is_for(clock: Clock) -> None:
    """A reply of another, one that is too old, one that may not be kept: each is told."""
    model = Model(clock)
    model.versions[b"0"] = Version("/a", "ann", 4, clock.monotonic, clock.monotonic)
    terms = CacheTerms(5.0)
    kept = Reply(200, {}, b"0", from_cache=True)
    model.judge(kept, "ann", "/a", terms, failed=False)
    clock.go_on(3.0)
    for visitor, path in (("bo", "/a"), ("ann", "/b"), ("ann", "/a")):
        try:
            model.judge(kept, visitor, path, terms, failed=False)
        except AssertionError:
            continue
        raise AssertionError((visitor, path))
