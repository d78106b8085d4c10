"""How often a step is asked for one value: the pages of a list, or until it is done."""

from __future__ import annotations

from bff.explaining.subject import Subject, way_of
from bff.explaining.words import duration
from bff.plan.model import PlannedPages, PlannedRequest, PlannedUntil
from bff.recipe.check.bounds import rounds_of


def most_rounds(subject: Subject, step: PlannedRequest) -> int:
    """How many requests there may be for one item of a step, tries aside."""
    return rounds_of(subject.written(step))


def told_rounds(subject: Subject, step: PlannedRequest, one: str) -> str:
    """`one` request, or one for each item, with the requests that follow each."""
    most = most_rounds(subject, step)
    match step.repeats:
        case PlannedPages():
            return f"one for each of up to {most} pages" if one == "one" else f"{one}, of up to {most} pages"
        case PlannedUntil(every=every):
            return f"{one}, asked up to {most} times, every {duration(every)}"
    return one


def time_of_item(subject: Subject, step: PlannedRequest) -> float:
    """Seconds that the requests for one item may take."""
    timeout = way_of(step).timeout
    match step.repeats:
        case PlannedPages(most=most, within=within):
            return min(timeout * most, within or subject.recipe.deadline)
        case PlannedUntil(within=within):
            return within
    return timeout


def how_timed(step: PlannedRequest) -> str:
    """What that time is made of, '' where it is the time-out of one request."""
    match step.repeats:
        case PlannedPages(most=most):
            return f"up to {most} pages"
        case PlannedUntil():
            return "until it is done"
    return ""


def trait(step: PlannedRequest) -> str:
    """The same for a drawing."""
    match step.repeats:
        case PlannedPages(most=most):
            return f"≤ {most} pages"
        case PlannedUntil():
            return "until done"
    return ""
