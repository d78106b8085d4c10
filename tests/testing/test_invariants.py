"""Each invariant is a sentence, and says what does not hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from bff.recipe.needs import Need
from bff.testing import Matrix
from bff.testing.endings import ends_as_declared
from bff.testing.invariants import INVARIANTS, asks_no_more
from bff.testing.seen import Seen


def seen_in(matrix: Matrix, name: str) -> Seen:
    [case] = [case for case in matrix.cases if str(case) == name]
    return case.see()


@pytest.mark.parametrize("invariant", INVARIANTS)
def test_an_invariant_is_a_sentence(invariant: Callable[[Seen], object]) -> None:
    said = invariant.__doc__ or ""
    assert said.endswith(".")
    assert (said.count(". "), said.count("\n"), len(said) < 120) == (0, 0, True)


def test_a_step_that_the_good_page_does_not_ask_is_told_of(matrix: Matrix) -> None:
    seen = seen_in(matrix, "reading-notice-500")
    assert list(asks_no_more(seen)) == []
    asked = seen.asked + Counter(["other", "undo.other"])
    assert list(asks_no_more(replace(seen, asked=asked))) == ["expected step other not to be asked"]


def test_a_reply_that_lacks_what_its_step_needs_is_a_bad_reply(matrix: Matrix) -> None:
    seen = seen_in(matrix, "reading-todos-nulls")
    assert seen.fails is False
    needed = replace(seen, needs=(Need((), nullable=False),))
    assert needed.fails is True
    assert next(ends_as_declared(needed)) == "expected status 502, found 200"
    assert replace(seen, needs=(Need(("title",)),)).fails is False
