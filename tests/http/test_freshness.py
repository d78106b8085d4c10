"""What a backend's headers allow of its reply; where they cannot be read, the careful reading."""

from __future__ import annotations

import pytest

from bff import clock
from bff.http import Reply
from bff.http.freshness import ALLOWED_BY, Allowed, allowed, varies_by_more

NOW = 1_800_000_000.0  # Fri, 15 Jan 2027 08:00:00 GMT
DATE = "Fri, 15 Jan 2027 08:00:00 GMT"
LATER = "Fri, 15 Jan 2027 08:01:00 GMT"


def says(**headers: str) -> tuple[str, float | None, float | None, bool]:
    found = allowed({name.replace("_", "-"): value for name, value in headers.items()}, NOW)
    return found.scope, found.fresh, found.fresh_for_all, found.stale


def test_a_backend_that_says_nothing_allows_what_the_recipe_says() -> None:
    assert (
        says() == says(cache_control="") == says(cache_control="public, immutable") == ("", None, None, True)
    )
    assert says(date=DATE, vary="Origin", content_type="application/json") == ("", None, None, True)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("max-age=60", ("", 60.0, 60.0, True)),
        ("MAX-AGE = 60 , public", ("", 60.0, 60.0, True)),
        ('max-age="60"', ("", 60.0, 60.0, True)),
        ("max-age=60, s-maxage=5", ("", 60.0, 5.0, True)),
        ("s-maxage=600", ("", None, 600.0, True)),
        ("max-age=0", ("", 0.0, 0.0, True)),
        ("max-age=60, max-age=5", ("", 5.0, 5.0, True)),
        ("max-age=99999999999999999999", ("", 9999999999.0, 9999999999.0, True)),
        ("no-store", ("no-store", None, None, True)),
        ("private, no-store", ("no-store", None, None, True)),
        ("private, max-age=60", ("private", 60.0, 60.0, True)),
        ('private="set-cookie"', ("private", None, None, True)),
        ("no-cache", ("", 0.0, 0.0, False)),
        ('no-cache="set-cookie", max-age=60', ("", 0.0, 0.0, False)),
        ("max-age=60, must-revalidate", ("", 60.0, 60.0, False)),
        ("max-age=60, proxy-revalidate", ("", 60.0, 60.0, False)),
        (",, max-age=60,,public,", ("", 60.0, 60.0, True)),
    ],
)
def test_cache_control_is_read(written: str, found: tuple[str, float | None, float | None, bool]) -> None:
    assert says(cache_control=written) == found


@pytest.mark.parametrize(
    "written",
    [
        "max-age=soon",
        "max-age=-1",
        "max-age=1.5",
        "max-age=",
        "max-age",
        "max-age=６０",
        "max-age=60; public",
        'max-age=60, x="open',
        "max-age=60 s",
        "max-age=60, =",
    ],
)
def test_what_cannot_be_read_is_old_at_once(written: str) -> None:
    assert says(cache_control=written)[1:3] == (0.0, 0.0)


@pytest.mark.parametrize(
    "written", ['x="a, no-store', 'x="a, no-store"', '"no-store"', "no-store;", "NO-STORE=1"]
)
def test_what_forbids_to_keep_it_is_seen_in_any_spelling(written: str) -> None:
    assert says(cache_control=written)[0] == "no-store" or says(cache_control=written)[1] == 0.0


def test_the_time_in_other_caches_counts() -> None:
    assert says(cache_control="max-age=60, s-maxage=90", age="20")[1:3] == (40.0, 70.0)
    assert says(cache_control="max-age=60", age="5, 50")[1] == 10.0
    assert says(cache_control="max-age=60", age="61")[1] == 0.0
    assert says(age="100")[1] is None
    for unreadable in ("-5", "soon", "", "5, x"):
        assert says(cache_control="max-age=60", age=unreadable)[1] == 0.0


def test_expires_counts_where_there_is_no_max_age() -> None:
    assert says(expires=LATER, date=DATE)[1:3] == (60.0, 60.0)
    assert says(expires=LATER)[1] == 60.0
    assert says(expires=LATER, date="Fri, 15 Jan 2027 07:59:00 GMT")[1] == 120.0
    assert says(expires=LATER, cache_control="max-age=5")[1] == 5.0
    assert says(expires=LATER, date=DATE, cache_control="s-maxage=600")[1:3] == (60.0, 600.0)
    assert says(expires=DATE, date=LATER)[1] == 0.0


@pytest.mark.parametrize(
    "written", ["0", "-1", "", "tomorrow", f"{LATER}, {LATER}", "Fri, 99 Jan 2027 08:01:00 GMT"]
)
def test_an_expiry_that_cannot_be_read_has_passed(written: str) -> None:
    assert says(expires=written, date=DATE)[1] == 0.0


def test_pragma_counts_where_there_is_no_cache_control() -> None:
    assert says(pragma="no-cache") == ("", 0.0, 0.0, False)
    assert says(pragma="no-cache", cache_control="max-age=5") == ("", 5.0, 5.0, True)


def test_only_what_no_key_holds_varies_by_more() -> None:
    for harmless in ("", "Origin", "Accept, Accept-Language, Authorization, Cookie"):
        assert not varies_by_more({"vary": harmless})
    for more in ("*", "Accept, *", "X-Request-ID", "accept ,x-request-deadline-ms", "traceparent"):
        assert varies_by_more({"vary": more})
    assert not varies_by_more({})


def test_a_reply_tells_what_a_browser_may_do_with_it() -> None:
    assert Reply(200).allows() == Allowed("", None, None, True)
    held = Reply(200, {"cache-control": "private, max-age=60", "age": "10"}, held=20.0).allows()
    assert (held.fresh, held.scope) == (30.0, "private")
    assert Reply(200, {"cache-control": "max-age=60"}, held=61.0).allows().fresh == 0.0
    assert Reply(200, {"cache-control": "no-store"}).allows().scope == "no-store"
    assert Reply(200, {"cache-control": "s-maxage=60"}).allows().fresh is None


@pytest.mark.parametrize(
    "written", ["", "no-store", "private, max-age=60", "s-maxage=5", "no-cache", "max-age=x y"]
)
def test_what_is_said_without_a_time_is_remembered_as_it_is_read(written: str) -> None:
    for _ in range(2):
        assert ALLOWED_BY[written] == allowed({"cache-control": written}, clock.wall())
