"""What a page seals: opened by that page for that visitor with a key that is still there, and by nobody else."""

from __future__ import annotations

import base64
import string

import pytest
from cryptography.fernet import Fernet

from bff.identity import Session, SessionSeal, Visitor
from bff.identity.seals import MAX_PLAIN, MAX_SEALED, Seals, VisitorsSeals
from tests.properties import given, settings, st

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
ANN, BOB = Visitor({"id": "ann"}, {"todos": "t1"}, None, b"1"), Visitor({"id": "bob"})


def seals(visitor: Visitor = ANN, *, keys: tuple[str, ...] = (NEW,), page: str = "list") -> VisitorsSeals:
    return Seals(keys, page).of(visitor)


def test_it_opens_what_it_sealed_and_tells_nothing_of_it() -> None:
    sealed = seals().seal(b'"cursor-of-ann"')
    assert seals().open(sealed) == b'"cursor-of-ann"'
    assert b"cursor" not in base64.urlsafe_b64decode(sealed + "==")
    assert sealed.isascii() and set(sealed).isdisjoint("+/=")


def test_the_same_is_the_same_text_on_every_instance() -> None:
    assert seals().seal(b"1") == seals().seal(b"1") != seals().seal(b"2")


@pytest.mark.parametrize(
    "elsewhere",
    [
        seals(page="other"),
        seals(BOB),
        seals(Visitor()),
        seals(Visitor({"id": "ann", "name": "x"})),
        seals(keys=(OLD,)),
    ],
    ids=["another page", "another visitor", "nobody", "another user", "another key"],
)
def test_what_is_sealed_elsewhere_is_not_opened(elsewhere: VisitorsSeals) -> None:
    assert elsewhere.open(seals().seal(b"1")) is None
    assert seals().open(elsewhere.seal(b"1")) is None


def test_page_and_visitor_cannot_stand_in_for_each_other() -> None:
    sealed = seals(Visitor("b"), page="a").seal(b"1")
    assert seals(Visitor(None), page='a"b"').open(sealed) is None


def test_a_visitor_is_the_user_of_the_session_whatever_its_tokens_are() -> None:
    renewed = Visitor({"id": "ann"}, {"todos": "t2"}, None, b"2")
    assert seals(renewed).open(seals().seal(b"1")) == b"1"


def test_with_a_bearer_token_it_is_its_issuer_and_subject() -> None:
    first, later, other = (
        Visitor({"iss": "i", "sub": sub, "exp": exp}, bearer=f"{sub}{exp}")
        for sub, exp in (("ann", 1), ("ann", 2), ("bob", 2))
    )
    assert seals(later).open(seals(first).seal(b"1")) == b"1"
    assert seals(other).open(seals(first).seal(b"1")) is None
    assert seals(Visitor({"iss": "i", "exp": 1}, bearer="x")).open(seals(first).seal(b"1")) is None


def test_who_has_not_signed_in_is_one_visitor() -> None:
    assert seals(Visitor()).open(seals(Visitor()).seal(b"1")) == b"1"


def test_keys_rotate_by_being_listed_newest_first() -> None:
    before = seals(keys=(OLD,)).seal(b"1")
    assert seals(keys=(NEW, OLD)).open(before) == b"1"
    assert seals(keys=(NEW, OLD)).seal(b"1") == seals(keys=(NEW,)).seal(b"1")
    assert seals(keys=(NEW,)).open(before) is None


def test_no_text_of_another_kind_opens() -> None:
    cookie = SessionSeal([NEW], 3600).seal(Session({"id": "ann"}, {}, 9999999999), 1_000_000_000)
    for text in ("", "a", "=", "AAAA", cookie, "é", "a b", "\n", "A" * MAX_SEALED, "A" * 1_000_000):
        assert seals().open(text) is None


@pytest.mark.parametrize("plain", [b"1", b"12", b"123"])
def test_what_is_sealed_has_one_text_and_no_other(plain: bytes) -> None:
    text = seals().seal(plain)
    assert seals().open(text) == plain
    letters = string.ascii_letters + string.digits + "+/-_="
    others = [text[:-1] + last for last in letters if last != text[-1]]
    assert {seals().open(other) for other in [*others, text + "=", text + "==", f" {text}", f"{text}\n"]} == {
        None
    }


def test_what_fits_is_no_longer_than_two_kilobytes() -> None:
    longest = seals().seal(b"1" * MAX_PLAIN)
    assert len(longest) == MAX_SEALED
    assert seals().open(longest) == b"1" * MAX_PLAIN
    assert seals().open(longest + "A") is None


@settings(deadline=None, max_examples=200)
@given(plain=st.binary(min_size=1, max_size=60), at=st.integers(0, 200), bit=st.integers(0, 7))
def test_a_changed_bit_is_seen(plain: bytes, at: int, bit: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(seals().seal(plain) + "=="))
    raw[at % len(raw)] ^= 1 << bit
    assert seals().open(base64.urlsafe_b64encode(raw).decode().rstrip("=")) is None


@settings(deadline=None, max_examples=50)
@given(plain=st.binary(min_size=1, max_size=60), length=st.integers(0, 100))
def test_a_part_is_nothing(plain: bytes, length: int) -> None:
    sealed = seals().seal(plain)
    assert seals().open(sealed[: min(length, len(sealed) - 2)]) is None
