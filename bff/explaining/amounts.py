"""How many requests one step can make for the items of its list, tries aside."""

from __future__ import annotations

import math

from msgspec import Struct

from bff.explaining.subject import Subject
from bff.plan.model import PlannedRequest
from bff.recipe.list_sizes import ListSizes, Size


class Amount(Struct, frozen=True):
    """The most requests for the items of a list, at most as many as a page may make; `how` says where that is from.

    It `may_exceed` where nothing but a bound of the layer keeps the list from being longer.
    """

    most: int
    how: str
    may_exceed: bool = False


def requests_of(subject: Subject, step: PlannedRequest) -> Amount:
    """How many requests a step makes at most: one, one for each item, or one for each chunk."""
    written = subject.written(step)
    clause = written.each or written.batch
    if clause is None:
        return Amount(1, "one")
    sizes = ListSizes(subject.recipe, unknown=Size(math.inf))
    size = sizes.most(clause.source.node)
    assert size is not None, "what is unknown has no end"
    if written.each is not None:
        most = subject.settings.max_each
        if size.items > most:
            return Amount(
                most, f"one for each of up to {most} items, which are all that may run", may_exceed=True
            )
        return Amount(int(size.items), f"one for each of up to {size.items:g} items")
    turn = ", one after the other" if step.writes else ""
    if size.items == math.inf:
        most = subject.settings.max_requests
        how = f"one for each {step.batch_size} of a list whose length nothing bounds{turn}"
        return Amount(most, how, may_exceed=True)
    chunks = math.ceil(size.items / (step.batch_size or 1))
    return Amount(chunks, f"one for each {step.batch_size} of up to {size.items:g} items{turn}")
