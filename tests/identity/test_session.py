"""The session cookie's value: sealed, opened, rotated, refused."""

from __future__ import annotations

import base64
import json
import time

import pytest
from cryptography.fernet import Fernet

from bff.identity import Session, SessionSeal
from bff.identity.session import AHEAD, MAX_COOKIE, NotYet, SessionTooLarge, expiry_of

OLD, NEW, FOREIGN = (Fernet.generate_key().decode() for _ in range(3))
NOW = time.time()


def seal(*keys: str, ttl: float = 3600) -> SessionSeal:
    return SessionSeal(keys, ttl)


def jwt(claims: dict[str, object]) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'HS256'})}.{part(claims)}.c2ln"


def test_a_session_comes_out_as_it_went_in() -> None:
    box = seal(NEW)
    value = box.seal(Session({"id": 7, "name": "李雷"}, {"people": "t0ken"}, int(NOW) + 60), NOW)
    found = box.open(value, NOW)
    assert found is not None
    assert (found.user, found.tokens, found.expires) == (
        {"id": 7, "name": "李雷"},
        {"people": "t0ken"},
        int(NOW) + 60,
    )


def test_nothing_of_a_session_can_be_read_from_its_cookie() -> None:
    value = seal(NEW).seal(Session({"id": "visitor-7"}, {"people": "t0ken"}, int(NOW) + 60), NOW)
    assert b"visitor-7" not in base64.urlsafe_b64decode(value)
    assert b"t0ken" not in base64.urlsafe_b64decode(value)


def test_a_cookie_of_an_old_key_opens_while_the_key_is_listed() -> None:
    value = seal(OLD).seal(Session(1, {}, int(NOW) + 60), NOW)
    assert seal(NEW, OLD).open(value, NOW) is not None
    assert seal(NEW).open(value, NOW) is None


def test_a_new_cookie_is_sealed_with_the_first_key() -> None:
    value = seal(NEW, OLD).seal(Session(1, {}, int(NOW) + 60), NOW)
    assert seal(NEW).open(value, NOW) is not None


def test_every_tampered_cookie_is_refused() -> None:
    value = seal(NEW).seal(Session(1, {}, int(NOW) + 60), NOW)
    for at in range(len(value.rstrip("="))):
        changed = value[:at] + ("A" if value[at] != "A" else "B") + value[at + 1 :]
        # The last character before the padding holds bits that are not used.
        if base64.urlsafe_b64decode(changed) != base64.urlsafe_b64decode(value):
            assert seal(NEW).open(changed, NOW) is None


@pytest.mark.parametrize(
    "value",
    ["", "x", "待办", "A" * (MAX_COOKIE + 1), Fernet(NEW.encode()).encrypt(b"1").decode()],
    ids=["empty", "short", "wide", "long", "other content"],
)
def test_what_is_no_session_is_refused(value: str) -> None:
    assert seal(NEW).open(value, NOW) is None


def test_a_session_is_over_at_its_time() -> None:
    value = seal(NEW).seal(Session(1, {}, int(NOW) + 60), NOW)
    assert seal(NEW).open(value, NOW + 59) is not None
    assert seal(NEW).open(value, NOW + 61) is None


def test_a_session_never_outlives_the_ttl() -> None:
    value = seal(NEW, ttl=100).seal(Session(1, {}, int(NOW) + 9999), NOW)
    found = seal(NEW).open(value, NOW)
    assert found is not None and found.expires == int(NOW) + 100


def test_a_cookie_that_was_opened_before_is_over_at_the_same_second() -> None:
    value = seal(NEW, ttl=9999).seal(Session(1, {}, int(NOW) + 9999), NOW)
    sealed = Fernet(NEW).extract_timestamp(value)
    known = seal(NEW, ttl=100)
    for second in (0, 99, 100, 101, 5000):
        now = sealed + second + 0.5
        assert (
            (known.open(value, now) is None)
            == (seal(NEW, ttl=100).open(value, now) is None)
            == (second > 100)
        )


@pytest.mark.parametrize("later", [-(10**6), 0, 10**6])
def test_a_cookie_counts_from_the_time_that_it_is_given(later: int) -> None:
    at = NOW + later
    value = seal(NEW, ttl=100).seal(Session(1, {}, int(at) + 10**7), at)
    assert seal(NEW, ttl=10**5).open(value, at + 99) is not None
    assert seal(NEW, ttl=50).open(value, at + 52) is None


@pytest.mark.parametrize("back", [61, 3600, AHEAD - 2])
def test_a_cookie_that_was_sealed_before_the_clock_was_put_back_is_good(back: float) -> None:
    now = time.time()
    value = seal(NEW).seal(Session(1, {}, int(now) + 60), now)
    found = seal(NEW).open(value, now - back)
    assert found is not None and found.user == 1


def test_a_cookie_of_a_time_far_to_come_is_neither_good_nor_taken_for_garbage() -> None:
    value = seal(NEW).seal(Session(1, {}, int(NOW) + 60), NOW)
    with pytest.raises(NotYet):
        seal(NEW).open(value, NOW - AHEAD - 2)
    assert seal(OLD).open(value, NOW - AHEAD - 2) is None


def test_what_is_done_to_an_opened_session_stays_there() -> None:
    box = seal(NEW)
    value = box.seal(Session({"names": ["Ann"]}, {"people": "t0ken"}, int(NOW) + 60), NOW)
    for _ in range(2):
        found = box.open(value, NOW)
        assert found is not None and found.user == {"names": ["Ann"]}
        found.user["names"].append("Eve")


def test_only_so_many_cookies_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bff.identity.session._REMEMBERED", 2)
    box = seal(NEW)
    values = [box.seal(Session(number, {}, int(NOW) + 60), NOW) for number in range(5)]
    for _ in range(2):
        for number, value in enumerate(values):
            found = box.open(value, NOW)
            assert found is not None and found.user == number
    assert box._opened.cache_info().currsize == 2


def test_marks_tell_visitors_apart_and_depend_on_the_key() -> None:
    def mark(user: int, key: str) -> bytes:
        value = seal(key).seal(Session(user, {"p": "a"}, int(NOW) + 60), NOW)
        visitor = seal(key).visitor_of(value, NOW)
        assert visitor is not None
        return visitor.mark

    assert mark(1, NEW) == mark(1, NEW)
    assert mark(1, NEW) != mark(2, NEW)
    assert mark(1, NEW) != mark(1, OLD)


def test_what_is_done_to_a_visitors_user_stays_there() -> None:
    box = seal(NEW)
    value = box.seal(Session({"names": ["Ann"]}, {}, int(NOW) + 60), NOW)
    for _ in range(2):
        found = box.visitor_of(value, NOW)
        assert found is not None and found.user == {"names": ["Ann"]}
        found.user["names"].append("Eve")


@pytest.mark.parametrize(
    ("expires", "tokens", "found"),
    [
        (None, {}, 1000 + 50),
        (None, {"a": "opaque"}, 1000 + 50),
        (None, {"a": jwt({"exp": 1020}), "b": jwt({"exp": 1010})}, 1010),
        (None, {"a": jwt({"exp": "soon"}), "b": "x.y.z"}, 1000 + 50),
        (1234, {}, 1234),
        (1234.9, {}, 1234),
        ("1970-01-01T00:20:34Z", {}, 1234),
        ("1970-01-01 00:20:34", {}, 1234),
        ("0001-01-01T00:00:00+23:59", {}, -62135683140),
        (None, {"a": jwt({"exp": 0})}, 0),
        (None, {"a": jwt({"exp": True})}, 1000 + 50),
        ("tomorrow", {}, None),
        (True, {}, None),
        ([], {}, None),
    ],
)
def test_the_time_a_session_ends(expires: object, tokens: dict[str, str], found: int | None) -> None:
    assert expiry_of(expires, tokens, 1000, 50) == found


def test_sessions_and_visitors_show_nothing_of_themselves() -> None:
    session = Session({"id": "visitor-7"}, {"people": "t0ken"}, int(NOW) + 60)
    assert "t0ken" not in repr(session) and "visitor-7" not in repr(session)
    assert repr(seal(NEW).visitor_of(seal(NEW).seal(session, NOW), NOW)) == "<Visitor>"


def test_a_session_of_very_many_values_is_refused_before_it_is_written() -> None:
    user: object = ["x"]
    for _ in range(60):
        user = [user, user]
    with pytest.raises(SessionTooLarge, match="what is in it is over the bound of bytes: put less into it"):
        seal(NEW).seal(Session(user, {}, int(NOW) + 60), NOW)


def test_an_integer_of_any_size_comes_out_as_it_went_in() -> None:
    box = seal(NEW)
    value = box.seal(Session({"id": 2**64, "other": -(2**70)}, {}, int(NOW) + 60), NOW)
    found = box.open(value, NOW)
    assert found is not None
    assert found.user == {"id": 2**64, "other": -(2**70)}
