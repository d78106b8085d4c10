"""A kept reply: whom it may be given to, for how long, and how it is confirmed."""

from __future__ import annotations

import math
from typing import Any

import pytest

from bff.http import CacheTerms, Reply
from bff.http.cache.entry import MARGIN, REVALIDATED_FOR, CacheEntry, entry_of

MODIFIED = "Fri, 15 Jan 2027 08:00:00 GMT"


def kept(*, private: bool = True, status: int = 200, took: float = 0.0, **headers: str) -> CacheEntry | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return entry_of(Reply(status, named, b"1"), private=private, asked=1000.0, arrived=0.0, took=took)


def entry(**parts: Any) -> CacheEntry:
    return CacheEntry(200, parts.pop("headers", {}), b"1", parts.pop("asked", 1000.0), 0.0, **parts)


def test_only_whole_successes_are_kept() -> None:
    assert kept(status=200) and kept(status=204)
    assert [kept(status=status) for status in (199, 206, 302, 304, 404, 500)] == [None] * 6


def test_what_a_backend_forbids_is_not_kept() -> None:
    assert kept(cache_control="no-store") is None
    assert kept(vary="*") is None
    assert kept(cache_control="private") is not None
    assert kept(cache_control="private", private=False) is None


def test_a_shared_lifetime_counts_for_what_all_share() -> None:
    both = {"cache_control": "max-age=60, s-maxage=600"}
    assert [found.fresh for found in (kept(**both), kept(private=False, **both)) if found] == [60.0, 600.0]


def test_what_a_reply_took_to_come_shortens_what_its_backend_says_and_not_what_the_recipe_says() -> None:
    said, silent = kept(cache_control="max-age=60", took=2.5), kept(took=2.5)
    assert said is not None and silent is not None
    assert (said.fresh, silent.fresh) == (57.5, math.inf)
    assert silent.is_fresh(CacheTerms(1.0), 0.9)


def test_it_is_fresh_for_the_shorter_of_both_times() -> None:
    assert entry().is_fresh(CacheTerms(10.0), 9.9)
    assert not entry().is_fresh(CacheTerms(10.0), 10.0)
    assert not entry(fresh=5.0).is_fresh(CacheTerms(10.0), 5.0)
    assert not entry(fresh=50.0).is_fresh(CacheTerms(10.0), 10.0)


def test_it_stands_in_for_so_long_after_it_was_fresh() -> None:
    terms = CacheTerms(10.0)
    assert entry().may_stand_in(terms, 5.0, 14.9)
    assert not entry().may_stand_in(terms, 5.0, 15.0)
    assert not entry().may_stand_in(terms, 0.0, 1.0)
    assert entry(fresh=2.0).may_stand_in(terms, 5.0, 6.9)
    assert not entry(fresh=2.0).may_stand_in(terms, 5.0, 7.0)
    assert not entry(stale=False).may_stand_in(terms, 5.0, 11.0)


def test_what_was_asked_for_before_a_write_is_no_answer_after_it() -> None:
    before = CacheTerms(10.0, newer_than=1000.0 - MARGIN)
    after = CacheTerms(10.0, newer_than=1000.0 - MARGIN - 0.001)
    assert not entry().is_fresh(before, 0.0)
    assert not entry().may_stand_in(before, 100.0, 0.0)
    assert entry().is_fresh(after, 0.0)


def test_it_is_kept_for_as_long_as_it_may_be_of_use() -> None:
    assert entry().kept_for(CacheTerms(10.0)) == 10.0
    assert entry(fresh=3.0).kept_for(CacheTerms(10.0)) == 3.0
    assert entry().kept_for(CacheTerms(10.0, 20.0, 5.0)) == 30.0
    assert entry().kept_for(CacheTerms(10.0, 20.0, 50.0)) == 60.0
    assert entry(stale=False, fresh=0.0).kept_for(CacheTerms(10.0, 20.0, 50.0)) == 0.0
    assert (
        entry(fresh=0.0, stale=False, headers={"etag": '"1"'}).kept_for(CacheTerms(10.0)) == REVALIDATED_FOR
    )


@pytest.mark.parametrize(
    ("headers", "conditions"),
    [
        ({}, {}),
        ({"etag": '"1"'}, {"If-None-Match": '"1"'}),
        ({"etag": 'W/"1"'}, {"If-None-Match": 'W/"1"'}),
        ({"last-modified": MODIFIED}, {"If-Modified-Since": MODIFIED}),
        ({"etag": '"1"', "last-modified": MODIFIED}, {"If-None-Match": '"1"', "If-Modified-Since": MODIFIED}),
        ({"etag": "*"}, {}),
        ({"etag": "1"}, {}),
        ({"etag": '"1", "2"'}, {}),
        ({"etag": '"待"'}, {}),
        ({"last-modified": "yesterday"}, {}),
    ],
)
def test_a_backend_is_asked_under_the_conditions_it_gave(
    headers: dict[str, str], conditions: dict[str, str]
) -> None:
    assert entry(headers=headers).conditions(CacheTerms(1.0)) == conditions


def test_of_what_is_too_old_only_an_entity_tag_can_tell() -> None:
    found = entry(headers={"etag": '"1"', "last-modified": MODIFIED})
    assert found.conditions(CacheTerms(1.0, newer_than=2000.0)) == {"If-None-Match": '"1"'}


def test_a_confirmed_reply_has_the_new_headers_and_the_old_body() -> None:
    old = {
        "etag": '"1"',
        "content-type": "text/x",
        "content-length": "1",
        "age": "7",
        "date": MODIFIED,
        "a": "b",
    }
    new = {
        "etag": 'W/"1"',
        "content-type": "text/y",
        "content-length": "0",
        "cache-control": "max-age=9",
        "a": "c",
    }
    found = entry(headers=old).confirmed(Reply(304, new))
    assert found is not None
    assert (found.status, found.raw) == (200, b"1")
    assert found.headers == {
        "etag": 'W/"1"',
        "content-type": "text/x",
        "content-length": "1",
        "cache-control": "max-age=9",
        "a": "c",
    }


def test_a_304_about_another_reply_confirms_nothing() -> None:
    assert entry(headers={"etag": '"1"'}).confirmed(Reply(304, {"etag": '"2"'})) is None
    assert entry(headers={"last-modified": MODIFIED}).confirmed(Reply(304, {"etag": '"2"'})) is None
    changed = Reply(304, {"last-modified": "Fri, 15 Jan 2027 09:00:00 GMT"})
    assert entry(headers={"last-modified": MODIFIED}).confirmed(changed) is None
    assert entry(headers={"last-modified": MODIFIED}).confirmed(Reply(304)) is not None


def test_it_is_given_as_a_reply_of_its_own() -> None:
    found = entry(headers={"a": "b"})
    reply = found.reply(5.0, stale=503)
    assert (reply.status, reply.raw, reply.headers, reply.held, reply.stale) == (
        200,
        b"1",
        {"a": "b"},
        5.0,
        503,
    )
    assert (reply.from_cache, reply.attempts) == (True, 0)
    assert reply.headers is not found.headers
