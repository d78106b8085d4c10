"""The lets of lists: names that hide nothing, and that somebody reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from bff.expressions.lets import names_of, read_lets
from bff.expressions.tree import Each, Let, Mapping, Sequence
from bff.recipe.check.names import hidden_by
from bff.recipe.check.page import Page, Spot, within
from bff.recipe.graph import Part
from bff.recipe.source import ScalarNode


def check_lets(page: Page) -> None:
    """Say the lets that hide a name, and mildly those that nothing reads."""
    for part, at in page.parts:
        for each, let, spot in _lets(part, at):
            key = cast(ScalarNode, let.origin)
            what = hidden_by(page, spot, let.name)
            if what:
                page.say(key.whole, f"the let '{let.name}' hides {what}", "give it another name")
            elif let not in read_lets(each) and not _is_read_above(each, let):
                hint = "it is worked out for nobody; leave it out"
                page.say_mildly(key.whole, f"nothing reads the let '{let.name}'", hint)


def _is_read_above(each: Each, let: Let) -> bool:
    """Whether a let names one that stands below it, which is said there."""
    above = each.lets[: each.lets.index(let)]
    return any(let.name in names_of(one.value) for one in above)


def _lets(part: Part, at: Spot) -> Iterator[tuple[Each, Let, Spot]]:
    """Every let of a part, with the list that it is of and the names that are known where it stands."""
    if isinstance(part, Mapping):
        for _, value in part.items:
            yield from _lets(value, at)
    elif isinstance(part, Sequence):
        for value in part.items:
            yield from _lets(value, at)
    elif isinstance(part, Each):
        inner = list(within(part, at))
        for let, (_, spot) in zip(part.lets, inner[len(part.clauses) :], strict=False):
            yield part, let, spot
        for below, spot in inner:
            yield from _lets(below, spot)
