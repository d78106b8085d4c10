"""What a visitor wrote: merged, bounded, forgotten in time, and readable by nobody else."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from bff.identity import Session, SessionSeal
from bff.identity.recent_writes import (
    CLOCKS,
    EVERYTHING,
    MAX_NAMES,
    NO_RECENT_WRITES,
    PRIVATE,
    RecentWrites,
    RecentWritesSeal,
)
from bff.identity.session import AHEAD

NEW, OLD = Fernet.generate_key().decode(), Fernet.generate_key().decode()
NOW = 1_800_000_000.0


def test_nothing_written_makes_nothing_old() -> None:
    assert NO_RECENT_WRITES.newer_than(["home", "home.todos"], private=True) == 0


def test_a_write_makes_every_private_step_old_and_no_other() -> None:
    written = NO_RECENT_WRITES.also((PRIVATE,), NOW)
    assert written.newer_than(["home", "home.todos"], private=True) == NOW
    assert written.newer_than(["home", "home.todos"], private=False) == 0


@pytest.mark.parametrize("private", [True, False])
def test_a_write_that_names_steps_makes_those_old_and_no_other(private: bool) -> None:
    written = NO_RECENT_WRITES.also(("home.todos", "people"), NOW)
    assert written.newer_than(["home", "home.todos"], private=private) == NOW
    assert written.newer_than(["people", "people.found"], private=private) == NOW
    assert written.newer_than(["home", "home.notice"], private=private) == 0


def test_the_newest_write_counts_and_loses_no_other() -> None:
    written = NO_RECENT_WRITES.also(("a", "b"), NOW).also(("b", "c"), NOW + 5)
    assert written.moments == {"a": NOW, "b": NOW + 5, "c": NOW + 5}


def test_what_is_sealed_is_opened_again_also_with_a_key_of_before() -> None:
    written = RecentWrites({"home.todos": NOW, PRIVATE: NOW - 3})
    sealed = RecentWritesSeal([OLD]).seal(written)
    assert RecentWritesSeal([OLD]).open(sealed, 60, NOW) == written
    assert RecentWritesSeal([NEW, OLD]).open(sealed, 60, NOW) == written
    assert "todos" not in sealed


def test_what_is_older_than_its_use_is_dropped() -> None:
    sealed = RecentWritesSeal([NEW]).seal(RecentWrites({"a": NOW, "b": NOW - 50}))
    assert RecentWritesSeal([NEW]).open(sealed, 60, NOW + 20 + AHEAD).moments == {"a": NOW}


def test_a_clock_that_is_put_back_or_forward_by_an_hour_forgets_no_write() -> None:
    sealed = RecentWritesSeal([NEW]).seal(RecentWrites({"a": NOW}))
    assert RecentWritesSeal([NEW]).open(sealed, 60, NOW - 3600).moments == {"a": NOW - 3600 + CLOCKS}
    assert RecentWritesSeal([NEW]).open(sealed, 60, NOW + 3600).moments == {"a": NOW}


def test_a_clock_that_was_wrong_makes_nothing_old_for_ever() -> None:
    sealed = RecentWritesSeal([NEW]).seal(RecentWrites({"a": NOW + 1e6}))
    assert RecentWritesSeal([NEW]).open(sealed, 60, NOW).moments == {"a": NOW + CLOCKS}


def test_too_many_names_become_everything() -> None:
    few = RecentWrites({f"page.step{number}": NOW - number for number in range(MAX_NAMES)})
    many = few.also(("one.more",), NOW + 1)
    seal = RecentWritesSeal([NEW])
    assert seal.open(seal.seal(few), 60, NOW) == few
    assert seal.open(seal.seal(many), 60, NOW + 1).moments == {EVERYTHING: NOW + 1}
    assert RecentWrites({EVERYTHING: NOW}).newer_than(["any", "any.step"], private=False) == NOW


def test_a_cookie_stays_small_whatever_names_are_in_it() -> None:
    names = [f"{'long' * 100}{number}" for number in range(MAX_NAMES)]
    assert len(RecentWritesSeal([NEW]).seal(NO_RECENT_WRITES.also(names, NOW))) < 2048


def _tampered() -> str:
    sealed = RecentWritesSeal([NEW]).seal(RecentWrites({"a": NOW}))
    return sealed[:50] + ("A" if sealed[50] != "A" else "B") + sealed[51:]


def _of_a_session() -> str:
    return SessionSeal([NEW], 3600).seal(Session({"id": 1}, {}, int(NOW) + 600), NOW)


FOREIGN = {
    "empty": "",
    "no token": "abc",
    "not ascii": "ü",
    "endless": "A" * 5000,
    "tampered with": _tampered(),
    "of another key": RecentWritesSeal([OLD]).seal(RecentWrites({"a": NOW})),
    "of a session": _of_a_session(),
    "sealed with the session's own key": Fernet(NEW).encrypt(b'{"a": 1}').decode(),
}


@pytest.mark.parametrize("value", FOREIGN.values(), ids=FOREIGN)
def test_a_cookie_that_is_not_ours_says_nothing(value: str) -> None:
    assert RecentWritesSeal([NEW]).open(value, 60, NOW) == NO_RECENT_WRITES


@pytest.mark.parametrize("content", [b"[1]", b"1", b'{"a": "x"}', b'{"a": null}', b"{"])
def test_what_another_version_sealed_says_nothing(content: bytes) -> None:
    seal = RecentWritesSeal([NEW])
    assert seal.open(seal._fernet.encrypt(content).decode(), 60, NOW) == NO_RECENT_WRITES


def test_an_expired_cookie_says_nothing() -> None:
    sealed = RecentWritesSeal([NEW]).seal(RecentWrites({"a": NOW}))
    assert RecentWritesSeal([NEW]).open(sealed, 60, NOW + 61 + AHEAD) == NO_RECENT_WRITES


def test_it_is_no_session() -> None:
    assert SessionSeal([NEW], 3600).open(RecentWritesSeal([NEW]).seal(RecentWrites({"a": NOW})), NOW) is None
