"""How many calls pages make, exactly: no clock, no other work on the machine changes the number."""

from __future__ import annotations

import sys

import pytest

from tests.counts.kinds import KINDS
from tests.counts.record import FILE, Calls, difference, measured, recorded, written

TEXT = FILE.read_text("utf-8")

only_here = pytest.mark.skipif(
    sys.implementation.name != "cpython" or sys.version_info[:2] != (3, 11) or sys.platform != "linux",
    reason="calls are recorded of CPython 3.11 on Linux: another Python makes others",
)


@pytest.fixture(scope="module")
def now() -> dict[str, Calls]:
    return measured()


@only_here
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_makes_the_calls_that_are_recorded(kind: str, now: dict[str, Calls]) -> None:
    before = recorded(TEXT).get(kind, {"python": {}, "c": {}})
    if found := difference(kind, before, now[kind]):
        pytest.fail(found, pytrace=False)


def test_the_record_is_about_every_kind_of_page() -> None:
    assert list(recorded(TEXT)) == list(KINDS)


def test_totals_and_table_of_the_record_follow_from_its_calls() -> None:
    assert written(recorded(TEXT)) == TEXT
