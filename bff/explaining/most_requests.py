"""The most requests that one answer of a page can cause: chunks, items, tries and second copies, and what undoes."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from bff.explaining.amounts import Amount, requests_of
from bff.explaining.rounds import most_rounds, told_rounds
from bff.explaining.subject import Subject, way_of, way_of_undo
from bff.plan.model import PlannedRequest


class Asked(Struct, frozen=True):
    """The requests of a step: how often each is sent at most, how many that makes, and how many undo them.

    `rounds` are those for one item, where each follows from the reply to the one before.
    """

    name: str
    amount: Amount
    tries: int
    copies: int
    undos: int
    rounds: int = 1

    @property
    def most(self) -> int:
        return self.amount.most * self.rounds * (self.tries + self.copies)


class Total(Struct, frozen=True):
    """What a page can cause; `undos` have a bound of their own, and `behind` runs after the answer."""

    asked: tuple[Asked, ...]
    bound: int
    behind: int

    @property
    def most(self) -> int:
        return min(self.bound, sum(one.most for one in self.asked))

    @property
    def undos(self) -> int:
        return min(self.bound, sum(one.undos for one in self.asked))

    @property
    def is_bounded(self) -> bool:
        """Whether the recipe itself keeps the page within its bound."""
        return sum(one.most for one in self.asked) <= self.bound


def most_requests(subject: Subject) -> Total:
    """What a page can cause, step by step."""
    asked = tuple(_asked(subject, step) for step in subject.plan.requests)
    refreshed = [
        one.amount.most * one.rounds
        for one, step in zip(asked, subject.plan.requests, strict=True)
        if step.cache is not None and step.cache.stale_while_revalidate
    ]
    return Total(asked, subject.settings.max_requests, sum(refreshed))


def _asked(subject: Subject, step: PlannedRequest) -> Asked:
    amount, way = requests_of(subject, step), way_of(step)
    undos = 0
    if step.undo is not None:
        undoing = way_of_undo(step)
        undos = amount.most * (1 + (undoing.retries if undoing.may_retry else 0))
    copies = 1 if way.hedge is not None and not subject.recipe.passes else 0
    tries = 1 + (way.retries if way.may_retry else 0)
    return Asked(step.name, amount, tries, copies, undos, most_rounds(subject, step))


def request_rows(subject: Subject) -> Iterator[tuple[str, str, str]]:
    """Each step with the most requests that it can cause, and how these come about."""
    total = most_requests(subject)
    for one, step in zip(total.asked, subject.plan.requests, strict=True):
        sent = [told_rounds(subject, step, one.amount.how)]
        if one.tries > 1:
            sent.append(f"{one.tries} tries each")
        if one.copies:
            sent.append("a second copy of each that is late")
        yield one.name, str(min(total.bound, one.most)), ", ".join(sent)


def total_rows(subject: Subject) -> Iterator[tuple[str, str, str]]:
    """All together, and what stands beside the page's own requests."""
    total = most_requests(subject)
    all_of_it = "which is all that a page may make (BFF_MAX_REQUESTS)"
    yield (
        "together",
        str(total.most),
        f"of {total.bound} that a page may make" if total.is_bounded else all_of_it,
    )
    if total.undos:
        yield "to undo", str(total.undos), "more, where the page fails after its writes"
    if total.behind:
        yield "behind", str(total.behind), "more, which renew old replies after the page is answered"


def in_short(subject: Subject) -> str:
    """The most requests of a page in one line."""
    total = most_requests(subject)
    if not total.asked:
        return "none"
    if total.is_bounded:
        return f"{total.most} at most"
    largest = max(total.asked, key=lambda one: one.most)
    return f"{total.most} at most, which is all that a page may make: see {largest.name}"
