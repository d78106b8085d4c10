"""What is kept: under which key, how long, for whom, and what makes it so."""

from __future__ import annotations

from collections.abc import Iterator

from bff.executor.results import Results
from bff.explaining.subject import Subject
from bff.explaining.words import duration
from bff.http import CacheTerms
from bff.identity.recent_writes import PRIVATE
from bff.plan.model import PlannedRequest
from bff.recipe.graph import inspect_part, parts
from bff.recipe.model import Request
from bff.recipe.taint import private_reads
from bff.web.keeping import NO_STORE, CacheControl

RULES = (
    "A reply is kept under its client, method, address, body and every header sent, a private one under its visitor "
    "too. A backend can shorten each time."
)


def cache_rows(subject: Subject) -> Iterator[tuple[str, str]]:
    """Each step whose replies are kept, with how long, for whom and why."""
    for step in subject.plan.requests:
        if step.cache is not None:
            yield step.name, "; ".join(_told(subject, step, step.cache))


def unkept_steps(subject: Subject) -> tuple[str, ...]:
    """The reads that are made anew for each page."""
    return tuple(step.name for step in subject.plan.requests if step.cache is None and step.safe)


def _told(subject: Subject, step: PlannedRequest, terms: CacheTerms) -> Iterator[str]:
    yield f"for {duration(terms.ttl)}"
    if terms.stale_while_revalidate:
        after = duration(terms.stale_while_revalidate)
        yield f"for {after} after that old, while a new one is fetched behind the page"
    if terms.stale_if_error:
        yield f"for {duration(terms.stale_if_error)} after that old, where a new one cannot be had"
    if terms.private:
        yield f"per visitor: {why_private(subject, step.name)}"
    elif terms.shared:
        yield "shared: pages that miss it at the same time make one request"
    else:
        yield "for everybody: nothing in it is one visitor's"


def why_private(subject: Subject, name: str) -> str:
    """The way of something of one visitor to a step, with the key that it stands in."""
    way = subject.taint.steps[name]
    return f"{'; '.join(way)}{_where(subject, way[-1])}"


def _where(subject: Subject, last: str) -> str:
    """In which key and line a step reads what is a visitor's, where the end of a way says that it does."""
    for step in subject.recipe.steps:
        for key, part in parts(step):
            if any(
                last == f"{step.name} reads {text}"
                for text in private_reads(inspect_part(part), subject.recipe.auth)
            ):
                key = key.partition(".")[0]
                if key == "body" and isinstance(step, Request) and step.graphql is not None:
                    key = "variables"
                place = step.marks.key(key).place
                where = "" if place.file == subject.recipe.file else f"{place.file}, "
                return f" ({key}, {where}line {place.line})"
    return ""


def page_rows(subject: Subject) -> Iterator[tuple[str, str]]:
    """What browsers and CDNs may do with the page, and what its writes make old."""
    plan = subject.plan
    control = CacheControl(plan).of(Results({}, (), ()))
    yield "the page", f"Cache-Control: {control}; {_why_page(subject, control)}"
    if any(step.writes for step in plan.requests):
        yield "made old", _made_old(subject.recipe.invalidates)


def _why_page(subject: Subject, control: str) -> str:
    if control == NO_STORE:
        return f"it answers {subject.recipe.method}"
    if subject.taint.page:
        return "; ".join(subject.taint.page)
    return "it is the same for everybody"


def _made_old(names: tuple[str, ...]) -> str:
    """What a visitor who has written does not see any more."""
    if not names:
        return "nothing, as invalidates says"
    told = ["everything private" if name == PRIVATE else name for name in names]
    return f"{', '.join(told)}: for the visitor who writes, what was kept before is not there"
